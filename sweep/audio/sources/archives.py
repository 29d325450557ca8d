"""Recordings to download: where they are, and how to tell that they are the true ones."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from sweep import cache
from sweep.audio import download
from sweep.audio.clips import to_int16
from sweep.audio.layout import without_suffix
from sweep.audio.recording import Recording
from sweep.audio.sources.base import Progress, Source, Wanted
from sweep.candidate import digest
from sweep.errors import DataError


@dataclass(frozen=True)
class Archive:
    """An archive of recordings, ``<word>/<clip>.wav`` somewhere inside, and what to expect.

    Attributes:
        name: what it is called here.
        url: where it is published, as ZIP or as TAR with gzip.
        sha256: digest of the archive at ``url``; a mirror may have packed it anew.
        clips: the number of clips of each word.
        pcm_sha256: for some words, the ``pcm_sha256`` of their folder.
        lists: for validation and testing, the text file in the archive that lists their clips;
            where there are none, the split follows from the names of the speakers.
        limit_bytes: the most that it may take, packed or unpacked.
    """

    name: str
    url: str
    sha256: str | None
    clips: Mapping[str, int]
    pcm_sha256: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    limit_bytes: int = download.LIMIT_BYTES

    @property
    def url_variable(self) -> str:
        """The environment variable that names a mirror."""
        return f"SWEEP_{self.name.upper()}_URL"

    @property
    def sha256_variable(self) -> str:
        """The environment variable with the digest that what a mirror gives must have."""
        return f"SWEEP_{self.name.upper()}_SHA256"


# The archive's own digest is quoted by independent public projects that download it; the digests
# of go and stop were measured from lossless copies of the recordings.
MINI_SPEECH_COMMANDS = Archive(
    name="mini_speech_commands",
    url="https://storage.googleapis.com/download.tensorflow.org/data/mini_speech_commands.zip",
    sha256="49650f2341b26d886b46b3f4fb8fed59e30300b17550f1ee4a768b3106cf93a0",
    clips=dict.fromkeys(("down", "go", "left", "no", "right", "stop", "up", "yes"), 1000),
    pcm_sha256={
        "go": "82b46a700239f273c97180536810d3a290594d61611f136d2da6aa5d63293146",
        "stop": "98f8b0626907983bcc75420ce92ca3ebe4d69330587147b4b5923ab2aec2b540",
    },
)

# The digest is the one that torchaudio and TensorFlow Datasets check; the counts are those of
# P. Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition", 2018.
SPEECH_COMMANDS = Archive(
    name="speech_commands",
    url="https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
    sha256="af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
    clips={
        **{"backward": 1664, "bed": 2014, "bird": 2064, "cat": 2031, "dog": 2128, "down": 3917},
        **{"eight": 3787, "five": 4052, "follow": 1579, "forward": 1557, "four": 3728, "go": 3880},
        **{"happy": 2054, "house": 2113, "learn": 1575, "left": 3801, "marvin": 2100, "nine": 3934},
        **{"no": 3941, "off": 3745, "on": 3845, "one": 3890, "right": 3778, "seven": 3998},
        **{"sheila": 2022, "six": 3860, "stop": 3872, "three": 3727, "tree": 1759, "two": 3880},
        **{"up": 3723, "visual": 1592, "wow": 2123, "yes": 4044, "zero": 4052},
    },
    lists={"validation": "validation_list.txt", "testing": "testing_list.txt"},
    limit_bytes=5 * 1024**3,
)

ARCHIVES = {archive.name: archive for archive in (MINI_SPEECH_COMMANDS, SPEECH_COMMANDS)}
"""The archives that can be downloaded, by name."""


class Downloaded(Source):
    """The recordings of an archive."""

    archive: ClassVar[str]

    def folder(self, wanted: Wanted, progress: Progress | None = None) -> Path:
        """Return the folder of them all, downloaded once.

        Raises:
            DataError: if the download fails or brings something else.
        """
        return downloaded(self.archive, progress=progress)

    def lists(self, folder: Path) -> dict[str, str]:
        """Return the lists that come with the archive."""
        return {split: str(folder / file) for split, file in ARCHIVES[self.archive].lists.items()}


class MiniSpeechCommands(Downloaded):
    """Google's recordings of 8 words, 1000 clips each: 182 MB, CC BY 4.0."""

    archive = MINI_SPEECH_COMMANDS.name


