"""A network from outside, as any Keras model; its arguments with defaults are its parameters.

parameters: {network: keras_model:build, units: [8, 16]}
"""

import tf_keras

import sweep


def build(
    shape,
    labels,
    units: int = sweep.parameter(16, low=2, high=128, meaning="channels of both layers"),
    dropout: float = sweep.parameter(0.1, low=0, high=0.9, meaning="share of channels left out"),
):
    """Return a model from features, frames by coefficients, to the probability of each label."""
    return tf_keras.Sequential(
        [
            tf_keras.layers.Input(shape),
            tf_keras.layers.Conv1D(units, 5, strides=2, use_bias=False),
            tf_keras.layers.BatchNormalization(),
            tf_keras.layers.ReLU(),
            tf_keras.layers.SeparableConv1D(units, 9, activation="relu"),
            tf_keras.layers.Dropout(dropout),
            tf_keras.layers.GlobalAveragePooling1D(),
            tf_keras.layers.Dense(labels, activation="softmax"),
        ]
    )
