"""What is said when in a stream of sound; times from files: labels of Audacity, or CSV."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sweep.audio.layout import UNKNOWN
from sweep.errors import DataError

_MOST_BYTES = 2**24


@dataclass(frozen=True)
class Spoken:
    """A word in a stream.

    Attributes:
        label: its label in the data set, a keyword or ``_unknown_``.
        clip: the name of the clip it was taken from.
        start_in_s, end_in_s: when it is spoken.
        snr_db: the mean power of its clip relative to the noise that was added; None in a
            recording.
    """

    label: str
    clip: str
    start_in_s: float
    end_in_s: float
    snr_db: float | None

    def later(self, seconds: float) -> "Spoken":
        """Return the word that much later."""
        return replace(self, start_in_s=self.start_in_s + seconds, end_in_s=self.end_in_s + seconds)


@dataclass(frozen=True)
class Stream:
    """Sound of which it is known what is spoken when.

    Attributes:
        samples: int16 ``[samples]``, mono.
        rate: sampling rate in Hz.
        spoken: the words, in the order of their starts.
        key: of the sound in the cache, see ``sound_of``; empty where it is not kept there.
    """

    samples: np.ndarray
    rate: int
    spoken: tuple[Spoken, ...]
    key: str = ""

    @property
    def hours(self) -> float:
        """Its length in hours."""
        return len(self.samples) / self.rate / 3600


def read_times(path: Path, keywords: Sequence[str]) -> tuple[Spoken, ...]:
    """Return the words of a file of times, in the order of their starts.

    A line has start and end in seconds and a label, separated by tabs as Audacity exports them, or
    by commas; a first line that begins with a letter is a header.  What is no keyword is labelled
    ``_unknown_``.

    Args:
        path: the file.
        keywords: the labels that are detected.

    Raises:
        DataError: if it cannot be read or is no file of times; the message names the line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in UTF-8") from error
    if len(content) > _MOST_BYTES:
        raise DataError(f"{path}: more than {_MOST_BYTES // 2**20} MB")
    words = [
        Spoken(label if label in keywords else UNKNOWN, f"{label}/{path.stem}", start, end, None)
        for start, end, label in _rows(path, text)
    ]
    return tuple(sorted(words, key=lambda word: word.start_in_s))


def _rows(path: Path, text: str) -> Iterator[tuple[float, float, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        # A line of Audacity that begins with \ has the frequencies of the label above.
        if not line.strip() or line.startswith("\\"):
            continue
        cells = line.split("\t") if "\t" in line else next(csv.reader([line]))
        if number == 1 and cells[0].strip()[:1].isalpha():
            continue
        try:
            start, end, label = float(cells[0]), float(cells[1]), cells[2].strip()
        except (ValueError, IndexError) as error:
            raise DataError(
                f"{path}: line {number}: not start and end in seconds, then a label"
            ) from error
        if not (0 <= start <= end < math.inf and label):
            raise DataError(f"{path}: line {number}: needs 0 <= start <= end, and a label")
        yield start, end, label
