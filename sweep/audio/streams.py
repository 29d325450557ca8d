"""Long streams of sound with words at known times, made from the clips of a split."""

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import cycle
from pathlib import Path

import numpy as np

from sweep import cache
from sweep.arrays import blocks, to_float
from sweep.audio.clips import to_int16
from sweep.audio.dataset import Dataset
from sweep.audio.layout import SILENCE
from sweep.audio.long_recordings import long_recordings
from sweep.audio.open_set import FEWEST_KEYWORDS, StreamSpec
from sweep.audio.sound import of_recording
from sweep.audio.spoken import Spoken, Stream
from sweep.audio.synthesis import coloured_noise
from sweep.candidate import digest
from sweep.errors import DataError, SweepError

_VERSION = 2
"""Counts up when streams are made differently, so that old cache entries lapse."""

_KIND, _SAMPLES = "streams", "samples"

_LEAST_DISTANCE = 0.8
"""From the start of one clip to that of the next at least, in clips: their edges may overlap."""
_STEADY = (0.1, 0.7)
"""The part of a clip during which the level of the noise stays; it moves between."""
_FADE_IN_S = 0.01
_LEAST_RMS = 1e-4
_WORD_ENERGY = (0.02, 0.98)
"""A word lasts from where so much of its clip's energy has passed to where so much has."""
_RUN, _NEAR = 40, 20
"""So many slices of background in a row are drawn from so many neighbours: mostly one recording."""
_COLOURED_SLICES = 400


def stream_of(dataset: Dataset, split: str, rate: int) -> Stream:
    """Return the stream of a split at ``rate`` Hz, made once and then a read-only memory map.

    Of every kind, keyword or other, each clip is spoken once before any is spoken again.  The
    background is that of the split's ``_silence_``, coloured noise where there is none.  The long
    recordings of the split follow, each after a clip's length of zeros.

    Args:
        dataset: the clips; its spec says how long the stream is and what it holds.
        split: whose clips; the testing split is read only if it is asked for.
        rate: sampling rate in Hz.

    Raises:
        DataError: if recordings have changed since the dataset was opened, or too few keywords
            are said in them.
    """
    spec = dataset.spec.streams
    assert spec is not None
    clips, targets = dataset.waveforms(split, rate), dataset.targets(split)
    labels = [dataset.labels[target] for target in targets]
    names = dataset.names(split)
    maker = StreamMaker(clips, labels, names, dataset.spec.labels, spec, rate)

    recorded = long_recordings(spec.recordings, split)

    def build(folder: Path) -> None:
        spoken = [*maker.spoken]
        with open(folder / _SAMPLES, "wb") as file:
            for block in maker.blocks() if maker.samples else ():
                file.write(block.tobytes())
            for recording in recorded:
                file.write(bytes(2 * clips.shape[1]))
                begins_in_s = file.tell() / 2 / rate
                spoken += [
                    word.later(begins_in_s) for word in recording.spoken(dataset.spec.labels)
                ]
                for block in of_recording(recording.path, rate):
                    file.write(to_int16(block).tobytes())
        if not maker.samples:
            _check_keywords(spoken, dataset, split)
        told = json.dumps([asdict(word) for word in spoken])
        (folder / "spoken.json").write_text(told, encoding="utf-8")

    content = hashlib.sha256()
    for block in blocks(clips, 1024):
        content.update(block.tobytes())
    key = digest(
        [
            _VERSION,
            content.hexdigest(),
            names,
            labels,
            asdict(spec),
            rate,
            *(one.stamp for one in recorded),
        ]
    )
    folder = cache.entry(_KIND, key, build)
    spoken = json.loads((folder / "spoken.json").read_text(encoding="utf-8"))
    words = tuple(Spoken(**word) for word in spoken)
    return Stream(sound_of(key), rate, words, key)


def _check_keywords(spoken: Sequence[Spoken], dataset: Dataset, split: str) -> None:
    said = sum(word.label in dataset.spec.labels for word in spoken)
    if said < FEWEST_KEYWORDS:
        raise DataError(
            f"dataset.streams: {said} keywords are said in the recordings for {split}, too few to"
            " count misses; add times to the recordings, or hours made of clips"
        )


def sound_of(key: str) -> np.ndarray:
    """Return the samples of a stream that was made on this machine, int16, a read-only memory map.

    Args:
        key: of the stream.

    Raises:
        SweepError: if it is not in the cache any more.
    """
    if not key.isalnum():
        raise DataError(f"{key!r} is the key of no stream")
    with cache.only_reading():
        folder = cache.entry(_KIND, key, lambda folder: None)
    with cache.readable(folder):
        return np.memmap(folder / _SAMPLES, "<i2", "r")


def is_kept(key: str) -> bool:
    """Tell whether the sound of a stream is in the cache of this machine."""
    try:
        sound_of(key)
    except (SweepError, OSError, ValueError):
        return False
    return True


