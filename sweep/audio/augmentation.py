"""Varied copies of training clips: faster or slower, in rooms, shifted, by gain, with noise."""

from collections.abc import Iterator

import numpy as np
import soxr
from scipy.signal import fftconvolve

from sweep.arrays import blocks
from sweep.audio.rooms import random_room
from sweep.candidate import AugmentationParams

RENDERINGS = 8
"""How many forms of a training clip there are; the first is the clip itself."""

_SNR_SPAN_DB = 30.0
_SILENCE = 1e-9
_ROOMS = 16
"""So many rooms there are for the clips of a rendering."""
_WHITE_NOISE_IN_S = 60


def render(
    waveforms: np.ndarray,
    noise: np.ndarray,
    augmentation: AugmentationParams,
    rate: int,
    seed: int,
    at_once: int = 128,
) -> Iterator[np.ndarray]:
    """Yield one varied copy of every clip, in order, some clips at once.

    A clip gets faster or slower, its middle staying where it is; half of the clips are put into
    rooms of random size, as loud as before.  It is shifted by a whole number of samples (silence
    moves in), scaled by its gain, then mixed with noise at a signal-to-noise ratio drawn between
    ``noise_snr_db`` and 30 dB above it: white for half of the clips, a stretch of the background
    recordings for the others.

    Args:
        waveforms: int16 ``[clips, samples]``.
        noise: float32 ``[samples]``, background recordings in -1..1; may be empty.
        augmentation: what to vary, and how far.
        rate: sampling rate in Hz.
        seed: equal seeds give equal copies, however many are made at once.
        at_once: how many clips to yield at once.

    Yields:
        float32 ``[at most at_once, samples]``, clipped to -1..1.
    """
    rng = np.random.default_rng(seed)
    count, samples = len(waveforms), waveforms.shape[1]
    most = int(augmentation.time_shift_ms * rate / 1000)
    shifts = rng.integers(-most, most + 1, size=count)
    gains_db = rng.uniform(-augmentation.gain_db, augmentation.gain_db, size=count)
    scales = (10 ** (gains_db / 20) / 32768).astype(np.float32)
    stretches = _Noise(count, samples, noise, augmentation.noise_snr_db, rate, rng)
    speeds = rng.uniform(1 - augmentation.speed, 1 + augmentation.speed, size=count)
    rooms = _Rooms(count, augmentation.reverberation_s, rate, rng)
    first = 0
    for block in blocks(waveforms, at_once):
        varied = np.zeros(block.shape, np.float32)
        # One clip after the other, so that it stays in the processor's cache.
        for i, clip in enumerate(varied, start=first):
            begin, end = max(0, shifts[i]), samples + min(0, shifts[i])
            spoken = rooms.put(at_speed(block[i - first], speeds[i]), i)
            kept = spoken[begin - shifts[i] : end - shifts[i]]
            np.multiply(kept, scales[i], out=clip[begin:end])
            stretches.mix_into(clip, i)
            np.clip(clip, -1, 1, out=clip)
        first += len(block)
        yield varied


def at_speed(clip: np.ndarray, speed: float) -> np.ndarray:
    """Return a clip that many times as fast, of the same length; its pitch rises with it.

    Args:
        clip: int16 ``[samples]``.
        speed: as a factor; 1 leaves it as it is.
    """
    if speed == 1:
        return clip
    changed = soxr.resample(clip.astype(np.float32), speed, 1.0)
    before = (len(changed) - len(clip)) // 2
    if before >= 0:
        return changed[before : before + len(clip)]
    return np.pad(changed, (-before, len(clip) - len(changed) + before))


class _Rooms:
    """Half of the clips in a room each, one of some."""

    def __init__(
        self, clips: int, longest_in_s: float, rate: int, rng: np.random.Generator
    ) -> None:
        self._responses: list[np.ndarray] = []
        if longest_in_s > 0:
            self._responses = [random_room(longest_in_s, rate, rng) for _ in range(_ROOMS)]
            self._chosen = rng.integers(2 * _ROOMS, size=clips)

    def put(self, clip: np.ndarray, index: int) -> np.ndarray:
        """Return a clip in its room, if it has one, as loud as before."""
        if not self._responses or self._chosen[index] >= _ROOMS:
            return clip
        response, dry = self._responses[self._chosen[index]], clip.astype(np.float32)
        wet = fftconvolve(dry, response)[: len(dry)]
        return wet * np.float32(_rms(dry) / max(_rms(wet), _SILENCE))


class _Noise:
    """A stretch of noise for each clip, and its loudness as a share of the clip's own."""

    def __init__(
        self,
        clips: int,
        samples: int,
        background: np.ndarray,
        lowest_snr_db: float | None,
        rate: int,
        rng: np.random.Generator,
    ) -> None:
        self._sources: list[np.ndarray] = []
        if lowest_snr_db is None:
            return
        white = rng.standard_normal(_WHITE_NOISE_IN_S * rate, dtype=np.float32)
        self._sources = [white, background] if len(background) > samples else [white]
        self._chosen = rng.integers(len(self._sources), size=clips)
        lengths = np.array([len(source) for source in self._sources])
        self._starts = rng.integers(lengths[self._chosen] - samples)
        snr_db = rng.uniform(lowest_snr_db, lowest_snr_db + _SNR_SPAN_DB, size=clips)
        self._loudness = 10 ** (-snr_db / 20)

    def mix_into(self, clip: np.ndarray, index: int) -> None:
        if not self._sources:
            return
        source, start = self._sources[self._chosen[index]], self._starts[index]
        added = np.asarray(source[start : start + len(clip)])
        clip += added * np.float32(self._loudness[index] * _rms(clip) / max(_rms(added), _SILENCE))


def _rms(clip: np.ndarray) -> float:
    return float(np.sqrt(np.einsum("i,i->", clip, clip) / len(clip)))
