"""The clips of a sweep: opened once, carried to every worker, prepared once at each rate."""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sweep import cache
from sweep.audio import layout, silence
from sweep.audio.balance import Balance
from sweep.audio.clips import VERSION, examine, read_clip, read_whole
from sweep.audio.open_set import SilenceSpec, StreamSpec, UnknownSpec, outputs, select
from sweep.audio.sources.archives import Downloaded, downloaded
from sweep.audio.sources.base import Progress, Source, Wanted
from sweep.audio.sources.lookup import is_folder, source_of
from sweep.audio.speakers import Speakers
from sweep.audio.splits import SPLITS, SplitRule, advice, split_clips
from sweep.candidate import digest
from sweep.errors import DataError
from sweep.registry import BUILT_IN

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
        source: the name of a source, such as ``"synthetic"``, or a folder of recordings.
        labels: the words to tell apart, in the order of the network's outputs.
        split: ``"speaker"``, ``"folders"`` or a text file for each split; see ``split_clips``.  For
            ``"speaker"``, recordings that come with official lists are split by these.
        label_from: where the word of a recording is, for a folder only; see ``find_clips``.
        clip_length_in_s: length of a clip; ``"auto"`` goes by the recordings, see
            ``typical_length``.
        parameters: those of the source itself, such as ``clips_per_label`` of synthetic speech.
        seed: of synthetic speech, and of what ``unknown`` and ``silence`` draw.
        unknown: what the label ``_unknown_`` is made of; None to do without.
        silence: what the label ``_silence_`` is made of; None to do without.
        streams: what streams are made of; None to measure clips only.
    """

    source: str
    labels: tuple[str, ...]
    split: SplitRule = "speaker"
    label_from: layout.LabelFrom = "folder"
    clip_length_in_s: float | Literal["auto"] = 1.0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    unknown: UnknownSpec | None = None
    silence: SilenceSpec | None = None
    streams: StreamSpec | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The labels in the order of the network's outputs; ``_unknown_``, ``_silence_`` last."""
        return outputs(self.labels, self.unknown, self.silence)

    @property
    def none_of_these(self) -> list[str]:
        """What is no keyword here, a line for each label; once the data set is opened."""
        background = f"{layout.SILENCE}: background recordings at many levels"
        return [*map(str, filter(None, [self.unknown])), *([background] if self.silence else [])]

    def clip(self, name: str) -> layout.Clip:
        """Return the clip of a name; its label is one of ``outputs``."""
        clip = layout.clip_of(name, self.label_from)
        is_other = self.unknown is not None and clip.label not in self.outputs
        return replace(clip, label=layout.UNKNOWN) if is_other else clip

    def for_split(self, name: str, split: str) -> bool:
        """Tell whether a clip may be in a split: of other words, some are kept out of training."""
        is_other = self.unknown is not None and self.clip(name).label == layout.UNKNOWN
        if not is_other or self.unknown is None:
            return True
        return layout.label_of(name, self.label_from) in self.unknown.words_in(split)


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
            folder = locate(self.spec)
            with open(scratch / "noise", "wb") as file:
                for name in self.noises:
                    file.write(read_whole(folder / name, rate).astype("<f4").tobytes())

        entry = cache.entry("datasets", f"{self.fingerprint}-noise-{rate}", build)
        with cache.readable(entry):
            return np.memmap(entry / "noise", "<f4", "r")

    def _reading(self, split: str) -> _Reading:
        if split in self.readings:
            return self.readings[split]
        entry = self._prepared(split, _ANY_RATE)
        with cache.readable(entry):
            record = json.loads((entry / "clips.json").read_text())
            if not set(record["names"]) <= set(self.listed[split]):
                raise ValueError("names of no clips")
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
    if is_folder(spec.source):
        spec = replace(spec, source=str(Path(spec.source).expanduser().absolute()))
    else:
        spec = replace(spec, label_from="folder")
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

    readings = {split: _read(folder, listed[split], measure, progress) for split in SEARCHED}
    noises = _read(folder, layout.noise_names(folder), lambda path: examine(path).note)
    listed |= {split: reading.names for split, reading in readings.items()}
    for split in SPLITS:
        _check_every_label(spec, split, readings.get(split, _Reading(listed[split], (), (), "")))
    every = [*readings.values(), noises]
    contents = [reading.content for reading in every]
    fingerprint = digest([VERSION, spec.outputs, contents, listed["testing"]])
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

    With silence, or other words from elsewhere, it is a folder of links to them, beside the slices
    of silence.

    Raises:
        DataError: if the source is neither a known name nor a folder, or cannot be had.
    """
    source = _folder(spec, progress)
    elsewhere = Path(spec.unknown.folder) if spec.unknown and spec.unknown.folder else None
    if spec.silence is None and elsewhere is None:
        return source
    links = _links(spec, source, elsewhere)
    noises = layout.noise_names(source)
    parts = [silence.VERSION, {name: str(path) for name, path in links.items()}, str(source)]
    if spec.silence:
        parts += [spec.clip_length_in_s, spec.seed, _stamp(source, noises)]

    def build(folder: Path) -> None:
        for name, path in links.items():
            (folder / name).symlink_to(path)
        if spec.silence:
            assert spec.clip_length_in_s != "auto"
            silence.cut(source, noises, folder, spec.clip_length_in_s, spec.seed)
        elif noises:
            (folder / layout.NOISE_FOLDER).symlink_to(source / layout.NOISE_FOLDER)

    return cache.entry("joined", digest(parts), build)


def linked(spec: DatasetSpec) -> tuple[Path, ...]:
    """Return the folders to which links in that of ``locate`` lead; none where it is no links."""
    folder = _folder(spec)
    found = _source(spec).linked(folder)
    if spec.silence is not None or (spec.unknown and spec.unknown.folder):
        found.add(folder)
    if spec.unknown and spec.unknown.folder:
        found.add(Path(spec.unknown.folder))
    return tuple(sorted(found))


def _links(spec: DatasetSpec, source: Path, elsewhere: Path | None) -> dict[str, Path]:
    """Return what the folders of a data set hold, by name.

    Raises:
        DataError: if there are no other words elsewhere, or their folder does not fit the source.
    """
    links = {path.name: path for path in source.iterdir() if path.name[0] not in "._"}
    if elsewhere is None:
        return links
    if spec.label_from != "folder" or spec.split == "folders":
        rule = "split: folders" if spec.split == "folders" else "label_from: name"
        raise DataError(f"dataset.unknown.folder: not with {rule}; put the words into the source")
    if not elsewhere.is_dir():
        raise DataError(f"dataset.unknown.folder: {elsewhere}: no such folder")
    words = [path for path in elsewhere.iterdir() if path.is_dir() and path.name[0] not in "._"]
    links = {n: p for n, p in links.items() if layout.normal(n) in spec.labels or p.is_file()}
    return links | {p.name: p for p in words if layout.normal(p.name) not in spec.labels}


def _source(spec: DatasetSpec) -> Source:
    return source_of(spec.source, spec.parameters)


def _folder(spec: DatasetSpec, progress: Progress | None = None) -> Path:
    """Return the folder of the recordings that a source stands for."""
    source, words = _source(spec), spec.labels
    if spec.unknown and not spec.unknown.folder and spec.unknown.words != "rest":
        words = (*words, *spec.unknown.words)
    elif spec.unknown and not spec.unknown.folder and source.is_made_to_order:
        raise DataError("dataset.unknown.words: name the words to synthesize")
    length = 1.0 if spec.clip_length_in_s == "auto" else spec.clip_length_in_s
    return source.folder(Wanted(words, length, spec.seed), progress)


def split_rule(spec: DatasetSpec, folder: Path) -> SplitRule:
    """Return how the clips of a source are split: by the lists that come with it, if there are."""
    official = _source(spec).lists(folder) if spec.split == "speaker" else {}
    return official or spec.split


def prepare_source(
    name: str, url: str | None, labels: tuple[str, ...], progress: Progress | None = None
) -> Path:
    """Return the folder of a named source, downloaded or made now.

    Args:
        name: of the source.
        url: a mirror to download from.
        labels: the words to synthesize; others have their own.
        progress: as for ``open_dataset``.

    Raises:
        DataError: if there is no such source, or it cannot be had.
    """
    if is_folder(name):
        raise DataError(f"{name}: no such source; there are: {', '.join(BUILT_IN['source'])}")
    source = source_of(name, {})
    if source.is_made_to_order and url:
        raise DataError(f"{name}: made on this machine; leave out --url")
    if source.is_made_to_order and not labels:
        raise DataError(f"{name}: name the words to speak, for example --label yes --label no")
    if labels and not source.is_made_to_order:
        raise DataError(f"{name}: all its words are downloaded; leave out --label")
    if isinstance(source, Downloaded):
        return downloaded(name, url, progress=progress)
    return source.folder(Wanted(labels), progress)


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
    found = {spec.clip(name).label for name in reading.names}
    missing = [label for label in spec.outputs if label not in found]
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
