"""The live page's layouts: the list of studies, a study, two studies side by side."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from sweep.report import hold
from sweep.report.axes import title
from sweep.report.importance import importance
from sweep.report.live_parts import address, row_of, scrolled
from sweep.report.live_view import View
from sweep.report.page import first_shown
from sweep.report.parallel import SHOWN
from sweep.report.tradeoff import goals
from sweep.report.words import amount
from sweep.study.table import StudyRecord

TICK_IN_MS = 1500
"""How often a page asks whether a trial has ended."""

_CONFIG = {
    "displaylogo": False,
    "displayModeBar": False,
    "responsive": True,
    "plotlyServerURL": "",
    "plotGlPixelRatio": 1,
}


def part(name: str, study: str) -> dict[str, str]:
    """Return the id of a part of a study's page."""
    return {"part": name, "study": study}


def graph(name: str, study: str, label: str) -> Component:
    """Return the place of a figure."""
    drawn = dcc.Graph(id={"figure": name, "study": study}, config=_CONFIG, className="plot")
    return html.Div(drawn, role="group", **{"aria-label": label})


def index_page(records: Sequence[StudyRecord | str]) -> Component:
    """Return the list of studies; a study that cannot be read is given by why."""
    head = ("study", "labels", "trials", "feasible", "confirmed", "smallest", "last trial ended")
    rows = [
        html.Tr(html.Td(record, colSpan=7) if isinstance(record, str) else _index_row(record))
        for record in records
    ]
    table = html.Table([html.Thead(row_of(html.Th, head)), html.Tbody(rows)])
    nothing = html.P("There is no study here yet; sweep run makes one.")
    return html.Section([html.H1("Studies"), scrolled(table, "studies") if rows else nothing])


def _index_row(record: StudyRecord) -> list[Component]:
    feasible = [trial for trial in record.trials if trial.evaluation.outcome == "feasible"]
    picked = record.confirmed() or {trial.number for trial in feasible}
    results = [trial.evaluation.result for trial in feasible if trial.number in picked]
    smallest = min(
        (result["size_kb"] or 0.0 for result in results if result is not None), default=None
    )
    last = max((trial.finished for trial in record.trials), default=None)
    cells = (
        ", ".join(record.space.file.dataset.labels),
        f"{len(record.trials):,}",
        f"{len(feasible):,}",
        f"{len(record.confirmed())} of {len(record.finalists)}" if record.finalists else "–",
        "–" if smallest is None else amount("size_kb", smallest),
        "–" if last is None else f"{last:%Y-%m-%d %H:%M:%S}",
    )
    name = html.Td(html.A(record.name, href=address(record.name)))
    return [name, *(html.Td(cell) for cell in cells)]


def study_page(shown: Sequence[View], others: Sequence[str], home: bool) -> Component:
    """Return the page of one study, or of two side by side.

    Args:
        shown: the one or two studies.
        others: the studies that the first can be compared with.
        home: whether there is a list of studies to go back to.
    """
    tools: list[Component] = [html.A("All studies", href="/", className="button")] if home else []
    if others:
        beside = shown[1].record.name if len(shown) > 1 else None
        tools.append(_choice("compare with", "compare", list(others), beside, clearable=True))
    columns = [_column(view, [v for v in shown if v is not view]) for view in shown]
    kind = "columns two" if len(shown) > 1 else "columns"
    pieces = [html.Nav(tools, className="tools"), html.Div(columns, className=kind)]
    return html.Div(pieces)


