"""The clips of a sweep: opened once, carried to every worker, prepared once at each rate."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sweep import cache
from sweep.audio import layout, silence
from sweep.audio.balance import Balance
from sweep.audio.clips import VERSION, examine, read_clip, read_whole
from sweep.audio.dataset_spec import CLIP_LENGTHS_IN_S, DatasetSpec
from sweep.audio.location import locate, split_rule, stamp
from sweep.audio.long_recordings import long_recordings
from sweep.audio.open_set import select
from sweep.audio.reading import Reading, read
from sweep.audio.sources.base import Progress
from sweep.audio.sources.lookup import is_folder
from sweep.audio.speakers import Speakers
from sweep.audio.splits import SPLITS, advice, split_clips
from sweep.candidate import digest
from sweep.errors import DataError

SEARCHED = ("training", "validation")
"""The splits that a search reads."""
_ANY_RATE = 16000

_LONG = "_long_recordings_"
_HELD_WHOLE = 0.95
_LENGTH_STEP_IN_S = 0.05


@dataclass(frozen=True)
class Dataset:
    """A handle on clips; it holds names and digests only, so that it travels lightly.

    No testing clip is read before its name, target or waveform is asked for.

    Attributes:
        spec: what was opened, its ``clip_length_in_s`` a number.
        fingerprint: digest of the labels, of the training, validation and background recordings,
            of the long recordings for validation, and of the names of the testing clips.
        skipped: one line for each recording left out because it cannot be used; those for
            testing are told by ``skipped_in``.
        noted: one line for each recording that is used, though not as its file has it.
        listed: names of the clips of each split; for testing all there are, usable or not.
        readings: what reading the clips for training and validation gave.
        noises: names of the background recordings.
        folds: the same clips once for each fold of a cross-validation, held out for validation;
            see ``folds.with_folds``.  Without any, accuracies count the validation clips.
        place: the folder of the recordings, if it is not that of ``spec``.
    """

    spec: DatasetSpec
    fingerprint: str
    skipped: tuple[str, ...]
    noted: tuple[str, ...]
    listed: Mapping[str, tuple[str, ...]]
    readings: Mapping[str, Reading]
    noises: tuple[str, ...]
    folds: tuple["Dataset", ...] = ()
    place: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder of the recordings.

        Raises:
            DataError: if it cannot be had.
        """
        return self.place or locate(self.spec)

    @property
    def long_files(self) -> dict[str, Path]:
        """The files of the long recordings that a search reads, by their names in ``kept_in``."""
        streams = self.spec.streams
        found = long_recordings(streams.recordings if streams else None, SEARCHED[1])
        return {f"{_LONG}/{SEARCHED[1]}/{file.name}": file for one in found for file in one.files}

    def kept_in(self, place: Path) -> "Dataset":
        """Return the same dataset with its recordings in another folder."""
        spec, streams = self.spec, self.spec.streams
        if streams and streams.recordings:
            spec = replace(spec, streams=replace(streams, recordings=str(place / _LONG)))
        folds = tuple(fold.kept_in(place) for fold in self.folds)
        return replace(self, spec=spec, place=place, folds=folds)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the network's outputs."""
        return self.spec.outputs

    @property
    def clip_length_in_s(self) -> float:
        """The length of every clip."""
        length = self.spec.clip_length_in_s
        assert length != "auto"
        return length

    @property
    def counts(self) -> dict[str, int]:
        """The number of clips in each split; for testing by their names alone."""
        return {split: len(self.listed[split]) for split in SPLITS}

    @property
    def speakers(self) -> Speakers:
        """Who speaks in each split, by the names of the clips."""
        spoken = {
            split: [name for name in names if self.spec.clip(name).label != layout.SILENCE]
            for split, names in self.listed.items()
        }
        return Speakers.of(spoken, self.spec.label_from)

    def names(self, split: str) -> list[str]:
        """Return the names of the clips of a split, as paths below the folder."""
        return list(self._reading(split).names)

    def targets(self, split: str) -> np.ndarray:
        """Return the place of each clip's word in ``labels``, int64 [clips]."""
        place = {label: i for i, label in enumerate(self.labels)}
        labels = (self.spec.clip(name).label for name in self.names(split))
        return np.array([place[label] for label in labels], np.int64)

    def balance(self, split: str) -> Balance:
        """Return how many clips each label has in a split."""
        return Balance.of_targets(self.labels, self.targets(split))

    def skipped_in(self, split: str) -> tuple[str, ...]:
        """Return one line for each clip of a split that was left out because it cannot be used."""
        return self._reading(split).skipped

    def waveforms(self, split: str, rate: int) -> np.ndarray:
        """Return the clips of a split at ``rate`` Hz: int16 [clips, samples], of equal length.

        The array is a read-only map of a file that is written once for each rate.

        Raises:
            DataError: if recordings have changed since the dataset was opened, or none is usable.
        """
        entry = self._prepared(split, rate)
        with cache.readable(entry):
            flat = np.memmap(entry / "waveforms", "<i2", "r")
            return flat.reshape(-1, round(rate * self.clip_length_in_s))

    def noise(self, rate: int) -> np.ndarray:
        """Return the background recordings at ``rate`` Hz, one after another: float32 [samples]."""
        if not self.noises:
            return np.zeros(0, np.float32)

        def build(scratch: Path) -> None:
            folder = self.folder
            with open(scratch / "noise", "wb") as file:
                for name in self.noises:
                    file.write(read_whole(folder / name, rate).astype("<f4").tobytes())

        entry = cache.entry("datasets", f"{self.fingerprint}-noise-{rate}", build)
        with cache.readable(entry):
            return np.memmap(entry / "noise", "<f4", "r")

    def _reading(self, split: str) -> Reading:
        if split in self.readings:
            return self.readings[split]
        entry = self._prepared(split, _ANY_RATE)
        with cache.readable(entry):
            record = json.loads((entry / "clips.json").read_text())
            if not set(record["names"]) <= set(self.listed[split]):
                raise ValueError("names of no clips")
            return Reading(tuple(record["names"]), tuple(record["skipped"]), (), record["content"])

    def _prepared(self, split: str, rate: int) -> Path:
        """Return the cache entry with the waveforms of a split."""
        listed, samples = self.listed[split], round(rate * self.clip_length_in_s)

        def build(scratch: Path) -> None:
            with open(scratch / "waveforms", "wb") as file:

                def keep(path: Path) -> None:
                    file.write(read_clip(path, rate, samples).tobytes())

                reading = read(self.folder, listed, keep)
            self._check_unchanged(split, reading)
            record = {
                "names": reading.names,
                "skipped": reading.skipped,
                "content": reading.content,
            }
            (scratch / "clips.json").write_text(json.dumps(record))

        key = f"{self.fingerprint}-{split}-{rate}-{samples}"
        if split not in self.readings:
            key += f"-{stamp(self.folder, listed)}"
        return cache.entry("datasets", key, build)

    def _check_unchanged(self, split: str, reading: Reading) -> None:
        if split in self.readings and reading.content != self.readings[split].content:
            raise DataError(
                f"{self.spec.source}: {split} clips have changed since the dataset was opened; "
                "start again"
            )
        _check_every_label(self.spec, split, reading)


