"""The trials on the page: a row for each, and details of the most interesting."""

import math
from collections.abc import Container
from typing import Any

import pandas as pd

from sweep.evaluation import Variant
from sweep.format import describe_candidate, metric_title, plain, short_title
from sweep.metrics import Metric
from sweep.study.records import StudyRecord, TrialRecord
from sweep.study.summary import feasible_front, metric_names, picks

MOST_CLIPS = 24
"""Number of misclassified clips listed, the most confident first."""

_MOST_DETAILS = 60
_MORE_DIGITS = 2

_VARIANTS = {
    "gated": "Variants expected, of an untrained network",
    "stopped": "Variants expected, and the accuracy where training stopped",
}


def trial_rows(record: StudyRecord, frame: pd.DataFrame) -> dict[str, Any]:
    """Return all trials as columns of plain values.

    ``trials`` has a list a column: number, outcome, reason, what it is, then every metric;
    ``columns`` describes the metrics (``studied`` where the study limits it or aims at it);
    ``intervals`` are the 95 % intervals of sampled metrics; ``parameters`` are the values, not
    rounded, of those that vary.
    """
    studied = metric_names(record.space)
    names = [*studied, *(name for name in record.space.metrics if name not in studied)]
    metrics = [record.space.metrics[name] for name in names]
    rows = frame.to_dict("records")
    trials: dict[str, list[Any]] = {
        "trial": [int(number) for number in frame["trial"]],
        "outcome": list(frame["outcome"]),
        "reason": list(frame["reason"]),
        "what": [describe_candidate(row) for row in rows],
    }
    known = {}
    for metric in metrics:
        trials[metric.name] = _rounded(frame[metric.name], metric)
        if f"{metric.name}_low" in frame:
            low, high = (_rounded(frame[f"{metric.name}_{end}"], metric) for end in ("low", "high"))
            pairs = zip(low, high, strict=True)
            known[metric.name] = [None if pair[0] is None else list(pair) for pair in pairs]
    return {
        "trials": trials,
        "columns": [
            {
                "name": metric.name,
                "title": short_title(metric),
                "unit": metric.unit,
                "digits": metric.places,
                "studied": metric.name in studied,
            }
            for metric in metrics
        ],
        "intervals": known,
        "parameters": {
            name: [_exact(value) for value in frame[name]] for name in record.space.distributions
        },
    }


def _rounded(column: pd.Series, metric: Metric) -> list[float | None]:
    places = (metric.places or 0) + _MORE_DIGITS
    return [None if math.isnan(value) else round(value, places) for value in column]


def _exact(value: Any) -> str | float:
    """Return a parameter's value as plain JSON, not rounded."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value):
        return value
    return plain(value)


def noted_trials(record: StudyRecord, frame: pd.DataFrame) -> list[TrialRecord]:
    """Return the trials with details: the front (at most sixty), picks and finalists."""
    wanted = set(feasible_front(record, frame)["trial"].head(_MOST_DETAILS))
    wanted |= {one.trial for one in record.finalists}
    wanted |= {one.trial for one in picks(record, frame)}
    return [trial for trial in record.trials if trial.number in wanted]


def trial_details(
    record: StudyRecord, trial: TrialRecord, playable: Container[str] = ()
) -> dict[str, Any]:
    """Return the details of a trial.

    Args:
        record: the study.
        trial: one of its trials.
        playable: the recordings that the page can play, by name.
    """
    found = trial.evaluation
    names = [name for name in metric_names(record.space) if _known(trial, name)]
    more = [name for name in record.space.metrics if name not in names and _known(trial, name)]
    metrics = [record.space.metrics[name] for name in (*names, *more)]
    values = trial.candidate.parameters()
    varying = record.space.distributions
    return {
        "title": _VARIANTS.get(found.outcome, "Variants measured"),
        "head": ["variant", *(metric_title(one) for one in metrics)],
        "variants": [
            [
                variant.quantization,
                *(one.text(variant[one.name], _interval(variant, one)) for one in metrics),
            ]
            for variant in found.variants
        ],
        "chosen": found.chosen,
        "machine": ", ".join(filter(None, (found.machine, found.processor))),
        "accuracies": [round(value, 4) for value in found.accuracies],
        "losses": [round(value, 4) if math.isfinite(value) else None for value in found.losses],
        "confusion": [list(row) for row in found.confusion],
        "mistakes": clips(found.mistakes[:MOST_CLIPS], playable),
        "more_mistakes": max(0, len(found.mistakes) - MOST_CLIPS),
        "varied": {name: plain(value) for name, value in values.items() if name in varying},
        "fixed": {name: plain(value) for name, value in values.items() if name not in varying},
    }


def _interval(variant: Variant, metric: Metric) -> tuple[float, float] | None:
    value, exposure = variant[metric.name], variant.exposures.get(metric.name)
    return None if value is None or exposure is None else metric.interval(value, exposure)


def _known(trial: TrialRecord, name: str) -> bool:
    return any(variant[name] is not None for variant in trial.evaluation.variants)


def clips(names: Any, playable: Container[str], notes: Any = None) -> list[dict[str, Any]]:
    """Return clips by name, with a note, and whether the page can play each."""
    noted = zip(names, notes or [""] * len(names), strict=True)
    return [{"name": name, "note": note, "playable": name in playable} for name, note in noted]