def _column(view: View, beside: list[View]) -> Component:
    record, name = view.record, view.record.name
    goal, costs = goals(record)
    varying = importance(record, view.frame).parameters
    fronts = [
        html.Figure(
            [
                html.Figcaption(f"{title(goal)} against {title(cost)}"),
                graph(f"front-{cost}", name, f"{goal} against {cost}"),
            ]
        )
        for cost in costs
    ]
    space = html.Details(
        [html.Summary("The three together, in 3-D"), graph("space", name, "three metrics at once")]
    )
    choices = html.Div(
        [
            _choice("parameter", part("parameter", name), varying, next(iter(varying), None)),
            _choice("metric", part("metric", name), [goal, *costs], goal),
        ],
        className="tools",
    )
    matters = html.Div(
        [
            html.Div(id=part("warnings", name)),
            html.Div(
                [
                    graph("importance", name, "importance of each parameter for each metric"),
                    html.Div([choices, graph("slice", name, "one parameter against one metric")]),
                ],
                className="pair",
            ),
        ],
        hidden=not varying,
    )
    fixed = html.P("Every parameter is fixed: there is nothing to compare.")
    return html.Article(
        [
            dcc.Interval(id=part("tick", name), interval=TICK_IN_MS),
            dcc.Store(id=part("seen", name)),
            dcc.Store(id=part("beside", name), data=[one.record.name for one in beside]),
            dcc.Store(id=part("figures", name)),
            html.Header(id=part("head", name)),
            html.Section(id=part("take", name)),
            _finalists(record),
            _section(
                "What it costs to ask for more",
                html.Div(fronts, className="pair"),
                *([space] if len(costs) > 1 else []),
                html.Div(id=part("price_list", name)),
            ),
            _section("The trials that ended last", html.Div(id=part("latest", name))),
            _section("Which parameters matter", matters, *([] if varying else [fixed])),
            *_every_trial(view, goal, len(varying)),
            _section(
                "What the search did",
                _switch("Over", part("over", name), ["trials", "minutes"], "trials"),
                graph("progress", name, "progress of the search"),
            ),
        ]
    )


def _finalists(record: StudyRecord) -> Component:
    """Return the places of the finalists' table and of the one looked at closely."""
    name = record.name
    numbers = finalist_numbers(record)
    pictures = (("curves", hold.CURVES), ("confusion", hold.CONFUSION))
    drawn = [
        html.Figure([html.Figcaption(words), graph(figure, name, words)])
        for figure, words in pictures
    ]
    close = [
        _switch("Finalist: trial", part("finalist", name), numbers, next(iter(numbers), None)),
        html.Div(drawn, className="pair"),
        html.Div(id=part("worst", name)),
    ]
    hidden = html.Div(close, id=part("close", name), hidden=not numbers)
    return html.Section([html.Div(id=part("finalists", name)), hidden])


def _every_trial(view: View, goal: str, varying: int) -> list[Component]:
    """Return parallel coordinates with their switches, and the table that follows the brush."""
    name = view.record.name
    axes = {"all": "everything", "frontend": f"front end and {goal}"}
    tools = [
        _switch("Trials", part("show", name), list(SHOWN), first_shown(view.frame)),
        _switch("Axes", part("axes", name), axes, "all"),
        html.Button("Meet the limits", id=part("meet", name), type="button"),
        html.Button("Reset", id=part("reset", name), type="button"),
    ]
    lines = html.Div(
        graph("parallel", name, "parallel coordinates"),
        className="scroll lines",
        tabIndex=0,
        role="region",
        style={"--least": f"{64 * (varying + 4) + 120}px"},
        **{"aria-label": "parallel coordinates, scrollable"},
    )
    words = "Drag along an axis to keep a range, click on the axis to let it go. The table follows."
    told = html.P(words, className="quiet")
    rows = dcc.Store(id=part("rows", name))
    table = html.Div(id=part("table", name), className="trials")
    return [
        _section("Every trial at once", told, html.Div(tools, className="tools"), lines),
        _section("Trials", rows, table),
    ]


def finalist_numbers(record: StudyRecord) -> list[str]:
    """Return the finalists as the choices of a switch."""
    return [str(one.trial) for one in record.finalists]


def _section(heading: str, *children: Component) -> Component:
    return html.Section([html.H2(heading), *children])


def _switch(
    legend: str, id_: object, options: list[str] | dict[str, str], value: str | None
) -> Component:
    radio = dcc.RadioItems(id=id_, options=options, value=value, className="radio", inline=True)
    return html.Fieldset([html.Legend(legend), radio], className="choices")


def _choice(
    label: str, id_: object, options: list[str], value: str | None, clearable: bool = False
) -> Component:
    kept = dcc.Dropdown(id=id_, options=options, value=value, clearable=clearable, searchable=False)
    return html.Label([html.Span(label), kept], className="field choice")
