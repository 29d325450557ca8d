"""A front end from outside: mel bands with automatic gain control per channel.

parameters: {frontend: pcen:PCEN, smoothing: [0.02, 0.1]}
"""

import tensorflow as tf

import sweep
from sweep.frontends.mel import MelFrontend


class PCEN(MelFrontend):
    """After Wang et al., "Trainable Frontend for Robust and Far-Field Keyword Spotting", 2017."""

    smoothing: float = sweep.parameter(0.04, low=0.001, high=1, log=True, meaning="of the level")
    gain: float = sweep.parameter(0.98, low=0, high=1, meaning="how much of the level is taken out")
    root: float = sweep.parameter(0.5, low=0.05, high=1, meaning="exponent of what is left")

    def from_bands(self, bands):
        """Return features for magnitudes in mel bands, ``[clips, frames, num_mel_bins]``."""
        frames = self.shape[0]
        # The level at each frame is a weighted sum of the bands so far: one matrix product.
        ages = tf.range(frames)[:, None] - tf.range(frames)[None, :]
        decay = tf.pow(1 - self.smoothing, tf.cast(tf.maximum(ages, 0), tf.float32))
        weights = tf.where(ages >= 0, self.smoothing * decay, 0.0)
        level = tf.matmul(weights, bands)
        return tf.pow(bands / tf.pow(level + 1e-6, self.gain) + 2.0, self.root) - 2.0**self.root
