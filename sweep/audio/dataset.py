"""The clips of a sweep: opened once, carried to every worker, prepared once at each rate."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from sweep import cache
from sweep.audio import layout, sources, synthesis
from sweep.audio.balance import Balance
from sweep.audio.clips import VERSION, examine, read_clip, read_whole
from sweep.audio.speakers import Speakers
from sweep.audio.splits import SPLITS, SplitRule, advice, split_clips
from sweep.candidate import digest
from sweep.errors import DataError

Progress = Callable[[str, float], None]
SEARCHED = ("training", "validation")
"""The splits that a search reads."""
_ANY_RATE = 16000

CLIP_LENGTHS_IN_S = (0.25, 4.0)
"""The shortest and the longest clip."""

_HELD_WHOLE = 0.95
_LENGTH_STEP_IN_S = 0.05


@dataclass(frozen=True)
class DatasetSpec:
    """Which clips to learn from, and how they are split.

    Attributes:
        source: one of ``sources.SOURCES``, such as ``"synthetic"``, or a folder of recordings.
        labels: the words, in the order of the network's outputs.
        split: ``"speaker"``, ``"folders"`` or a text file for each split; see ``split_clips``.  For
            ``"speaker"``, recordings that come with official lists are split by these.
        label_from: where the word of a recording is, for a folder only; see ``find_clips``.
        clip_length_in_s: length of a clip; ``"auto"`` goes by the recordings, see
            ``typical_length``.
        clips_per_label, snr_db, seed: for synthetic speech only; see ``synthesize``.
    """

    source: str
    labels: tuple[str, ...]
    split: SplitRule = "speaker"
    label_from: layout.LabelFrom = "folder"
    clip_length_in_s: float | Literal["auto"] = 1.0
    clips_per_label: int = 1000
    snr_db: tuple[float, float] = (-5.0, 15.0)
    seed: int = 0


@dataclass(frozen=True)
class _Reading:
    """What reading some recordings gave.

    Attributes:
        names: those that can be used.
        skipped: one line for each other, with the reason.
        noted: one line for each of ``names`` of which there is something to tell.
        content: a digest of ``names`` and files.
    """

    names: tuple[str, ...]
    skipped: tuple[str, ...]
    noted: tuple[str, ...]
    content: str


@dataclass(frozen=True)
class Dataset:
    """A handle on clips; it holds names and digests only, so that it travels lightly.

    No testing clip is read before its name, target or waveform is asked for.

    Attributes:
        spec: what was opened, its ``clip_length_in_s`` a number.
        fingerprint: digest of the labels, of the training, validation and background recordings,
            and of the names of the testing clips.
        skipped: one line for each recording left out because it cannot be used; those for
            testing are told by ``skipped_in``.
        noted: one line for each recording that is used, though not as its file has it.
        listed: names of the clips of each split; for testing all there are, usable or not.
        readings: what reading the clips for training and validation gave.
        noises: names of the background recordings.
        folds: the same clips once for each fold of a cross-validation, held out for validation;
            see ``folds.with_folds``.  Without any, accuracies count the validation clips.
    """

    spec: DatasetSpec
    fingerprint: str
    skipped: tuple[str, ...]
    noted: tuple[str, ...]
    listed: Mapping[str, tuple[str, ...]]
    readings: Mapping[str, _Reading]
    noises: tuple[str, ...]
    folds: tuple["Dataset", ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The words, in the order of the network's outputs."""
        return self.spec.labels

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
        return Speakers.of(self.listed, self.spec.label_from)

    def names(self, split: str) -> list[str]:
        """Return the names of the clips of a split, as paths below the folder."""
        return list(self._reading(split).names)

    def targets(self, split: str) -> np.ndarray:
        """Return the place of each clip's word in ``labels``, int64 [clips]."""
        place = {label: i for i, label in enumerate(self.labels)}
        labels = (layout.label_of(name, self.spec.label_from) for name in self.names(split))
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
        flat = np.memmap(self._prepared(split, rate) / "waveforms", "<i2", "r")
        return flat.reshape(-1, round(rate * self.clip_length_in_s))

    def noise(self, rate: int) -> np.ndarray:
        """Return the background recordings at ``rate`` Hz, one after another: float32 [samples]."""
        if not self.noises:
            return np.zeros(0, np.float32)

        def build(scratch: Path) -> None:
            folder = locate(self.spec)
            with open(scratch / "noise", "wb") as file:
                for name in self.noises:
                    file.write(read_whole(folder / name, rate).astype("<f4").tobytes())

        entry = cache.entry("datasets", f"{self.fingerprint}-noise-{rate}", build)
        return np.memmap(entry / "noise", "<f4", "r")

    def _reading(self, split: str) -> _Reading:
        if split in self.readings:
            return self.readings[split]
        record = json.loads((self._prepared(split, _ANY_RATE) / "clips.json").read_text())
        return _Reading(tuple(record["names"]), tuple(record["skipped"]), (), record["content"])

    def _prepared(self, split: str, rate: int) -> Path:
        """Return the cache entry with the waveforms of a split."""
        listed, samples = self.listed[split], round(rate * self.clip_length_in_s)

        def build(scratch: Path) -> None:
            with open(scratch / "waveforms", "wb") as file:

                def keep(path: Path) -> None:
                    file.write(read_clip(path, rate, samples).tobytes())

                reading = _read(locate(self.spec), listed, keep)
            self._check_unchanged(split, reading)
            record = {
                "names": reading.names,
                "skipped": reading.skipped,
                "content": reading.content,
            }
            (scratch / "clips.json").write_text(json.dumps(record))

        key = f"{self.fingerprint}-{split}-{rate}-{samples}"
        if split not in self.readings:
            key += f"-{_stamp(locate(self.spec), listed)}"
        return cache.entry("datasets", key, build)

    def _check_unchanged(self, split: str, reading: _Reading) -> None:
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
    if spec.source in sources.SOURCES:
        spec = replace(spec, label_from="folder")
    else:
        spec = replace(spec, source=str(Path(spec.source).expanduser().absolute()))
    folder = locate(spec, progress)
    clips = layout.find_clips(folder, spec.label_from)
    _check_labels(folder, spec, clips)
    clips = [clip for clip in clips if clip.label in spec.labels]
    official = sources.official_lists(spec.source, folder) if spec.split == "speaker" else {}
    dealt = split_clips(clips, official or spec.split, spec.label_from)
    listed = {split: [clip.name for clip in members] for split, members in dealt.items()}
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

    readings = {split: _read(folder, listed[split], measure, progress) for split in SEARCHED}
    noises = _read(folder, layout.noise_names(folder), lambda path: examine(path).note)
    listed |= {split: reading.names for split, reading in readings.items()}
    for split in SPLITS:
        _check_every_label(spec, split, readings.get(split, _Reading(listed[split], (), (), "")))
    every = [*readings.values(), noises]
    contents = [reading.content for reading in every]
    fingerprint = digest([VERSION, spec.labels, contents, listed["testing"]])
    if spec.clip_length_in_s == "auto":
        spec = replace(spec, clip_length_in_s=typical_length(lengths))
    skipped = tuple(line for reading in every for line in reading.skipped)
    noted = tuple(line for reading in every for line in reading.noted)
    return Dataset(spec, fingerprint, skipped, noted, listed, readings, noises.names)


