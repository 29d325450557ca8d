"""WAV files that libsndfile reads with help only: never closed by their recorder, or with MP3."""

import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from itertools import islice
from os import PathLike
from typing import BinaryIO, NamedTuple

import soundfile

_MP3 = 0x55
_MOST_CHUNKS = 1000


class _Chunk(NamedTuple):
    """A part of a RIFF file: four letters, where its content begins, how long it claims to be."""

    name: bytes
    start: int
    size: int


def open_with_help(path: str | PathLike[str]) -> soundfile.SoundFile | None:
    """Open what a WAV file holds in spite of its header; None where there is nothing to help with.

    A recorder that was cut off has written no size: all to the end of the file is sound then, as
    FFmpeg has it too.  MP3 in a WAV file is read as the MP3 it is.

    Raises:
        OSError: if the file cannot be read.
        SoundFileError: if what it holds cannot be decoded either.
    """
    with open(path, "rb") as file:
        chunks = list(islice(_chunks(file), _MOST_CHUNKS))
        end = file.seek(0, os.SEEK_END)
        data = next((chunk for chunk in chunks if chunk.name == b"data"), None)
        if data is None:
            return None
        if data.size:
            return _embedded(path, data.start) if _format(file, chunks) == _MP3 else None
        if chunks[-1].start + chunks[-1].size == end:
            return None
        return _closed(file, data.start, end)


def _chunks(file: BinaryIO) -> Iterator[_Chunk]:
    """Yield the chunks of a WAV file, as long as there is one where the last one ended."""
    head = file.read(12)
    if head[:4] + head[8:] != b"RIFFWAVE":
        return
    while len(header := file.read(8)) == 8 and header[:4].isascii():
        name, size = struct.unpack("<4sI", header)
        if not name.decode().isprintable():
            return
        yield _Chunk(name, file.tell(), size)
        file.seek(size + size % 2, os.SEEK_CUR)


def _format(file: BinaryIO, chunks: list[_Chunk]) -> int:
    """Return the number of the encoding; 0 if there is none."""
    start = next((chunk.start for chunk in chunks if chunk.name == b"fmt "), None)
    if start is None:
        return 0
    file.seek(start)
    return int.from_bytes(file.read(2), "little")


def _embedded(path: str | PathLike[str], start: int) -> soundfile.SoundFile:
    """Open the sound file that begins somewhere in another file."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    os.lseek(handle, start, os.SEEK_SET)
    return soundfile.SoundFile(handle, closefd=True)


def _closed(file: BinaryIO, start: int, end: int) -> soundfile.SoundFile:
    """Open a copy of a WAV file in which the sizes are what they should be."""
    with tempfile.TemporaryFile() as copy:
        file.seek(0)
        shutil.copyfileobj(file, copy)
        for place, size in ((4, end - 8), (start - 4, end - start)):
            copy.seek(place)
            copy.write(struct.pack("<I", min(size, 2**32 - 1)))
        copy.seek(0)
        return soundfile.SoundFile(os.dup(copy.fileno()), closefd=True)