def open_dataset(spec: DatasetSpec, progress: Progress | None = None) -> Dataset:
    """Find, split and read the clips that ``spec`` asks for; download or make them if need be.

    Training and validation clips are decoded once, and the unusable ones left out; testing clips
    are listed, not read.

    Args:
        spec: what to open; a relative folder is looked up from the working directory.
        progress: called with what is being done and the share of it that is done, 0 to 1.

    Raises:
        DataError: if the recordings are missing, do not fit the labels or cannot be split.
    """
    spec = replace(spec, labels=tuple(map(layout.check_label, spec.labels)))
    if len(set(spec.labels)) < len(spec.labels) or not spec.labels:
        raise DataError("name at least one label, and none twice")
    if is_folder(spec.source):
        spec = replace(spec, source=_absolute(spec.source))
    else:
        spec = replace(spec, label_from="folder")
    if spec.unknown and spec.unknown.folder:
        unknown = replace(spec.unknown, folder=_absolute(spec.unknown.folder))
        spec = replace(spec, unknown=unknown)
    if spec.streams and spec.streams.recordings:
        where = _absolute(spec.streams.recordings)
        spec = replace(spec, streams=replace(spec.streams, recordings=where))
        for split in SPLITS[1:]:
            for recording in long_recordings(where, split):
                recording.spoken(spec.labels)
    folder = locate(spec, progress)
    clips = layout.find_clips(folder, spec.label_from)
    _check_labels(folder, spec, clips)
    words: dict[str, str] = {}
    if spec.unknown:
        unknown = spec.unknown.settled(spec.labels, {clip.label for clip in clips}, spec.seed)
        spec = replace(spec, unknown=unknown)
        words = {clip.name: clip.label for clip in clips if clip.label in unknown.words}
    clips = [spec.clip(c.name) for c in clips if c.label in spec.labels or c.name in words]
    dealt = split_clips(clips, split_rule(spec, folder), spec.label_from)
    slices = silence.slice_names(folder)
    listed = select(dealt, words, spec.unknown, spec.silence, slices, spec.seed)
    return read_splits(spec, listed, progress)


