"""The live page of one trial: candidate, curves, variants, confusion, clips heard wrong."""

from collections.abc import Container, Sequence

from dash import dcc, html
from dash.development.base_component import Component

from sweep.evaluation import Evaluation
from sweep.metrics import METRICS
from sweep.predict import MODEL
from sweep.report.finalist import draw_confusion, draw_curves
from sweep.report.live_pages import graph, part
from sweep.report.live_parts import address, clip_list, row_of, scrolled
from sweep.report.live_view import Figure, plain_figure
from sweep.report.words import accuracy, amount, plain
from sweep.study.table import StudyRecord, TrialRecord

MOST_CLIPS = 24
"""How many of the clips heard wrong are listed, the most confident first."""

_VARIANTS = {
    "gated": "Variants expected, of a network not trained",
    "stopped": "Variants expected, and the accuracy where training stopped",
}


def trial_page(record: StudyRecord, number: int, audible: Container[str]) -> Component:
    """Return the page of a trial.

    Args:
        record: the study.
        number: the trial.
        audible: the recordings that can be played, by name.
    """
    back = html.Nav(
        html.A(f"All of {record.name}", href=address(record.name), className="button"),
        className="tools",
    )
    trial = next((one for one in record.trials if one.number == number), None)
    if trial is None:
        again = html.A("Look again", href=address(record.name, number))
        return html.Div([back, html.P([f"Trial {number} has not ended. ", again])])
    found = trial.evaluation
    figures = _figures(record, found)
    places = [
        html.Section([html.H2(heading), graph(name, record.name, heading)])
        for name, heading in (("curves", "Training"), ("confusion", "Validation clips"))
        if name in figures
    ]
    return html.Div(
        [
            back,
            _headline(record, trial),
            _section(_VARIANTS.get(found.outcome, "Variants measured"), _variants(found)),
            dcc.Store(id=part("figures", record.name), data=figures),
            html.Div(places, className="pair"),
            _section("Heard wrong, most confident first", *_clips(record, trial, audible)),
            html.Section([html.H2("Candidate"), *_candidate(record, trial)]),
        ]
    )


def _headline(record: StudyRecord, trial: TrialRecord) -> Component:
    found, result = trial.evaluation, trial.evaluation.result
    facts = [found.outcome, *([found.reason] if found.reason else [])]
    if result is not None:
        if result["accuracy"] is not None:
            facts.append(f"accuracy {accuracy(result['accuracy'], found.clips)}")
        facts += [amount(name, result[name]) for name in ("size_kb", "latency_ms")]
        facts.append(result.quantization)
    pieces = [
        html.P(["A trial of ", html.B(record.name)], className="kicker"),
        html.H1(f"Trial {trial.number}"),
        html.P(" · ".join(facts)),
    ]
    if found.outcome == "feasible":
        command = f"sweep export {record.argument} --trial {trial.number}"
        pieces.append(
            html.Div(
                [
                    html.A(
                        f"Download {MODEL}",
                        href=f"{address(record.name, trial.number)}/{MODEL}",
                        className="button",
                        download=f"{record.name}-{trial.number}.tflite",
                    ),
                    html.Code(command, id="command"),
                    html.Button("Copy", id="copy", type="button"),
                ],
                className="tools",
            )
        )
    return html.Header(pieces)


def _section(heading: str, *children: Component | None) -> Component | None:
    kept = [child for child in children if child is not None]
    return html.Section([html.H2(heading), *kept]) if kept else None


def _variants(found: Evaluation) -> Component | None:
    if not found.variants:
        return None
    rows = [
        (
            v.quantization + (" ✓" if i == found.chosen else ""),
            "–" if v["accuracy"] is None else accuracy(v["accuracy"], found.clips),
            amount("size_kb", v["size_kb"]),
            amount("tflite_size_kb", v["tflite_size_kb"]),
            amount("ram_kb", v["ram_kb"]),
            amount("preprocessing_latency_ms", v["preprocessing_latency_ms"]),
            amount("model_latency_ms", v["model_latency_ms"]),
        )
        for i, v in enumerate(found.variants)
    ]
    head = ("variant", "accuracy", "size", "not zipped", "RAM", "front end", "model")
    result = found.result or found.variants[0]
    counted = f"{result['parameters']:,} parameters, {result['multiply_adds']:,} multiply-adds"
    meant = f"Size: {METRICS['size_kb'].meaning}. RAM: {METRICS['ram_kb'].meaning}."
    measured = html.P(f"{counted}. {meant}", className="quiet")
    return html.Div([_table(head, rows), measured])


def _figures(record: StudyRecord, found: Evaluation) -> dict[str, Figure]:
    drawn = {}
    if found.accuracies:
        drawn["curves"] = plain_figure(draw_curves([found.accuracies], [found.losses]))
    if found.confusion:
        labels = record.space.file.dataset.labels
        drawn["confusion"] = plain_figure(draw_confusion(found.confusion, labels))
    return drawn


def _clips(record: StudyRecord, trial: TrialRecord, audible: Container[str]) -> Sequence[Component]:
    mistakes = trial.evaluation.mistakes
    if not mistakes:
        return ()
    left = len(mistakes) - MOST_CLIPS
    more = [html.P(f"and {left} more", className="quiet")] if left > 0 else []
    listed = [(name, "") for name in mistakes[:MOST_CLIPS]]
    return *clip_list(f"{address(record.name, trial.number)}/clip", listed, audible), *more


def _candidate(record: StudyRecord, trial: TrialRecord) -> list[Component]:
    """Return every parameter, those that the space varies first."""
    values = trial.candidate.parameters()
    varied = [(name, plain(values[name])) for name in values if name in record.space.varying]
    fixed = [(name, plain(values[name])) for name in values if name not in record.space.varying]
    folded = html.Details([html.Summary("The parameters that are fixed"), _pairs(fixed)])
    return [_pairs(varied), folded]


def _pairs(pairs: list[tuple[str, str]]) -> Component:
    return html.Dl([kind(text) for pair in pairs for kind, text in zip((html.Dt, html.Dd), pair)])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Component:
    body = html.Tbody([row_of(html.Td, row) for row in rows])
    table = html.Table([html.Thead(row_of(html.Th, head)), body], className="numbers")
    return scrolled(table, "variants")
