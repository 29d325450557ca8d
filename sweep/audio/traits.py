"""What a recording is like, whatever is said in it."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sweep.audio.recording import Recording

_FRAME_IN_S = 0.02
_FFT_LENGTH = 512
_FAINTEST_DBFS = -100.0
_AUDIBLE = 10 * (2.0**-15) ** 2 / 12
"""Ten times the power of the noise, white, that rounding to 16 bits adds; full scale is 1."""


@dataclass(frozen=True)
class Traits:
    """Measures of a recording.

    Attributes:
        rate_hz: its sampling rate.
        form: container, encoding and channels of the file.
        length_in_s: its length.
        level_dbfs: its root mean square over the whole length, relative to full scale.
        floor_dbfs: the level below which a tenth of its frames of 20 ms are.
        bandwidth_hz: the highest frequency that stands out from the rounding noise of 16 bits.
    """

    rate_hz: int
    form: str
    length_in_s: float
    level_dbfs: float
    floor_dbfs: float
    bandwidth_hz: float


def measure(path: Path) -> Traits:
    """Measure a recording, block by block.

    Raises:
        DataError: if it cannot be read.
    """
    recording = Recording(path)
    frame = max(1, round(recording.rate * _FRAME_IN_S))
    window = np.hanning(_FFT_LENGTH).astype(np.float32)
    powers, spectra = [], []
    for block in recording:
        powers.append(np.mean(_rows(block, frame) ** 2, axis=1))
        transformed = np.fft.rfft(_rows(block, _FFT_LENGTH) * window)
        spectra.append(np.mean(np.abs(transformed) ** 2, axis=0) / np.sum(window**2))
    scale = recording.full_scale**2
    power, density = np.concatenate(powers) / scale, np.mean(spectra, axis=0) / scale
    audible = np.flatnonzero(density > _AUDIBLE)
    return Traits(
        rate_hz=recording.rate,
        form=recording.form,
        length_in_s=recording.length_in_s,
        level_dbfs=_dbfs(float(np.mean(power))),
        floor_dbfs=_dbfs(float(np.quantile(power, 0.1))),
        bandwidth_hz=float(audible[-1]) * recording.rate / _FFT_LENGTH if len(audible) else 0.0,
    )


def _rows(block: np.ndarray, length: int) -> np.ndarray:
    """Return a block as rows of a length, its last samples left out, or padded to one row."""
    if len(block) < length:
        return np.pad(block, (0, length - len(block)))[None]
    return block[: len(block) // length * length].reshape(-1, length)


def _dbfs(power: float) -> float:
    return max(_FAINTEST_DBFS, 10 * math.log10(max(power, 1e-30)))
