"""The figures of a study: each computed as a plain record, then drawn with Plotly."""

import plotly.graph_objects as go

from sweep.report.figures.det import det, draw_det
from sweep.report.figures.finalists import draw_confusion, draw_curves, retrained
from sweep.report.figures.fronts import draw_space, draw_tradeoff
from sweep.report.figures.importance import draw_importance, importance
from sweep.report.figures.parallel import SHOWN, draw_parallel, parallel
from sweep.report.figures.progress import draw_progress, search_history
from sweep.report.figures.slices import draw_slice
from sweep.report.figures.timeline import draw_timeline, timeline
from sweep.report.figures.tradeoff import tradeoff
from sweep.study.records import StudyRecord
from sweep.study.summary import goals
from sweep.study.table import table


def figures(record: StudyRecord) -> dict[str, go.Figure]:
    """Draw every figure of a study, by name.

    ``front-METRIC`` for each cost, ``space`` where there are two, ``parallel-SHOWN`` for each way
    to choose trials, ``importance``, ``slice``, ``progress-trials`` and ``progress-minutes``;
    ``curves-TRIAL`` and ``confusion-TRIAL`` of each finalist; where they were run over a stream
    ``det``, and ``timeline-TRIAL`` of each.
    A template of ``sweep.report.theme`` sets the colours of text and background.
    """
    frame = table(record)
    goal, costs = goals(record.space)
    pictures = [tradeoff(record, frame, cost, goal) for cost in costs]
    drawn = {f"front-{picture.x.name}": draw_tradeoff(picture) for picture in pictures}
    if len(pictures) > 1:
        drawn["space"] = draw_space(pictures[0], pictures[1])
    for show in SHOWN:
        drawn[f"parallel-{show}"] = draw_parallel(parallel(record, frame, show))
    if record.space.distributions:
        shares = importance(record, frame)
        drawn["importance"] = draw_importance(shares)
        drawn["slice"] = draw_slice(record, frame, shares.parameters[0], goal.name)
    found = search_history(record, frame)
    drawn["progress-trials"] = draw_progress(found, "trials")
    drawn["progress-minutes"] = draw_progress(found, "minutes")
    dataset = record.space.file.dataset
    for one in record.finalists:
        again = retrained(one)
        if any(again.accuracies):
            drawn[f"curves-{one.trial}"] = draw_curves(again.accuracies, again.losses)
        if again.confusion:
            drawn[f"confusion-{one.trial}"] = draw_confusion(again.confusion, dataset.outputs)
        if one.listening is not None:
            line = timeline(one.listening, dataset.labels, dataset.label_from)
            drawn[f"timeline-{one.trial}"] = draw_timeline(line)
    curves = det(record)
    if curves is not None:
        drawn["det"] = draw_det(curves)
    return drawn