def typical_length(lengths_in_s: Sequence[float]) -> float:
    """Return the length of clips that holds 95 % of recordings whole, rounded up to 0.05 s.

    It is never outside ``CLIP_LENGTHS_IN_S``.
    """
    length = float(np.quantile(lengths_in_s, _HELD_WHOLE, method="inverted_cdf"))
    steps = math.ceil(round(length / _LENGTH_STEP_IN_S, 6))
    shortest, longest = CLIP_LENGTHS_IN_S
    return min(max(round(steps * _LENGTH_STEP_IN_S, 2), shortest), longest)


def locate(spec: DatasetSpec, progress: Progress | None = None) -> Path:
    """Return the folder of the recordings, made or downloaded first if they are not there yet.

    Raises:
        DataError: if the source is neither a known name nor a folder, or cannot be had.
    """
    if spec.source == "synthetic":
        length = 1.0 if spec.clip_length_in_s == "auto" else spec.clip_length_in_s
        return synthesis.synthesize(
            spec.labels, spec.clips_per_label, spec.snr_db, spec.seed, length, progress
        )
    if spec.source in sources.ARCHIVES:
        return sources.downloaded(spec.source, progress=progress)
    folder = Path(spec.source)
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder; name one with --data, or {' or '.join(sources.SOURCES)}"
        )
    return folder


