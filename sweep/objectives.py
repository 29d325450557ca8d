"""The metrics, limits and objectives of a search-space file, checked."""

from collections.abc import Mapping

from sweep.errors import PluginError, SpecError, nearest
from sweep.limits import EVERY_WORD, Limit
from sweep.metrics import METRICS, OF_STREAMS, ON_CORE, Metric, metrics_named, metrics_of
from sweep.spec import SpaceFile


def read_metrics(file: SpaceFile) -> dict[str, Metric]:
    """Return the metrics of every trial, by name: built-in ones and plugins.

    Raises:
        SpecError: if a plugin is not found or is no metric.
    """
    metrics = metrics_of(file.dataset.outputs, file.dataset.streams, file.target)
    for i, name in enumerate(file.metrics):
        try:
            metrics |= metrics_named([name])
        except PluginError as error:
            raise SpecError(f"metrics.{i}: {error}") from error
    return metrics


def read_limits(texts: Mapping[str, str], metrics: Mapping[str, Metric]) -> list[Limit]:
    """Return the limits; with a limit on a trained metric, ``EVERY_WORD`` is one of them.

    Args:
        texts: the section ``limits`` of the file.
        metrics: all metrics, by name.

    Raises:
        SpecError: if a metric is unknown or a limit cannot be read.
    """
    limits = []
    for metric, text in texts.items():
        place = f"limits.{metric}"
        _check_known(place, metric, metrics)
        try:
            limits.append(Limit.parse(metrics[metric], text))
        except ValueError as error:
            raise SpecError(f"{place}: {error}") from error
    if EVERY_WORD.metric not in texts and any(metrics[m].known == "trained" for m in texts):
        limits.append(EVERY_WORD)
    return limits


def check_objectives(file: SpaceFile, metrics: Mapping[str, Metric]) -> None:
    """Check the objectives, and the goal of the search.

    Raises:
        SpecError: if a metric is unknown, a direction is wrong, or a goal is not an objective.
    """
    if file.clock_mhz and not file.target:
        raise SpecError("clock_mhz: is that of a core; name it, for example target: cortex-m4")
    for metric, direction in file.objectives.items():
        place = f"objectives.{metric}"
        _check_known(place, metric, metrics)
        if direction != metrics[metric].direction:
            raise SpecError(f"{place}: must be {metrics[metric].direction}")
    for metric, value in file.search.goal.items():
        place = f"search.goal.{metric}"
        if metric not in file.objectives:
            raise SpecError(
                f"{place}: not an objective of this search{nearest(metric, file.objectives)}"
            )
        try:
            metrics[metric].check_bound(value)
        except ValueError as error:
            raise SpecError(f"{place}: {error}") from error


def _check_known(place: str, name: str, metrics: Mapping[str, Metric]) -> None:
    if name in metrics:
        return
    message = f"unknown metric{nearest(name, metrics)}"
    if name in OF_STREAMS:
        message = "is measured in streams; add dataset.streams, for example {hours: 1}"
    elif name in ON_CORE:
        message = "is counted on a core; name it, for example target: cortex-m4"
    elif name == "target":
        message = "is no limit; write it beside limits, as it counts for objectives, too"
    elif name in METRICS:
        message = "needs dataset.unknown or dataset.silence"
    raise SpecError(f"{place}: {message}")
