"""Every error a person can cause, and the exit code that goes with it."""

import difflib
import re
from collections.abc import Iterable

# C0 and C1 but for tab and line feed, DEL, and what turns the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word most like ``word``, or all of them."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"


def visible(text: str) -> str:
    """Return a text with its control characters, which a terminal would obey, shown as ``\\x1b``.

    Names of files, labels and studies may hold any; lines and tabs stay.
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class SweepError(Exception):
    """Something the user can act on; the message says what, where and what to do."""

    exit_code = 1

    def __str__(self) -> str:
        return visible(super().__str__())


class SpecError(SweepError):
    """A search-space file or a command line that cannot be used."""

    exit_code = 2


class PluginError(SpecError):
    """A network, front end or other object from outside that cannot be found or fails."""


class DataError(SweepError):
    """Recordings that are missing, unreadable or do not fit the request."""


class StudyError(SweepError):
    """A study that is missing, locked, or was made for another search space."""


class NothingFeasible(SweepError):
    """A sweep that ended without a trial inside the limits."""

    exit_code = 3


class ManyFailures(SweepError):
    """A sweep of which many trials failed by an error."""

    exit_code = 4


class Interrupted(SweepError):
    """Ctrl-C, with everything finished so far kept."""

    exit_code = 130
