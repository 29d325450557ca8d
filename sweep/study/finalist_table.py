"""The table of finalists: test results, limits, and the optimism of the search."""

from sweep.format import Table, counted, short_title
from sweep.metrics import FALSE_ALARMS_PER_HOUR, OF_STREAMS, Metric
from sweep.study.finalist import Finalist
from sweep.study.records import StudyRecord
from sweep.study.summary import goals

LEGEND = (
    "Mean and standard deviation over the seeds, and the 95 % interval of the mean. Chance: that "
    "the true share meets its limit. Luck: by how much the search had made it look better."
)


def finalist_table(record: StudyRecord) -> Table:
    """Return the table of finalists."""
    goal, costs = goals(record.space)
    costs = [cost for cost in costs if cost.name not in OF_STREAMS]
    folds = any(one.validated for one in record.finalists)
    name = short_title(goal)
    head = ["trial", "holds", "chance", f"test {name}", "interval", "in the search", "luck"]
    head += ["cross-validated"] if folds else []
    head += [short_title(one) for one in costs]
    rows = tuple(
        (*_cells(one, record, goal, folds), *(_over_seeds(one, cost) for cost in costs))
        for one in record.finalists
    )
    return Table(_title(record), tuple(head), rows)


def streams_table(record: StudyRecord) -> Table | None:
    """Return what finalists detect in the stream of test speakers; None where there is none."""
    metrics = [record.space.metrics[name] for name in OF_STREAMS if name in record.space.metrics]
    finalists = [one for one in record.finalists if FALSE_ALARMS_PER_HOUR.name in one.exposures]
    if not metrics or not finalists:
        return None
    head, exposures = ["trial"], finalists[0].exposures
    for metric in metrics:
        head.append(short_title(metric))
        head += ["interval"] if metric.name in exposures else []
        head.append("in the search")
    rows = tuple(_in_streams(one, metrics) for one in finalists)
    hours = exposures[FALSE_ALARMS_PER_HOUR.name]
    return Table(f"In {hours:.3g} h of sound by test speakers", tuple(head), rows)


def _in_streams(one: Finalist, metrics: list[Metric]) -> tuple[str, ...]:
    cells = [str(one.trial)]
    for metric in metrics:
        cells.append(_over_seeds(one, metric))
        if metric.name in one.exposures:
            cells.append("–".join(map(metric.number, one.interval(metric.name))))
        cells.append(metric.text(one.searched[metric.name]))
    return tuple(cells)


def _title(record: StudyRecord) -> str:
    seeds = max((len(one.retrainings) for one in record.finalists), default=0)
    clips = max((one.test_clips for one in record.finalists), default=0)
    title = (
        f"Trained again from {counted(seeds, 'seed')}, then the {clips} {record.tested_on}, once"
    )
    if len(record.tested) > len(record.finalists):
        title += f"; {len(record.tested)} trials have been measured on them by now, so the best of"
        title += " them is partly lucky there, too"
    return title


def _cells(one: Finalist, record: StudyRecord, goal: Metric, folds: bool) -> list[str]:
    chance = one.chance(record.space.limits)
    curse = -goal.sign * one.curse(goal.name)
    luck = f"{100 * curse:+.1f} points" if goal.share else f"{curse:+.4g} {goal.unit}".strip()
    ends = one.interval(goal.name) if goal.name in one.exposures else None
    cells = [
        str(one.trial),
        "yes" if one.holds(record.space.limits) else "no",
        "–" if chance is None else f"{chance:.0%}",
        _over_seeds(one, goal),
        "–" if ends is None else "–".join(map(goal.number, ends)),
        goal.text(one.searched[goal.name]),
        luck.replace("-", "−"),
    ]
    if folds:
        cells.append(_validated(one, record.space.goal))
    return cells


def _validated(one: Finalist, goal: Metric) -> str:
    """Return the cross-validated goal; a dash without folds, or where it is not of clips."""
    if one.validated is None or goal.exposure is None:
        return "–"
    return goal.text(one.validated.value(goal), one.validated.interval(goal))


def _over_seeds(one: Finalist, metric: Metric) -> str:
    """Return mean and standard deviation over the seeds; one seed has no deviation."""
    mean, spread = one.mean(metric.name), one.spread(metric.name)
    if len(one.retrainings) == 1:
        return metric.text(mean)
    return f"{metric.number(mean)} ± {metric.text(spread)}"


def describe_finalist(one: Finalist, record: StudyRecord) -> list[str]:
    """Return the results of a finalist, as lines."""
    goal, costs = goals(record.space)
    ends = one.interval(goal.name) if goal.name in one.exposures else None
    spread = f", ± {goal.text(one.spread(goal.name))}" if len(one.retrainings) > 1 else ""
    tested = f"{one.test_clips} {one.tested_on}"
    if goal.name in OF_STREAMS:
        tested = "the stream of test speakers"
    return [
        "holds" if one.holds(record.space.limits) else "does not hold",
        f"{goal.text(one.mean(goal.name), ends)} on {tested}",
        f"{counted(len(one.retrainings), 'seed')}{spread}; the search measured "
        f"{goal.text(one.searched[goal.name])}",
        ", ".join(f"{short_title(cost)} {cost.text(one.mean(cost.name))}" for cost in costs),
    ]
