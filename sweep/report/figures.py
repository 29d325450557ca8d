"""Every figure of a study, computed from its record and drawn; the page and others show them."""

import plotly.graph_objects as go

from sweep.report.axes import metric_names
from sweep.report.finalist import again, draw_confusion, draw_curves
from sweep.report.importance import draw_importance, importance
from sweep.report.parallel import SHOWN, draw_parallel, parallel
from sweep.report.progress import draw_progress, progress
from sweep.report.slices import draw_slice
from sweep.report.tradeoff import goals, tradeoff
from sweep.report.tradeoff_figure import draw_space, draw_tradeoff
from sweep.report.words import USUAL
from sweep.study.table import StudyRecord, table


def told_of(record: StudyRecord) -> list[str]:
    """Return what a point tells besides the usual metrics: others, then parameters."""
    metrics = [name for name in metric_names(record.space) if name not in USUAL]
    return metrics + list(record.space.varying)


def figures(record: StudyRecord) -> dict[str, go.Figure]:
    """Draw every figure of a study, by name.

    ``front-METRIC`` for each cost, ``space`` where there are two, ``parallel-SHOWN`` for each way
    to choose trials, ``importance``, ``slice``, ``progress-trials`` and ``progress-minutes``;
    ``curves-TRIAL`` and ``confusion-TRIAL`` of each finalist.
    Colours of text and paper are left to a template of ``sweep.report.theme``.
    """
    frame = table(record)
    names, told = list(record.space.varying), told_of(record)
    goal, costs = goals(record)
    pictures = [tradeoff(record, frame, cost, goal) for cost in costs]
    drawn = {f"front-{picture.x}": draw_tradeoff(picture, told) for picture in pictures}
    if len(pictures) > 1:
        drawn["space"] = draw_space(pictures[0], pictures[1], told)
    for show in SHOWN:
        drawn[f"parallel-{show}"] = draw_parallel(parallel(record, frame, show))
    if names:
        shares = importance(record, frame)
        drawn["importance"] = draw_importance(shares)
        drawn["slice"] = draw_slice(record, frame, shares.parameters[0], goal)
    found = progress(record, frame)
    drawn["progress-trials"] = draw_progress(found, "trials")
    drawn["progress-minutes"] = draw_progress(found, "minutes")
    for one in map(again, record.finalists):
        if any(one.accuracies):
            drawn[f"curves-{one.trial}"] = draw_curves(one.accuracies, one.losses)
        if one.confusion:
            labels = record.space.file.dataset.labels
            drawn[f"confusion-{one.trial}"] = draw_confusion(one.confusion, labels)
    return drawn
