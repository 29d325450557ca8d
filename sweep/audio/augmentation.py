"""Varied copies of training clips: shifted, louder or softer, with noise."""

import numpy as np

from sweep.candidate import AugmentationParams

RENDERINGS = 8
"""How many forms of a training clip there are; the first is the clip itself."""

_SNR_SPAN_DB = 30.0
_WHITE_NOISE_IN_S = 60
_BATCH = 32


def render(
    waveforms: np.ndarray,
    noise: np.ndarray,
    augmentation: AugmentationParams,
    rate: int,
    seed: int,
) -> np.ndarray:
    """Return one varied copy of every clip.

    A clip is shifted by a whole number of samples (silence moves in), scaled by its gain, then
    mixed with noise at a signal-to-noise ratio drawn between ``noise_snr_db`` and 30 dB above it:
    white for half of the clips, a stretch of the background recordings for the others.

    Args:
        waveforms: int16 ``[clips, samples]``.
        noise: float32 ``[samples]``, background recordings in -1..1; may be empty.
        augmentation: what to vary, and how far.
        rate: sampling rate in Hz.
        seed: equal seeds give equal copies.

    Returns:
        float32 ``[clips, samples]``, clipped to -1..1.
    """
    rng = np.random.default_rng(seed)
    white = rng.standard_normal(_WHITE_NOISE_IN_S * rate, dtype=np.float32)
    sources = [white, noise] if len(noise) > waveforms.shape[1] else [white]
    varied = np.empty(waveforms.shape, np.float32)
    for start in range(0, len(waveforms), _BATCH):
        clips = waveforms[start : start + _BATCH].astype(np.float32) / 32768.0
        clips = _shift(clips, augmentation.time_shift_ms * rate / 1000, rng)
        gains_db = rng.uniform(-augmentation.gain_db, augmentation.gain_db, (len(clips), 1))
        clips *= (10 ** (gains_db / 20)).astype(np.float32)
        if augmentation.noise_snr_db is not None:
            clips += _noise_for(clips, sources, augmentation.noise_snr_db, rng)
        np.clip(clips, -1, 1, out=varied[start : start + _BATCH])
    return varied


def _shift(clips: np.ndarray, most: float, rng: np.random.Generator) -> np.ndarray:
    shifts = rng.integers(-int(most), int(most) + 1, len(clips))
    shifted = np.zeros_like(clips)
    for target, clip, by in zip(shifted, clips, shifts, strict=True):
        if by >= 0:
            target[by:] = clip[: len(clip) - by]
        else:
            target[:by] = clip[-by:]
    return shifted


def _noise_for(
    clips: np.ndarray, sources: list[np.ndarray], lowest_snr_db: float, rng: np.random.Generator
) -> np.ndarray:
    length = clips.shape[1]
    mixed = np.empty_like(clips)
    for target in mixed:
        source = sources[rng.integers(len(sources))]
        start = rng.integers(len(source) - length)
        target[:] = source[start : start + length]
    snr_db = rng.uniform(lowest_snr_db, lowest_snr_db + _SNR_SPAN_DB, (len(clips), 1))
    wanted = _rms(clips) * 10 ** (-snr_db / 20)
    return mixed * (wanted / np.maximum(_rms(mixed), 1e-9)).astype(np.float32)


def _rms(clips: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("ij,ij->i", clips, clips) / clips.shape[1])[:, None]