class StreamMaker:
    """Draws what is spoken when, then makes the sound of it block by block.

    Args:
        clips: int16 ``[clips, samples]``.
        labels: of the clips; those that are neither of ``keywords`` nor ``_silence_`` are others.
        names: of the clips.
        keywords: the labels of keywords.
        spec: what the stream holds.
        rate: sampling rate in Hz.

    Attributes:
        samples: how many there will be.
        spoken: the words, in the order of their starts.
    """

    def __init__(
        self,
        clips: np.ndarray,
        labels: Sequence[str],
        names: Sequence[str],
        keywords: Sequence[str],
        spec: StreamSpec,
        rate: int,
    ) -> None:
        self.samples = round(spec.hours * 3600 * rate)
        self._clips, self._rate, self._length = clips, rate, clips.shape[1]
        self._rng = np.random.default_rng(spec.seed)
        kinds = np.array([(label in keywords) - (label == SILENCE) for label in labels])
        self._background = np.flatnonzero(kinds == -1)
        starts, indices = self._drawn(np.flatnonzero(kinds == 1), np.flatnonzero(kinds == 0), spec)
        snrs = self._rng.uniform(*spec.snr_db, len(starts))
        rms = np.array([max(_rms(self._clip(i)), _LEAST_RMS) for i in indices])
        self._words = list(zip(starts.tolist(), indices.tolist(), strict=True))
        self._levels_db = np.repeat(20 * np.log10(rms) - snrs, len(_STEADY))
        self._places = (starts[:, None] + np.array(_STEADY) * self._length).ravel()
        self.spoken = tuple(
            self._spoken(labels[i], names[i], i, start, float(snr))
            for (start, i), snr in zip(self._words, snrs, strict=True)
        )

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the stream from first to last, int16, some samples at once."""
        waiting, sounding = deque(self._words), list[tuple[int, np.ndarray]]()
        first = 0
        for block in self._noise():
            end = first + len(block)
            level_db = np.interp(np.arange(first, end), self._places, self._levels_db)
            block *= (10 ** (level_db / 20)).astype(np.float32)
            while waiting and waiting[0][0] < end:
                start, index = waiting.popleft()
                sounding.append((start, self._clip(index) * self._fade()))
            for start, clip in sounding:
                begin, stop = max(start, first), min(start + self._length, end)
                block[begin - first : stop - first] += clip[begin - start : stop - start]
            sounding = [one for one in sounding if one[0] + self._length > end]
            yield to_int16(block[: self.samples - first])
            if end >= self.samples:
                return
            first = end

    def _drawn(
        self, keywords: np.ndarray, others: np.ndarray, spec: StreamSpec
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the first sample and the index of every clip that is spoken."""
        least = _LEAST_DISTANCE * self._length
        mean = max(3600 * self._rate / spec.words_per_hour - least, 0.0)
        count = round(spec.hours * spec.words_per_hour) + 1
        starts = np.cumsum(least + self._rng.exponential(mean, count)).astype(np.int64)
        starts = starts[starts + self._length <= self.samples]
        of_keyword = self._rng.random(len(starts)) < spec.keyword_share
        indices = np.full(len(starts), -1)
        for chosen, clips in ((of_keyword, keywords), (~of_keyword, others)):
            if len(clips):
                indices[chosen] = np.resize(self._rng.permutation(clips), chosen.sum())
        return starts[indices >= 0], indices[indices >= 0]

    def _noise(self) -> Iterator[np.ndarray]:
        """Yield noise of unit power without end: slices of background that fade into each other."""
        slices = [self._clip(i) for i in self._background.tolist()]
        slices = [one / _rms(one) for one in slices if _rms(one) > _LEAST_RMS]
        if not slices:
            noise = coloured_noise(_COLOURED_SLICES * self._length, 1.0, self._rng)
            slices = [*noise.reshape(-1, self._length)]
        half = self._length // 2
        rising = np.sin(np.pi / 2 * (np.arange(half) + 0.5) / half).astype(np.float32)
        before = np.zeros(half, np.float32)
        for place in cycle(range(_RUN)):
            if place == 0:
                start = int(self._rng.integers(len(slices)))
            one = slices[(start + int(self._rng.integers(_NEAR))) % len(slices)]
            yield before + one[:half] * rising
            before = one[half : 2 * half] * rising[::-1]

    def _spoken(self, label: str, name: str, index: int, start: int, snr_db: float) -> Spoken:
        energy = np.cumsum(np.square(self._clip(index), dtype=np.float64))
        ends = start + np.searchsorted(energy, np.multiply(_WORD_ENERGY, energy[-1]))
        first, last = (ends / self._rate).tolist()
        return Spoken(label, name, first, last, snr_db)

    def _clip(self, index: int) -> np.ndarray:
        return to_float(self._clips[index])

    def _fade(self) -> np.ndarray:
        edge = np.arange(1, round(_FADE_IN_S * self._rate) + 1, dtype=np.float32)
        shape = np.ones(self._length, np.float32)
        shape[: len(edge)] = edge / len(edge)
        return shape * shape[::-1]


def _rms(clip: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(clip, dtype=np.float64))))