class SpeechCommands(Downloaded):
    """Google's Speech Commands v0.02, 35 words, 105,829 clips: 2.4 GB, CC BY 4.0."""

    archive = SPEECH_COMMANDS.name


def downloaded(
    name: str,
    url: str | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Return the folder of the recordings of ``ARCHIVES``, downloaded first if not there yet.

    Args:
        name: which of them.
        url: a mirror; else that of its ``url_variable``, else the publisher's address.
        sha256: digest the archive must have; else that of its ``sha256_variable``, else the known
            one for the publisher's address and none for a mirror. What a mirror gives is still held
            against the inventory and the recordings that are known.
        progress: called with what is being done and the share of it that is done, 0 to 1.

    Raises:
        DataError: if the download fails or brings something else.
    """
    archive = ARCHIVES[name]
    url = url or os.environ.get(archive.url_variable)
    sha256 = sha256 or os.environ.get(archive.sha256_variable)
    return obtain(archive, url, sha256, progress)


def obtain(
    archive: Archive,
    url: str | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Return the folder of an archive's recordings, downloaded and checked if not there yet.

    A download that was cut short is gone on with by the next call.

    Raises:
        DataError: if the download fails or brings something else.
    """
    address = url or archive.url
    expected = sha256 or (archive.sha256 if address == archive.url else None)

    def build(folder: Path) -> None:
        packed = folder.with_name(f".{archive.name}-{digest(address)}")
        try:
            _fetch(address, packed, archive.limit_bytes, progress)
            try:
                _check_digest(packed, expected)
                lists = archive.lists.values()
                download.unpack(packed, folder, archive.limit_bytes, lists, progress)
                _check_recordings(folder, archive)
            except DataError:
                packed.unlink()
                raise
        except DataError as error:
            message = str(error).removeprefix(f"{address}: ")
            raise DataError(
                f"{address}: {message}; a mirror can be named by --url or {archive.url_variable}"
            ) from error
        packed.unlink()

    return cache.entry("downloads", archive.name, build)


def _fetch(
    address: str,
    packed: Path,
    limit_bytes: int,
    progress: Progress | None,
) -> None:
    """Download an archive, or what is missing of it; it appears under its name when it is whole."""
    if not packed.exists():
        begun = packed.with_name(f"{packed.name}.part")
        download.fetch(address, begun, progress, limit_bytes)
        begun.rename(packed)


def pcm_sha256(folder: Path) -> str:
    """Return a digest of the recordings in a folder that does not depend on how they are packed.

    It covers the name of each file without its extension and its samples as 16-bit integers.
    """
    lines = []
    for path in folder.iterdir():
        samples = to_int16(np.concatenate([*Recording(path)])).tobytes()
        lines.append(f"{without_suffix(path.name)} {hashlib.sha256(samples).hexdigest()}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def _check_digest(packed: Path, expected: str | None) -> None:
    with open(packed, "rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if expected and actual != expected.strip().lower():
        raise DataError(f"the archive's SHA-256 is {actual}, not {expected}")


def _check_recordings(folder: Path, archive: Archive) -> None:
    for word, count in archive.clips.items():
        found = sum(1 for _ in folder.glob(f"{word}/*"))
        if found != count:
            raise DataError(f"the archive holds {found} clips of {word}, not {count}")
    missing = [name for name in archive.lists.values() if not (folder / name).is_file()]
    if missing:
        raise DataError(f"the archive holds no {' and no '.join(missing)}")
    for word, expected in archive.pcm_sha256.items():
        try:
            actual = pcm_sha256(folder / word)
        except DataError as error:
            raise DataError(f"the archive's clips of {word} cannot be decoded") from error
        if actual != expected:
            raise DataError(f"the archive's clips of {word} are not the published recordings")
