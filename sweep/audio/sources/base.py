"""The base of every source, and the recordings that one yields."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, dataclass_transform

import numpy as np
import soundfile

from sweep import cache
from sweep.audio.layout import SPEAKER_END, SUFFIXES, check_label, split_named, without_suffix
from sweep.audio.splits import SPLITS
from sweep.candidate import digest
from sweep.errors import DataError, SweepError
from sweep.registry import blaming

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Utterance:
    """A recording of one word.

    Attributes:
        label: the word.
        audio: the recording's file, or its samples: int16, or float32 in -1..1, ``[samples]``.
        rate: sampling rate of samples, in Hz; a file has its own.
        split: training, validation or testing; None leaves it to ``dataset.split``.
        speaker: who speaks; None where the name of the file tells, or nothing does.
    """

    label: str
    audio: Path | str | np.ndarray
    rate: int = 16000
    split: str | None = None
    speaker: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What a data set asks of its source.

    Attributes:
        words: the labels, and the other words that it names.
        clip_length_in_s: length of a clip.
        seed: of what is drawn at random.
    """

    words: tuple[str, ...]
    clip_length_in_s: float = 1.0
    seed: int = 0


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Source:
    """A source of recordings: a frozen dataclass of its parameters, which are keys of ``dataset:``.

    A subclass is made a dataclass by itself, and says ``utterances``; or ``folder``, where its
    recordings lie in folders of words already.
    """

    is_made_to_order: ClassVar[bool] = False
    """Whether it has exactly the words that are asked for."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        dataclass(frozen=True)(cls)

    @classmethod
    def meaning(cls) -> str:
        """Return what it is, in a line."""
        return (cls.__doc__ or "").partition("\n")[0].rstrip(".")

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield each parameter that does not go with the others, and why."""
        return iter(())

    def utterances(self, wanted: Wanted) -> Iterator[Utterance]:
        """Yield every recording; words that are not wanted may be among them."""
        raise NotImplementedError(f"{type(self).__name__} does not define utterances()")

    def folder(self, wanted: Wanted, progress: Progress | None = None) -> Path:
        """Return a folder of words, as ``layout.find_clips`` reads it: links to the recordings.

        Raises:
            DataError: if a recording is missing.
            PluginError: if the source fails.
        """
        told = {name: (_identity(one), one.split) for name, one in self._named(wanted)}
        split_of = {name: split for name, (_, split) in told.items() if split is not None}

        def build(folder: Path) -> None:
            for name, one in self._named(wanted):
                path = folder / name
                path.parent.mkdir(exist_ok=True)
                if isinstance(one.audio, np.ndarray):
                    soundfile.write(path, one.audio, one.rate, subtype="PCM_16")
                else:
                    path.symlink_to(Path(one.audio).absolute())
            for split, path in _lists(folder).items() if split_of else ():
                names = sorted(name for name, own in split_of.items() if own == split)
                path.write_text("".join(f"{name}\n" for name in names))

        with blaming(type(self), but=SweepError):
            if not told:
                raise ValueError("yields no recording")
            if split_of and len(split_of) < len(told):
                raise ValueError("gives some recordings a split, and not all")
        return cache.entry("sources", digest(told), build)

    def lists(self, folder: Path) -> dict[str, str]:
        """Return the lists of validation and testing that come with its folder; empty for none."""
        paths = _lists(folder) if self._has_utterances else {}
        return {split: str(path) for split, path in paths.items() if path.is_file()}

    def linked(self, folder: Path) -> set[Path]:
        """Return the folders to which the links in its folder lead."""
        paths = folder.glob("*/*") if self._has_utterances else ()
        return {path.resolve().parent for path in paths if path.is_symlink()}

    @property
    def _has_utterances(self) -> bool:
        return type(self).utterances is not Source.utterances

    def _named(self, wanted: Wanted) -> Iterator[tuple[str, Utterance]]:
        """Yield recordings by the names of their links."""
        taken: set[str] = set()
        with blaming(type(self), but=SweepError):
            for number, one in enumerate(self.utterances(wanted)):
                name = _name(one, number)
                if name in taken:
                    root, dot, suffix = name.rpartition(".")
                    name = f"{root}-{number}{dot}{suffix}"
                taken.add(name)
                split = None if one.split is None else split_named(one.split)
                if split is None and one.split is not None:
                    raise ValueError(f"{one.split!r} is no split; there are: {', '.join(SPLITS)}")
                yield name, replace(one, split=split)


def _name(one: Utterance, number: int) -> str:
    """Return the name of a recording below the folder of links: ``<word>/<speaker>_nohash_*``."""
    if isinstance(one.audio, np.ndarray):
        stem, suffix = f"{number:06}", ".wav"
    else:
        path = Path(one.audio)
        stem, suffix = without_suffix(path.name), path.suffix
        if suffix.lower() not in SUFFIXES:
            raise ValueError(f"{path}: is none of {', '.join(SUFFIXES)}")
        if not path.is_file():
            raise DataError(f"{path}: no such file")
    stem = re.sub(r"[\x00-\x1f\x7f]", "-", stem).lstrip("._") or "clip"
    if one.speaker is not None:
        stem = f"{_safe('speaker', one.speaker)}{SPEAKER_END}{stem.replace(SPEAKER_END, '-')}"
    return f"{_safe('label', one.label)}/{stem}{suffix}"


def _safe(what: str, text: str) -> str:
    try:
        return check_label(text)
    except DataError as error:  # It is the source that is wrong.
        raise ValueError(f"{what} {text!r} cannot be part of a path") from error


def _identity(one: Utterance) -> str:
    """Return what tells a recording from others: where it is, or a digest of its samples."""
    if isinstance(one.audio, np.ndarray):
        return f"{hashlib.sha256(one.audio.tobytes()).hexdigest()} {one.audio.dtype} {one.rate}"
    return str(Path(one.audio).absolute())


def _lists(folder: Path) -> dict[str, Path]:
    return {split: folder / f"{split}_list.txt" for split in SPLITS[1:]}
