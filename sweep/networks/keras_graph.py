"""The general path of training: any Keras model, with tfmot's own wrapper for pruning."""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow_model_optimization.sparsity.keras import PruningSchedule, prune_low_magnitude

from sweep.arrays import blocks
from sweep.networks.architecture import Weights
from sweep.networks.keras import KerasArchitecture, predict

_CLIPS_AT_ONCE = 512


class KerasGraph:
    """A Keras model in training; it does what ``graph.TrainingGraph`` does."""

    def __init__(self, architecture: KerasArchitecture) -> None:
        self.architecture = architecture
        # Whatever is random in training, such as dropout, is the same again.
        tf_keras.utils.set_random_seed(0)
        self.model = architecture.new_model()
        self._schedule = _AsTold()
        self._wrapped = _wrapped(self.model, self._schedule)
        self._wrappers = [one for one in self._wrapped.layers if hasattr(one, "pruning_vars")]
        self._optimizer = tf_keras.optimizers.Adam()
        self._optimizer.build(self._wrapped.trainable_variables)
        self._step = tf.function(self._learn, autograph=False)
        self._predict = tf.function(
            lambda clips: predict(self._wrapped, clips[..., tf.newaxis]),
            [tf.TensorSpec((None, *architecture.shape), tf.float32)],
            autograph=False,
        )

    def start(self, weights: Weights) -> None:
        """Begin from these weights."""
        self.architecture.set_weights(self.model, weights)
        for wrapper in self._wrappers:
            wrapper.pruning_step.assign(0)

    def run(
        self, features: np.ndarray, answers: np.ndarray, mixing: np.ndarray, rates: np.ndarray
    ) -> float:
        """Train on batches in turn; return the sum of their losses."""
        steps = zip(features, answers, mixing, rates, strict=True)
        return float(sum(self._step(*map(tf.convert_to_tensor, step)) for step in steps))

    def prune(self, names: list[str], sparsity: float) -> None:
        """Renew the masks of kernels and set what they hide to zero."""
        self._schedule.sparsity.assign(sparsity)
        self._schedule.due.assign(True)
        for wrapper in self._wrappers:
            wrapper.pruning_obj.conditional_mask_update()
            wrapper.pruning_obj.weight_mask_op()
        self._schedule.due.assign(False)

    def accuracy(self, features: np.ndarray, targets: np.ndarray) -> float:
        """Return the share of clips classified correctly."""
        parts = blocks(features, _CLIPS_AT_ONCE)
        answers = [self._predict(part).numpy().argmax(axis=1) for part in parts]
        return float(np.mean(np.concatenate(answers) == targets))

    def weights(self) -> Weights:
        """Return a copy of the weights."""
        for wrapper in self._wrappers:
            wrapper.pruning_obj.weight_mask_op()
        return dict(zip(self.architecture.names, self.model.get_weights(), strict=True))

    def _learn(self, maps: tf.Tensor, wanted: tf.Tensor, mix: tf.Tensor, rate: tf.Tensor) -> Any:
        maps = (mix * maps + (1 - mix) * maps[::-1])[..., tf.newaxis]
        wanted = mix * wanted + (1 - mix) * wanted[::-1]
        with tf.GradientTape() as tape:
            answers = predict(self._wrapped, maps, training=True)
            likely = tf.math.log(tf.maximum(answers, tf_keras.backend.epsilon()))
            loss = -tf.reduce_mean(tf.reduce_sum(wanted * likely, axis=1))
            total = tf.add_n([loss, *self._wrapped.losses])
        variables = self._wrapped.trainable_variables
        self._optimizer.learning_rate.assign(rate)
        self._optimizer.apply_gradients(zip(tape.gradient(total, variables), variables))
        return loss


class _AsTold(PruningSchedule):
    """A schedule that is due when training says so: when masks are renewed is decided there."""

    def __init__(self) -> None:
        self.due = tf.Variable(False, trainable=False)
        self.sparsity = tf.Variable(0.0, trainable=False)

    def __call__(self, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Tell whether masks are due, and the sparsity they bring."""
        return self.due.read_value(), self.sparsity.read_value()

    def get_config(self) -> dict[str, Any]:
        """Return nothing: it is never stored."""
        return {}


def _wrapped(model: tf_keras.Model, schedule: PruningSchedule) -> tf_keras.Model:
    """Return the model with every layer that tfmot can prune in its wrapper, on shared weights."""

    def wrap(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        try:
            return prune_low_magnitude(layer, pruning_schedule=schedule)
        except ValueError:  # It knows nothing of this kind of layer.
            return layer

    return tf_keras.models.clone_model(model, clone_function=wrap)
