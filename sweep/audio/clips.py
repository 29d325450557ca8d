"""One clip: decode it, bring it to a rate, fit it to one second."""

import os
from os import PathLike

import numpy as np
import soundfile
import soxr

from sweep.candidate import CLIP_LENGTH_IN_S
from sweep.errors import DataError

FULL_SCALE = 32768


def read_clip(path: str | PathLike[str], rate: int) -> np.ndarray:
    """Return one second of a recording as float32 [rate], in [-1, 1] for ordinary files.

    Shorter recordings are padded with zeros at their end, longer ones are cut to their loudest
    second.

    Raises:
        DataError: if the file cannot be read or holds no samples; the message names it.
    """
    samples, original_rate = decode(path)
    return fit_to_length(resample(samples, original_rate, rate), round(rate * CLIP_LENGTH_IN_S))


def decode(path: str | PathLike[str]) -> tuple[np.ndarray, int]:
    """Return a recording as float32 [samples], its channels averaged, and its rate in Hz.

    Raises:
        DataError: if the file cannot be read or holds no samples; the message names it.
    """
    try:
        # libsndfile tells a file that cannot be opened and one that is no sound in the same words.
        open(path, "rb").close()
        # By its path: reading from a Python file drops an interrupt, and calls the clip damaged.
        with soundfile.SoundFile(os.fsencode(path)) as sound:
            expected, rate = sound.frames, sound.samplerate
            samples = sound.read(dtype="float32", always_2d=True)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (soundfile.SoundFileError, RuntimeError, ValueError, MemoryError) as error:
        raise DataError(f"{path}: not a readable audio file") from error
    if len(samples) < expected:
        raise DataError(f"{path}: ends after {len(samples)} of its {expected} samples")
    if len(samples) == 0:
        raise DataError(f"{path}: holds no samples")
    if not np.isfinite(samples).all():
        raise DataError(f"{path}: holds samples that are not finite numbers")
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
    return np.ascontiguousarray(mono), rate


def resample(samples: np.ndarray, original_rate: int, rate: int) -> np.ndarray:
    """Return float32 [samples] brought from one rate in Hz to another."""
    if original_rate == rate:
        return samples
    return np.asarray(soxr.resample(samples, original_rate, rate), dtype=np.float32)


def fit_to_length(samples: np.ndarray, length: int) -> np.ndarray:
    """Return exactly ``length`` samples: zeros added at the end, or the loudest window kept."""
    if len(samples) <= length:
        return np.pad(samples, (0, length - len(samples)))
    energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return samples[start : start + length]


def to_int16(samples: np.ndarray) -> np.ndarray:
    """Return float samples as 16-bit integers, rounded and clipped."""
    whole = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    return np.asarray(whole, dtype="<i2")


def to_float(samples: np.ndarray) -> np.ndarray:
    """Return 16-bit samples as float32, in [-1, 1)."""
    return samples.astype(np.float32) / np.float32(FULL_SCALE)