def prepare_source(
    name: str, url: str | None, labels: tuple[str, ...], progress: Progress | None = None
) -> Path:
    """Return the folder of a named source, downloaded or made now.

    Args:
        name: one of ``sources.SOURCES``.
        url: a mirror to download from.
        labels: the words to synthesize; the downloaded source has its own.
        progress: as for ``open_dataset``.

    Raises:
        DataError: if there is no such source, or it cannot be had.
    """
    if name == "synthetic" and url:
        raise DataError("synthetic: made on this machine; leave out --url")
    if name in sources.ARCHIVES and labels:
        raise DataError(f"{name}: all its words are downloaded; leave out --label")
    if name in sources.ARCHIVES:
        return sources.downloaded(name, url, progress=progress)
    if name == "synthetic" and labels:
        return locate(DatasetSpec(name, labels), progress)
    if name == "synthetic":
        raise DataError("synthetic: name the words to speak, for example --label yes --label no")
    raise DataError(f"{name}: no such source; there are: {', '.join(sources.SOURCES)}")


def _read(
    folder: Path,
    names: Iterable[str],
    use: Callable[[Path], str | None],
    progress: Progress | None = None,
) -> _Reading:
    """Use each recording; what ``use`` returns is noted, what it finds fault with is left out."""
    names = list(names)
    kept, skipped, noted, content = [], [], [], hashlib.sha256()
    for done, name in enumerate(names):
        if progress and done % 100 == 0:
            progress("reading clips", done / len(names))
        try:
            note = use(folder / name)
        except DataError as error:
            skipped.append(name + str(error).removeprefix(str(folder / name)))
            continue
        if note is not None:
            noted.append(f"{name}: {note}")
        kept.append(name)
        with open(folder / name, "rb") as file:
            digest_of_file = hashlib.file_digest(file, "sha256").hexdigest()
        content.update(f"{name} {digest_of_file}\n".encode())
    return _Reading(tuple(kept), tuple(skipped), tuple(noted), content.hexdigest())


def _check_labels(folder: Path, spec: DatasetSpec, clips: Iterable[layout.Clip]) -> None:
    known = sorted({clip.label for clip in clips})
    missing = [label for label in spec.labels if label not in known]
    if not missing:
        return
    message = f"{folder}: no clips of {', '.join(missing)}; there are: {', '.join(known)}"
    if spec.label_from == "folder" and set(missing) <= set(layout.words_in_names(folder)):
        message += "; names of files begin with them: write label_from: name"
    raise DataError(message)


def _check_every_label(spec: DatasetSpec, split: str, reading: _Reading) -> None:
    heard = {layout.label_of(name, spec.label_from) for name in reading.names}
    missing = [label for label in spec.labels if label not in heard]
    if missing:
        skipped = reading.skipped
        unusable = f" ({len(skipped)} cannot be used, such as {skipped[0]})" if skipped else ""
        raise DataError(
            f"{spec.source}: no usable clip of {', '.join(missing)} for {split}{unusable}; "
            f"{advice(spec.split, split)}"
        )


def _stamp(folder: Path, names: Iterable[str]) -> str:
    """Return a digest of sizes and times of files, which tells whether they were replaced."""
    stats = ((name, (folder / name)) for name in names)
    return digest([(n, p.stat().st_size, p.stat().st_mtime_ns) for n, p in stats if p.exists()])
