"""Recordings sent to a machine that does not have their folder, once, into its cache."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sweep import cache
from sweep.audio.dataset import SEARCHED, Dataset, fingerprint
from sweep.audio.reading import read
from sweep.audio.sources.lookup import is_folder
from sweep.errors import DataError, SweepError

MOST_BYTES = 2**32
_PART_BYTES = 2**23

Part = Sequence[tuple[str, bytes]]
"""Names of recordings, and what follows of their content."""


class Lacking(DataError):
    """Raised where recordings are neither in their folder nor in the cache."""


def at_hand(dataset: Dataset) -> Dataset:
    """Return a dataset with its recordings where this machine has them.

    Raises:
        Lacking: if it has them nowhere.
    """
    spec = dataset.spec
    folders = [spec.source] if is_folder(spec.source) else []
    folders += [spec.unknown.folder] if spec.unknown and spec.unknown.folder else []
    folders += [spec.streams.recordings] if spec.streams and spec.streams.recordings else []
    if all(Path(folder).is_dir() for folder in folders):
        return dataset
    with cache.only_reading():
        try:
            return dataset.kept_in(cache.entry(*_key(dataset), _never))
        except SweepError as error:
            raise Lacking(f"{spec.source}: no such folder") from error


def parts(dataset: Dataset) -> Iterator[Part]:
    """Yield the recordings that a search reads, some megabytes at a time.

    Raises:
        DataError: if they are too many to be sent.
    """
    names = [*(name for split in SEARCHED for name in dataset.listed[split]), *dataset.noises]
    files = {name: dataset.folder / name for name in names} | dataset.long_files
    size = sum(file.stat().st_size for file in files.values())
    if size > MOST_BYTES:
        raise DataError(
            f"{dataset.spec.source}: {size / 2**30:.1f} GB are too much to send to workers that"
            " lack the folder; let them have it at the same path"
        )
    part: list[tuple[str, bytes]] = []
    for name, path in files.items():
        with open(path, "rb") as file:
            while content := file.read(_PART_BYTES):
                part.append((name, content))
                if sum(len(piece) for _, piece in part) >= _PART_BYTES:
                    yield part
                    part = []
    yield part


def begin(dataset: Dataset) -> bool:
    """Make ready to receive recordings; tell whether they are lacking still."""
    try:
        at_hand(dataset)
    except Lacking:
        shutil.rmtree(_arriving(), ignore_errors=True)
        return True
    return False


def receive(part: Part) -> None:
    """Keep a part for now."""
    for name, content in part:
        file = _arriving() / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "ab") as opened:
            opened.write(content)


def accept(dataset: Dataset) -> None:
    """Take what was received into the cache, if it is what the dataset was made of.

    Raises:
        DataError: if it is not.
    """

    def build(scratch: Path) -> None:
        arrived, listed = _arriving(), dataset.listed
        every = [*(listed[split] for split in SEARCHED), dataset.noises]
        contents = [read(arrived, names, lambda path: None).content for names in every]
        spec = dataset.kept_in(arrived).spec
        if fingerprint(spec, contents, listed["testing"]) != dataset.fingerprint:
            raise DataError(f"{dataset.spec.source}: the recordings did not arrive as they were")
        shutil.copytree(arrived, scratch, dirs_exist_ok=True)

    try:
        cache.entry(*_key(dataset), build)
    finally:
        shutil.rmtree(_arriving(), ignore_errors=True)


def _key(dataset: Dataset) -> tuple[str, str]:
    return "recordings", dataset.fingerprint


def _arriving() -> Path:
    return Path(tempfile.gettempdir()) / "recordings"


def _never(folder: Path) -> None:
    raise AssertionError("not built")
