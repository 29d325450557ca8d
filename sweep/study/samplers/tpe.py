"""Optuna's TPE with a bounded cost per trial."""

from typing import Any, cast

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.samplers._tpe.sampler import _split_trials
from optuna.trial import FrozenTrial, TrialState

from sweep.space import Space

_MOST_TRIALS = 800
_ALWAYS_KEPT = 80
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def tpe(space: Space, seed: int) -> BaseSampler:
    """Return the TPE sampler; all trials have all parameters, so ``group`` would change nothing."""
    return BoundedTPESampler(multivariate=True, seed=seed)


class BoundedTPESampler(TPESampler):
    """TPE that learns from at most 800 trials.

    Beyond that it drops every second trial except the best tenth, so that old, mediocre trials fade
    out, as they do in TPE's own weights.  It processes trials by number, so a resumed search drops
    the same trials as one that was not interrupted.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._kept: dict[int, FrozenTrial] = {}
        self._dropped: set[int] = set()

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the values TPE proposes, from the trials it has kept."""
        for finished in study._get_trials(deepcopy=False, states=_FINISHED, use_cache=True):
            if finished.number not in self._kept and finished.number not in self._dropped:
                self._kept[finished.number] = finished
                if len(self._kept) > _MOST_TRIALS:
                    self._drop(study)
        view = cast(optuna.Study, _KeptTrials(study, self._dropped))
        return super().sample_relative(view, trial, search_space)

    def _drop(self, study: optuna.Study) -> None:
        _, others = _split_trials(study, list(self._kept.values()), _ALWAYS_KEPT)
        for trial in others[::2]:
            self._dropped.add(trial.number)
            del self._kept[trial.number]


class _KeptTrials:
    """A study without the dropped trials."""

    def __init__(self, study: optuna.Study, dropped: set[int]) -> None:
        self._study, self._without = study, dropped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    def _get_trials(self, *given: Any, **named: Any) -> list[FrozenTrial]:
        trials = self._study._get_trials(*given, **named)
        return [trial for trial in trials if trial.number not in self._without]
