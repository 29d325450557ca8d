"""A user's long recordings, in a folder for each split, with files of times beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweep.audio.layout import SUFFIXES
from sweep.audio.location import stamp
from sweep.audio.spoken import Spoken, read_times
from sweep.errors import DataError

_TIMES = (".txt", ".csv")


@dataclass(frozen=True)
class LongRecording:
    """A long recording; ``times`` is the file of what is said in it, None if no keyword is."""

    path: Path
    times: Path | None

    @property
    def files(self) -> tuple[Path, ...]:
        """The recording, and its times."""
        return (self.path,) if self.times is None else (self.path, self.times)

    @property
    def stamp(self) -> str:
        """A digest that tells whether its files were replaced."""
        return stamp(self.path.parent, [path.name for path in self.files])

    def spoken(self, keywords: Sequence[str]) -> tuple[Spoken, ...]:
        """Return what is said in it.

        Raises:
            DataError: if its times cannot be read.
        """
        return () if self.times is None else read_times(self.times, keywords)


def long_recordings(folder: str | None, split: str) -> list[LongRecording]:
    """Return the long recordings of a split, by name; none without a folder.

    Raises:
        DataError: if there is no folder for the split, or no recording in it.
    """
    if folder is None:
        return []
    place = Path(folder) / split
    try:
        files = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise DataError(
            f"{place}: cannot be read ({error.strerror}); put long recordings into folders named"
            " validation and testing"
        ) from error
    if not files:
        raise DataError(f"{place}: has no recordings ({', '.join(SUFFIXES)})")
    return [LongRecording(file, _times_beside(file)) for file in files]


def _times_beside(file: Path) -> Path | None:
    beside = (file.with_suffix(suffix) for suffix in _TIMES)
    return next((path for path in beside if path.is_file()), None)
