"""The errors that users can fix, with their exit codes."""

import difflib
import re
from collections.abc import Iterable

# C0 and C1 except tab and line feed, DEL, and changes of text direction.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word most like ``word``, or all of them."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"


def visible(text: str) -> str:
    """Return a text with control characters escaped, as ``\\x1b``; line feeds and tabs stay.

    Names of files, labels and studies may contain sequences that a terminal would execute.
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class SweepError(Exception):
    """Base class of errors the user can fix; the message says what, where and what to do."""

    exit_code = 1

    def __str__(self) -> str:
        return visible(super().__str__())


class SpecError(SweepError):
    """An invalid search-space file or command line."""

    exit_code = 2


class PluginError(SpecError):
    """A plugin that is not found or fails."""


class DataError(SweepError):
    """Recordings that are missing, unreadable or do not match the request."""


class StudyError(SweepError):
    """A study that is missing, locked, or was made for another search space."""


class NothingFeasible(SweepError):
    """A sweep that ended without a feasible trial."""

    exit_code = 3


class ManyFailures(SweepError):
    """A sweep in which many trials failed with an error."""

    exit_code = 4


class Interrupted(SweepError):
    """Ctrl-C; finished trials are kept."""

    exit_code = 130
