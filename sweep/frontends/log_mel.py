"""The logarithm of mel bands."""

from typing import Any

from sweep.frontends.mel import LEAST_MAGNITUDE, MelFrontend, normalization, without_mean


class LogMel(MelFrontend):
    """The logarithm of each mel band."""

    normalization: str = normalization()

    @property
    def is_by_frame(self) -> bool:
        """Whether no mean over the clip is taken out."""
        return self.normalization != "per_clip"

    @property
    def is_standardised(self) -> bool:
        """Whether each coefficient's mean and deviation over the training clips are taken out."""
        return self.normalization != "none"

    def from_bands(self, bands: Any) -> Any:
        """Return features for magnitudes in mel bands, ``[clips, frames, num_mel_bins]``."""
        import tensorflow as tf

        features = tf.math.log(bands + LEAST_MAGNITUDE)
        return without_mean(features) if self.normalization == "per_clip" else features
