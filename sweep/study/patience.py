"""The time limit of a trial: given, or derived from the trials so far."""

_UNTIL_LEARNT_S = 3 * 3600.0
_LEAST_S = 600.0
_LEARNT_FROM = 3
_GENEROSITY = 10


class Patience:
    """The time limit of a trial.

    With none given it is ten times the longest trial that has ended, at least ten minutes; three
    hours until three have.

    Args:
        given_s: the limit in seconds, if the user gave one.
    """

    def __init__(self, given_s: float | None = None) -> None:
        self._given_s = given_s
        self._ended, self._longest_s = 0, 0.0

    @property
    def limit_s(self) -> float:
        """The current limit in seconds."""
        if self._given_s is not None:
            return self._given_s
        if self._ended < _LEARNT_FROM:
            return _UNTIL_LEARNT_S
        return max(_LEAST_S, _GENEROSITY * self._longest_s)

    def learn(self, seconds: float) -> None:
        """Record the duration of a trial that finished by itself."""
        self._ended += 1
        self._longest_s = max(self._longest_s, seconds)
