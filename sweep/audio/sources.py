"""Recordings known by name, where they come from, and how to tell that they are the true ones."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sweep import cache
from sweep.audio import download
from sweep.audio.clips import to_int16
from sweep.audio.layout import without_suffix
from sweep.audio.recording import Recording
from sweep.errors import DataError

SOURCES = {
    "synthetic": "any words spoken by eSpeak NG in noise, made here in seconds",
    "mini_speech_commands": "Google's recordings of 8 words, 1000 clips each: 182 MB, CC BY 4.0",
}
"""Every name that may stand for recordings, with what it is."""

URL_VARIABLE = "SWEEP_MINI_SPEECH_COMMANDS_URL"
SHA256_VARIABLE = "SWEEP_MINI_SPEECH_COMMANDS_SHA256"


@dataclass(frozen=True)
class Archive:
    """A ZIP archive of recordings, ``<word>/<clip>.wav`` somewhere inside, and what to expect.

    Attributes:
        name: what it is called here.
        url: where it is published.
        sha256: digest of the archive at ``url``; a mirror may have packed it anew.
        clips: the number of clips of each word.
        pcm_sha256: for some words, the ``pcm_sha256`` of their folder.
    """

    name: str
    url: str
    sha256: str | None
    clips: Mapping[str, int]
    pcm_sha256: Mapping[str, str] = field(default_factory=dict)


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


def mini_speech_commands(
    url: str | None = None,
    sha256: str | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Path:
    """Return the folder of Mini Speech Commands, downloaded first if it is not there yet.

    Args:
        url: a mirror; else ``$SWEEP_MINI_SPEECH_COMMANDS_URL``, else the publisher's address.
        sha256: digest the archive must have; else ``$SWEEP_MINI_SPEECH_COMMANDS_SHA256``, else
            the known one for the publisher's address and none for a mirror. What a mirror gives
            is still held against the inventory and the known recordings of go and stop.
        progress: called with what is being done and the share of it that is done, 0 to 1.

    Raises:
        DataError: if the download fails or brings something else.
    """
    url = url or os.environ.get(URL_VARIABLE)
    sha256 = sha256 or os.environ.get(SHA256_VARIABLE)
    return obtain(MINI_SPEECH_COMMANDS, url, sha256, progress)


def obtain(
    archive: Archive,
    url: str | None = None,
    sha256: str | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Path:
    """Return the folder of an archive's recordings, downloaded and checked if not there yet.

    Raises:
        DataError: if the download fails or brings something else.
    """
    address = url or archive.url
    expected = sha256 or (archive.sha256 if address == archive.url else None)

    def build(folder: Path) -> None:
        packed = folder / "archive.zip"
        try:
            download.fetch(address, packed, progress)
            _check_digest(packed, expected)
            download.unpack(packed, folder)
            _check_recordings(folder, archive)
        except DataError as error:
            message = str(error).removeprefix(f"{address}: ")
            raise DataError(
                f"{address}: {message}; a mirror can be named by --url or {URL_VARIABLE}"
            ) from error
        packed.unlink()

    return cache.entry("downloads", archive.name, build)


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
    for word, expected in archive.pcm_sha256.items():
        try:
            actual = pcm_sha256(folder / word)
        except DataError as error:
            raise DataError(f"the archive's clips of {word} cannot be decoded") from error
        if actual != expected:
            raise DataError(f"the archive's clips of {word} are not the published recordings")
