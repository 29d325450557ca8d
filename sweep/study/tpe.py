"""TPE whose asks cost the same however many trials there are."""

from typing import Any, cast

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe.sampler import _split_trials
from optuna.trial import FrozenTrial, TrialState

_LEARNT_FROM = 800
_NEVER_FORGOTTEN = 80
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class ForgetfulTPESampler(TPESampler):
    """TPE that learns from at most 800 trials.

    When there are more it forgets every second one, but for the best tenth, so that what is old
    and mediocre fades out, as it does in TPE's own weights.  It goes through the trials by number:
    a search that is resumed forgets what it would have forgotten without the interruption.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._kept: dict[int, FrozenTrial] = {}
        self._forgotten: set[int] = set()

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the values TPE proposes, from what it has not forgotten."""
        for finished in study._get_trials(deepcopy=False, states=_FINISHED, use_cache=True):
            if finished.number not in self._kept and finished.number not in self._forgotten:
                self._kept[finished.number] = finished
                if len(self._kept) > _LEARNT_FROM:
                    self._forget(study)
        view = cast(optuna.Study, _Remembered(study, self._forgotten))
        return super().sample_relative(view, trial, search_space)

    def _forget(self, study: optuna.Study) -> None:
        _, others = _split_trials(study, list(self._kept.values()), _NEVER_FORGOTTEN)
        for trial in others[::2]:
            self._forgotten.add(trial.number)
            del self._kept[trial.number]


class _Remembered:
    """A study without some of its trials."""

    def __init__(self, study: optuna.Study, forgotten: set[int]) -> None:
        self._study, self._without = study, forgotten

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def _get_trials(self, *given: Any, **named: Any) -> list[FrozenTrial]:
        trials = self._study._get_trials(*given, **named)
        return [trial for trial in trials if trial.number not in self._without]
