"""Every error a person can cause, and the exit code that goes with it."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word most like ``word``, or all of them."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"


class SweepError(Exception):
    """Something the user can act on; the message says what, where and what to do."""

    exit_code = 1


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
