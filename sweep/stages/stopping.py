"""When to stop a training whose accuracy limit is out of reach."""

from sweep.limits import Limit
from sweep.stages.training import Progress

_WATCHED = (0.3, 0.8)
_SLACK = 0.15


def out_of_reach(progress: Progress, limits: list[Limit]) -> str:
    """Return why training should end now, or an empty string.

    Between 30 and 80 % of its epochs a training ends when the best of its last five validation
    accuracies is below the limit by more than 0.15 times the share of epochs left.
    """
    done = len(progress.accuracies) / progress.epochs
    best = max(progress.accuracies[-5:])
    for limit in limits:
        if limit.metric == "accuracy" and _WATCHED[0] <= done <= _WATCHED[1]:
            if best < limit.bound - _SLACK * (1 - done):
                return (
                    f"accuracy {best:.3f} after {len(progress.accuracies)} of {progress.epochs}"
                    f" epochs; {limit} is out of reach"
                )
    return ""
