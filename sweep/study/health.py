"""Which workers fail candidates that others finish."""

from collections import Counter

_STRIKES = 2
"""How many candidates of others a worker fails before it is taken to be sick."""


class Health:
    """What is known of the workers of a search, by their addresses."""

    def __init__(self) -> None:
        self._strikes: Counter[str] = Counter()
        self._cured: set[str] = set()

    def is_sick(self, worker: str) -> bool:
        """Note that a worker failed a candidate that another finished; tell when that is enough."""
        self._strikes[worker] += 1
        return self._strikes[worker] == _STRIKES

    def may_be_cured(self, nanny: str) -> bool:
        """Tell whether the worker of a nanny is sick for the first time: another process may do."""
        first = nanny not in self._cured
        self._cured.add(nanny)
        return first
