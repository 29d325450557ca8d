"""Varied copies of training clips: shifted, louder or softer, with noise."""

import numpy as np

from sweep.candidate import AugmentationParams

RENDERINGS = 8
"""How many forms of a training clip there are; the first is the clip itself."""

_SNR_SPAN_DB = 30.0
_SILENCE = 1e-9
_WHITE_NOISE_IN_S = 60


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
    count, samples = len(waveforms), waveforms.shape[1]
    most = int(augmentation.time_shift_ms * rate / 1000)
    shifts = rng.integers(-most, most + 1, size=count)
    gains_db = rng.uniform(-augmentation.gain_db, augmentation.gain_db, size=count)
    noises = _stretches_of_noise(count, samples, noise, augmentation.noise_snr_db, rate, rng)
    varied = np.zeros(waveforms.shape, np.float32)
    # One clip after the other, so that it stays in the processor's cache.
    for i, clip in enumerate(varied):
        begin, end = max(0, shifts[i]), samples + min(0, shifts[i])
        kept = waveforms[i, begin - shifts[i] : end - shifts[i]]
        np.multiply(kept, np.float32(10 ** (gains_db[i] / 20) / 32768), out=clip[begin:end])
        added, loudness = noises[i]
        if loudness > 0:
            clip += added * np.float32(loudness * _rms(clip) / max(_rms(added), _SILENCE))
        np.clip(clip, -1, 1, out=clip)
    return varied


def _stretches_of_noise(
    clips: int,
    samples: int,
    background: np.ndarray,
    lowest_snr_db: float | None,
    rate: int,
    rng: np.random.Generator,
) -> list[tuple[np.ndarray, float]]:
    """Return for each clip a stretch of noise and its loudness, as a share of the clip's own."""
    if lowest_snr_db is None:
        return [(background, 0.0)] * clips
    white = rng.standard_normal(_WHITE_NOISE_IN_S * rate, dtype=np.float32)
    sources = [white, np.asarray(background)] if len(background) > samples else [white]
    chosen = [sources[i] for i in rng.integers(len(sources), size=clips)]
    starts = rng.integers([len(source) - samples for source in chosen])
    snr_db = rng.uniform(lowest_snr_db, lowest_snr_db + _SNR_SPAN_DB, size=clips)
    stretches = [source[start:][:samples] for source, start in zip(chosen, starts, strict=True)]
    return list(zip(stretches, (10 ** (-snr_db / 20)).tolist(), strict=True))


def _rms(clip: np.ndarray) -> float:
    return float(np.sqrt(np.einsum("i,i->", clip, clip) / len(clip)))
