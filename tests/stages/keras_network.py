"""The network of the report in tf_keras: an independent reference for the one that is plain."""

import numpy as np
import tf_keras

from sweep.stages.network import Architecture, Weights

L = tf_keras.layers


def keras_network(architecture: Architecture) -> tf_keras.Sequential:
    """Return the network up to its logits, layers named as the kernels are."""
    width, temporal = architecture.width, architecture.convolution == "temporal"
    layers = [
        L.Input((architecture.frames, architecture.coefficients, 1)),
        L.Conv2D(
            width,
            (3, architecture.coefficients if temporal else 3),
            strides=2,
            use_bias=False,
            name="stem",
        ),
        L.BatchNormalization(name="stem_norm"),
        L.ReLU(),
    ]
    for block in architecture.layers[1:]:
        if architecture.convolution != "standard":
            field, name = (9, 1) if temporal else (3, 3), f"{block}_depthwise"
            depthwise = L.DepthwiseConv2D(field, padding="same", use_bias=False, name=name)
            layers += [depthwise, L.Conv2D(width, 1, use_bias=False, name=block)]
        else:
            layers.append(L.Conv2D(width, 3, padding="same", use_bias=False, name=block))
        layers += [L.BatchNormalization(name=f"{block}_norm"), L.ReLU()]
    layers += [L.GlobalAveragePooling2D(), L.Dense(architecture.labels, name="dense")]
    return tf_keras.Sequential(layers)


def load_weights(model: tf_keras.Sequential, architecture: Architecture, weights: Weights) -> None:
    """Give a Keras network the weights of a plain one."""
    for layer in architecture.layers:
        model.get_layer(layer).set_weights([weights[f"{layer}/kernel"]])
        norm = [weights[f"{layer}/{part}"] for part in ("gamma", "beta", "mean", "variance")]
        model.get_layer(f"{layer}_norm").set_weights(norm)
        if f"{layer}/depthwise" in weights:
            model.get_layer(f"{layer}_depthwise").set_weights([weights[f"{layer}/depthwise"]])
    model.get_layer("dense").set_weights([weights["dense/kernel"], weights["dense/bias"]])


def random_weights(architecture: Architecture, seed: int = 0) -> Weights:
    """Draw weights of a network in mid-training: no norm neutral, no bias zero."""
    rng = np.random.default_rng(seed)
    shapes = dict(architecture.kernels()) | {"dense/bias": (architecture.labels,)}
    for layer in architecture.layers:
        shapes |= {f"{layer}/{part}": (architecture.width,) for part in ("gamma", "beta", "mean")}
        shapes[f"{layer}/variance"] = (architecture.width,)
    weights = {name: rng.normal(0, 0.3, shape) for name, shape in shapes.items()}
    for layer in architecture.layers:
        weights[f"{layer}/gamma"] += 1
        weights[f"{layer}/variance"] = np.exp(weights[f"{layer}/variance"])
    return {name: values.astype(np.float32) for name, values in weights.items()}
