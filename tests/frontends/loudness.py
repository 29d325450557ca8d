"""A front end that has no frames."""

import tensorflow as tf

from sweep.frontends.base import Frontend
from sweep.parameters import parameter


class Loudness(Frontend):
    """A front end that knows nothing of mel bands: the loudness of each stretch of a clip."""

    stretches: int = parameter(20, low=3, high=100, meaning="stretches that a clip is cut into")

    @property
    def shape(self):
        return self.stretches, 3

    def features(self, waveforms):
        size = self.num_samples // self.stretches
        cut = tf.reshape(waveforms[:, : size * self.stretches], (-1, self.stretches, size))
        power = tf.reduce_mean(tf.square(cut), axis=2, keepdims=True)
        peak = tf.reduce_max(tf.abs(cut), axis=2, keepdims=True)
        return tf.concat([power, peak, tf.sqrt(power)], axis=2)
