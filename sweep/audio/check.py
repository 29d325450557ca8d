"""What a folder of recordings holds, told before any time is spent on it."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sweep.audio import layout
from sweep.audio.balance import Balance
from sweep.audio.confounds import Finding, find_confounds
from sweep.audio.dataset import SEARCHED, Dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.duplicates import find_duplicates, same_files
from sweep.audio.location import locate, split_rule
from sweep.audio.recording import Recording
from sweep.audio.speakers import Speakers
from sweep.audio.splits import SPLITS, SplitRule, advice, split_clips
from sweep.errors import DataError

SILENT_DBFS = -60.0
"""A clip whose root mean square over its whole length is below this, relative to full scale, is
called silent; speech, even far from the microphone, is 10 dB and more above it."""


@dataclass(frozen=True)
class LabelReport:
    """The clips of one word.

    Attributes:
        label: the word.
        clips, speakers: how many there are.
        splits: how many clips are for training, validation and testing, as ``split: folders``
            deals them where folders of these names hold them, else as ``split: speaker`` does.
        shortest_in_s, median_in_s, longest_in_s: lengths.
    """

    label: str
    clips: int
    speakers: int
    splits: dict[str, int]
    shortest_in_s: float
    median_in_s: float
    longest_in_s: float


@dataclass(frozen=True)
class FolderReport:
    """What a folder holds.

    Attributes:
        folder: the folder.
        labels: one report a word, by name; unreadable clips are not counted there.
        sample_rates: number of clips at each rate in Hz.
        silent: names of the clips below ``SILENT_DBFS``.
        repeated: groups of names whose samples are the same.
        unreadable: one line for each clip that cannot be used, ``name: reason``.
        noted: one line for each clip that is used, though not as its file has it.
        passed_over: names of other files in the folders of words; see ``layout.passed_over``.
        reserved: number of recordings in each folder of no word; see ``layout.reserved_folders``.
        advice: what to do about the folder as a whole, a sentence each.
        findings: what may fool a search.
        noises: number of background recordings.
        speakers: who speaks in each split.
    """

    folder: str
    labels: tuple[LabelReport, ...]
    sample_rates: dict[int, int]
    silent: tuple[str, ...]
    repeated: tuple[tuple[str, ...], ...]
    unreadable: tuple[str, ...]
    noted: tuple[str, ...]
    passed_over: tuple[str, ...]
    reserved: dict[str, int]
    advice: tuple[str, ...]
    findings: tuple[Finding, ...]
    noises: int
    speakers: Speakers

    @property
    def balance(self) -> Balance:
        """How many clips each word has."""
        return Balance({label.label: label.clips for label in self.labels})

    @property
    def clips(self) -> int:
        """The number of clips that can be used."""
        return sum(label.clips for label in self.labels)


def inspect_source(
    spec: DatasetSpec, progress: Callable[[str, float], None] | None = None
) -> FolderReport:
    """Decode every clip that a data set would open, and report; see ``inspect_folder``."""
    folder = locate(spec, progress)
    return inspect_folder(folder, progress, spec.label_from, split_rule(spec, folder))


def inspect_folder(
    path: Path | str,
    progress: Callable[[str, float], None] | None = None,
    label_from: layout.LabelFrom = "folder",
    rule: SplitRule | None = None,
) -> FolderReport:
    """Decode every clip in a folder of any known layout, testing clips too, and report.

    Args:
        path: the folder.
        progress: called with what is being done and the share of it that is done, 0 to 1.
        label_from: where the word of a clip is; see ``layout.find_clips``.
        rule: how the clips are split; None goes by folders of splits, if there are any.

    Raises:
        DataError: if the folder is missing or holds no clip.
    """
    folder = Path(path).expanduser()
    clips = layout.find_clips(folder, label_from)
    lengths: dict[str, list[float]] = {clip.label: [] for clip in clips}
    speakers: dict[str, set[str]] = defaultdict(set)
    same: dict[str, list[str]] = defaultdict(list)
    rates: Counter[int] = Counter()
    silent, unreadable, noted = [], [], []
    rule = rule or ("folders" if any(clip.split for clip in clips) else "speaker")
    dealt = split_clips(clips, rule)
    split_of = {clip.name: split for split, some in dealt.items() for clip in some}
    splits = {label: dict.fromkeys(SPLITS, 0) for label in lengths}
    for done, clip in enumerate(clips):
        if progress and done % 100 == 0:
            progress("reading clips", done / len(clips))
        try:
            recording, energy, digest = Recording(folder / clip.name), 0.0, hashlib.sha256()
            for block in recording:
                energy += float(np.sum(np.square(block, dtype=np.float64)))
                digest.update(block.tobytes())
        except DataError as error:
            unreadable.append(clip.name + str(error).removeprefix(str(folder / clip.name)))
            continue
        rates[recording.rate] += 1
        lengths[clip.label].append(recording.length_in_s)
        speakers[clip.label].add(clip.speaker)
        if clip.name in split_of:
            splits[clip.label][split_of[clip.name]] += 1
        same[f"{recording.rate} {digest.hexdigest()}"].append(clip.name)
        if energy / recording.samples / recording.full_scale**2 < 10 ** (SILENT_DBFS / 10):
            silent.append(clip.name)
        if recording.note is not None:
            noted.append(f"{clip.name}: {recording.note}")
    repeated = [names for names in same.values() if len(names) > 1]
    if progress:
        progress("comparing words", 1.0)
    return FolderReport(
        folder=str(folder),
        labels=tuple(
            _label_report(label, lengths[label], len(speakers[label]), splits[label])
            for label in sorted(lengths)
        ),
        sample_rates=dict(sorted(rates.items())),
        silent=tuple(silent),
        repeated=tuple(map(tuple, repeated)),
        unreadable=tuple(unreadable),
        noted=tuple(noted),
        passed_over=tuple(layout.passed_over(folder, clips)),
        reserved=layout.reserved_folders(folder),
        findings=(
            *find_confounds(folder, clips),
            *find_duplicates(repeated, clips, split_of),
        ),
        advice=tuple(_advice(folder, clips, label_from, splits, rule)),
        noises=len(layout.noise_names(folder)),
        speakers=Speakers.of(
            {split: [clip.name for clip in some] for split, some in dealt.items()}, label_from
        ),
    )


def inspect_clips(
    dataset: Dataset, progress: Callable[[str, float], None] | None = None
) -> list[Finding]:
    """Return what may fool a search, by the clips it sees: those for training and validation."""
    if progress:
        progress("comparing words", 0.0)
    folder = locate(dataset.spec)
    every = [(dataset.spec.clip(n), split) for split in SEARCHED for n in dataset.listed[split]]
    spoken = [(clip, split) for clip, split in every if clip.label != layout.SILENCE]
    clips, split_of = [clip for clip, _ in spoken], {clip.name: split for clip, split in spoken}
    repeated = same_files(folder, split_of)
    return [*find_confounds(folder, clips), *find_duplicates(repeated, clips, split_of)]


def _label_report(
    label: str, lengths: list[float], speakers: int, splits: dict[str, int]
) -> LabelReport:
    shortest, median, longest = np.quantile(lengths, (0, 0.5, 1)) if lengths else (0.0, 0.0, 0.0)
    return LabelReport(
        label, len(lengths), speakers, splits, float(shortest), float(median), float(longest)
    )


def _advice(
    folder: Path,
    clips: list[layout.Clip],
    label_from: layout.LabelFrom,
    splits: dict[str, dict[str, int]],
    rule: SplitRule,
) -> Iterator[str]:
    words = layout.words_in_names(folder) if label_from == "folder" else []
    if words and all(layout.split_named(label) for label in splits):
        yield (
            f"names of files begin with {', '.join(words[:8])}: --label-from name takes them for"
            " the words, label_from: name in a search space"
        )
    elif len(splits) == 1:
        yield f"{clips[0].label} is the only word, and a search needs two; record what else is said"
    for label, counts in splits.items():
        for split in (split for split, count in counts.items() if not count):
            yield f"no clip of {label} for {split}: {advice(rule, split)}"
