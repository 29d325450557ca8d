import numpy as np
import tensorflow as tf

from sweep.networks.ds_cnn import DSCNN
from sweep.networks.layered import LayeredArchitecture

from .architectures import ARCHITECTURES, EACH
from .keras_network import keras_network, load_weights, random_weights


def features_for(architecture: LayeredArchitecture, clips: int = 7) -> np.ndarray:
    shape = (clips, *architecture.shape, 1)
    return np.random.default_rng(1).normal(0, 2, shape).astype(np.float32)


@EACH
def test_the_folded_network_answers_as_keras_does(architecture):
    weights, features = random_weights(architecture), features_for(architecture)
    keras = keras_network(architecture)
    load_weights(keras, architecture, weights)
    logits = architecture.forward(architecture.fold(weights), features)
    np.testing.assert_allclose(logits, keras(features, training=False), rtol=1e-5, atol=1e-5)


@EACH
def test_norms_see_in_training_what_those_of_keras_see(architecture):
    weights, features = random_weights(architecture), features_for(architecture)
    keras = keras_network(architecture)
    load_weights(keras, architecture, weights)
    tensors = {name: tf.constant(values) for name, values in weights.items()}
    logits, seen = architecture.forward_training(tensors, features)
    np.testing.assert_allclose(logits, keras(features, training=True), rtol=1e-4, atol=1e-4)
    for layer in normed(architecture):
        averages = keras.get_layer(f"{layer}_norm").get_weights()[2:]
        for part, average in zip(("mean", "variance"), averages, strict=True):
            name = f"{layer}/{part}"
            moved = 0.99 * weights[name] + 0.01 * seen[name].numpy()
            np.testing.assert_allclose(average, moved.ravel(), rtol=1e-4, atol=1e-5)


def normed(architecture: LayeredArchitecture) -> list[str]:
    kept = architecture.initial_weights(0)
    return [name.removesuffix("/gamma") for name in kept if name.endswith("/gamma")]


@EACH
def test_gradients_are_those_of_keras(architecture):
    weights, features = random_weights(architecture), features_for(architecture)
    wanted = tf.one_hot(np.arange(len(features)) % architecture.labels, architecture.labels)
    keras = keras_network(architecture)
    load_weights(keras, architecture, weights)
    with tf.GradientTape() as tape:
        loss = tf.nn.softmax_cross_entropy_with_logits(wanted, keras(features, training=True))
    expected = {}
    for variable, gradient in zip(
        keras.trainable_variables, tape.gradient(loss, keras.trainable_variables), strict=True
    ):
        name = variable.name.removesuffix(":0").replace("_norm/", "/").replace("_kernel/", "/")
        name = name.replace("_depthwise/depthwise_kernel", "/depthwise")
        expected[name] = tf.reshape(gradient, weights[name].shape)
    tensors = {name: tf.constant(weights[name]) for name in expected}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        logits, _ = architecture.forward_training(tensors, features)
        loss = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
    for name, gradient in tape.gradient(loss, tensors).items():
        largest = float(tf.reduce_max(tf.abs(expected[name])))
        np.testing.assert_allclose(gradient, expected[name], atol=1e-4 * largest, err_msg=name)


@EACH
def test_parameters_are_those_keras_counts(architecture):
    assert architecture.parameters() == keras_network(architecture).count_params()
    assert architecture.parameters() == sum(
        values.size for values in architecture.initial_weights(0).values()
    )


def test_the_published_winner_has_its_published_cost():
    architecture = DSCNN(filters=128, alpha=0.5, blocks=2).architecture((31, 10), 2)
    assert architecture == ARCHITECTURES["the published winner"]
    assert architecture.parameters() == 10_818
    assert architecture.multiply_adds() == 595_328


@EACH
def test_multiply_adds_are_outputs_times_the_inputs_each_one_sees(architecture):
    keras, counted = keras_network(architecture), 0
    for layer in keras.layers:
        kernel = next((w for w in layer.weights if "kernel" in w.name), None)
        if kernel is not None:
            taken = [one for one in keras.layers if one.name == f"{layer.name[:-10]}_taken"]
            shape = (taken or [layer])[0].output_shape
            places = np.prod(shape[1:-1]) if len(shape) == 4 else 1
            counted += int(places) * int(np.prod(kernel.shape))
    assert architecture.multiply_adds() == counted


@EACH
def test_networks_begin_with_the_kernels_glorot_would_draw(architecture):
    weights = architecture.initial_weights(seed=3)
    keras = keras_network.__wrapped__(architecture)  # Not one that has other weights by now.
    for name in architecture.kernels():
        reference = keras.get_layer(name.replace("/", "_")).get_weights()[0]
        drawn = weights[name]
        assert drawn.shape == reference.shape
        bound = np.sqrt(6 / sum(fans(drawn.shape)))
        assert np.abs(drawn).max() <= bound
        assert np.abs(reference).max() <= bound
        assert np.abs(drawn).max() > 0.8 * bound
    for layer in normed(architecture):
        assert (weights[f"{layer}/gamma"] == 1).all() and (weights[f"{layer}/beta"] == 0).all()
        assert (weights[f"{layer}/mean"] == 0).all() and (weights[f"{layer}/variance"] == 1).all()


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    field = int(np.prod(shape[:-2]))
    return field * shape[-2], field * shape[-1]


def test_another_seed_begins_elsewhere():
    architecture = ARCHITECTURES["no block"]
    first, again, other = (architecture.initial_weights(seed) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["stem/kernel"], other["stem/kernel"])