def read_splits(
    spec: DatasetSpec, splits: Mapping[str, Iterable[str]], progress: Progress | None = None
) -> Dataset:
    """Read the clips of training and validation, by name; see ``open_dataset``.

    Args:
        spec: where they come from; its own rule of splitting is not looked at.
        splits: the names of the clips of each split.
        progress: as for ``open_dataset``.

    Raises:
        DataError: if a split lacks a word.
    """
    folder, listed = locate(spec), {split: tuple(splits[split]) for split in SPLITS}
    lengths: list[float] = []

    def measure(path: Path) -> str | None:
        recording = examine(path)
        lengths.append(recording.length_in_s)
        return recording.note

    readings = {split: read(folder, listed[split], measure, progress) for split in SEARCHED}
    noises = read(folder, layout.noise_names(folder), lambda path: examine(path).note)
    listed |= {split: reading.names for split, reading in readings.items()}
    for split in SPLITS:
        _check_every_label(spec, split, readings.get(split, Reading(listed[split], (), (), "")))
    every = [*readings.values(), noises]
    contents = [reading.content for reading in every]
    made_of = fingerprint(spec, contents, listed["testing"])
    if spec.clip_length_in_s == "auto":
        spec = replace(spec, clip_length_in_s=typical_length(lengths))
    skipped = tuple(line for reading in every for line in reading.skipped)
    noted = tuple(line for reading in every for line in reading.noted)
    return Dataset(spec, made_of, skipped, noted, listed, readings, noises.names)


def fingerprint(spec: DatasetSpec, contents: Sequence[str], testing: Sequence[str]) -> str:
    """Return the fingerprint of a dataset.

    Args:
        spec: what was opened.
        contents: digests of the recordings for training, for validation, and of background.
        testing: the names of the testing clips.
    """
    streams = spec.streams
    found = long_recordings(streams.recordings if streams else None, SEARCHED[1])
    long = [read(one.path.parent, [file.name for file in one.files], _as_it_is) for one in found]
    return digest([VERSION, spec.outputs, contents, testing, *(one.content for one in long)])


def typical_length(lengths_in_s: Sequence[float]) -> float:
    """Return the length of clips that holds 95 % of recordings whole, rounded up to 0.05 s.

    It is never outside ``CLIP_LENGTHS_IN_S``.
    """
    length = float(np.quantile(lengths_in_s, _HELD_WHOLE, method="inverted_cdf"))
    steps = math.ceil(round(length / _LENGTH_STEP_IN_S, 6))
    shortest, longest = CLIP_LENGTHS_IN_S
    return min(max(round(steps * _LENGTH_STEP_IN_S, 2), shortest), longest)


def _absolute(folder: str) -> str:
    """Return a folder as workers with another working directory find it."""
    return str(Path(folder).expanduser().absolute())


def _as_it_is(path: Path) -> None:
    """Use a file for nothing but its digest."""


def _check_labels(folder: Path, spec: DatasetSpec, clips: Iterable[layout.Clip]) -> None:
    known = sorted({clip.label for clip in clips})
    missing = [label for label in spec.labels if label not in known]
    if not missing:
        return
    message = f"{folder}: no clips of {', '.join(missing)}; there are: {', '.join(known)}"
    if spec.label_from == "folder" and set(missing) <= set(layout.words_in_names(folder)):
        message += "; names of files begin with them: write label_from: name"
    raise DataError(message)


def _check_every_label(spec: DatasetSpec, split: str, reading: Reading) -> None:
    found = {spec.clip(name).label for name in reading.names}
    missing = [label for label in spec.outputs if label not in found]
    if missing:
        skipped = reading.skipped
        unusable = f" ({len(skipped)} cannot be used, such as {skipped[0]})" if skipped else ""
        raise DataError(
            f"{spec.source}: no usable clip of {', '.join(missing)} for {split}{unusable}; "
            f"{advice(spec.split, split)}"
        )
