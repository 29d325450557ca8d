"""What the live page does: shows the page of an address, and keeps a study's page up to date."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from sweep.errors import SweepError
from sweep.report import live_parts
from sweep.report.live_files import recordings_of
from sweep.report.live_pages import TICK_IN_MS, finalist_numbers, index_page, part, study_page
from sweep.report.live_trial import trial_page
from sweep.report.live_view import Figure, Gallery, View, plain_figure, side_by_side
from sweep.report.slices import draw_slice
from sweep.report.tables import table_rows
from sweep.study.table import StudyRecord

_READING = html.P("Reading …", className="quiet")
LAYOUT = html.Main(
    [dcc.Location(id="place"), dcc.Store(id="scheme"), html.Div(_READING, id="page")]
)

_FILLED = (
    live_parts.head,
    live_parts.take,
    live_parts.finalists,
    live_parts.price_list,
    live_parts.warnings,
    live_parts.latest,
)
_FIGURE = {"figure": ALL, "study": MATCH}


@dataclass(frozen=True)
class Choice:
    """What a reader has set the switches of a study's page to."""

    shown: str
    over: str
    parameter: str | None
    metric: str
    axes: str
    finalist: str | None


def add_callbacks(app: Dash, gallery: Gallery) -> None:
    """Wire an application whose layout is ``LAYOUT``; what only the browser knows is in live.js."""

    @app.callback(Output("page", "children"), Input("place", "pathname"), Input("place", "search"))
    def show(path: str | None, search: str | None) -> Component:
        try:
            return page(gallery, path or "/", search or "")
        except SweepError as error:
            return html.Section([html.H1("Not here"), html.P(str(error)), html.A("Home", href="/")])

    @app.callback(Output("studies", "children"), Input("again", "n_intervals"))
    def list_studies(_: int | None) -> Component:
        try:
            return index_page(_records(gallery))
        except SweepError as error:
            return html.P(str(error))

    @app.callback(
        Output(part("figures", MATCH), "data"),
        Output(part("seen", MATCH), "data"),
        Output(part("finalist", MATCH), "options"),
        Output(part("finalist", MATCH), "value"),
        Output(part("close", MATCH), "hidden"),
        Output(part("worst", MATCH), "children"),
        Output(part("rows", MATCH), "data"),
        *(Output(part(fill.__name__, MATCH), "children") for fill in _FILLED),
        Input(part("tick", MATCH), "n_intervals"),
        Input(part("show", MATCH), "value"),
        Input(part("over", MATCH), "value"),
        Input(part("parameter", MATCH), "value"),
        Input(part("metric", MATCH), "value"),
        Input(part("axes", MATCH), "value"),
        Input(part("finalist", MATCH), "value"),
        State(part("seen", MATCH), "data"),
        State(part("beside", MATCH), "data"),
        State(part("seen", MATCH), "id"),
    )
    def refresh(
        _: int | None,
        shown: str,
        over: str,
        parameter: str | None,
        metric: str,
        axes: str,
        finalist: str | None,
        seen: dict[str, Any] | None,
        beside: list[str],
        this: dict[str, str],
    ) -> tuple[Any, ...]:
        try:
            views = [gallery.view(name) for name in (this["study"], *beside)]
        except SweepError as error:
            rest = [no_update] * (len(_FILLED) - 1)
            return *([no_update] * 7), html.P(str(error)), *rest
        record = views[0].record
        numbers = finalist_numbers(record)
        finalist = finalist if finalist in numbers else next(iter(numbers), None)
        chosen = Choice(shown, over, parameter, metric, axes, finalist)
        now = {"versions": [view.version for view in views], "chosen": asdict(chosen)}
        if now == seen:
            raise PreventUpdate
        heard = live_parts.worst(record, finalist, recordings_of(record))
        again = numbers, finalist, not numbers, heard
        drawn = _figures(views, chosen)
        if seen is not None and seen["versions"] == now["versions"]:
            return drawn, now, *again, *([no_update] * (len(_FILLED) + 1))
        rows = table_rows(record, views[0].frame)
        return drawn, now, *again, rows, *(fill(views[0]) for fill in _FILLED)

    _add_browser_callbacks(app)


def _add_browser_callbacks(app: Dash) -> None:
    def browser(name: str) -> ClientsideFunction:
        return ClientsideFunction("live", name)

    app.clientside_callback(
        browser("draw"),
        Output(_FIGURE, "figure"),
        Input(part("figures", MATCH), "data"),
        Input("scheme", "data"),
        State(_FIGURE, "id"),
        State(_FIGURE, "figure"),
    )
    app.clientside_callback(
        browser("follow"),
        Output("place", "href"),
        Input({"figure": ALL, "study": ALL}, "clickData"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("pick"),
        Output(part("parameter", MATCH), "value"),
        Output(part("metric", MATCH), "value"),
        Input({"figure": "importance", "study": MATCH}, "clickData"),
        State(part("metric", MATCH), "options"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("fill"),
        Input(part("rows", MATCH), "data"),
        Input(part("show", MATCH), "value"),
        State(part("table", MATCH), "id"),
    )
    app.clientside_callback(
        browser("brush"),
        Input({"figure": "parallel", "study": MATCH}, "restyleData"),
        State(part("table", MATCH), "id"),
    )
    app.clientside_callback(
        browser("meet"),
        Output(part("axes", MATCH), "value"),
        Input(part("meet", MATCH), "n_clicks"),
        State(part("axes", MATCH), "value"),
        State(part("table", MATCH), "id"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("reset"),
        Input(part("reset", MATCH), "n_clicks"),
        State(part("table", MATCH), "id"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("compare"),
        Output("place", "search"),
        Input("compare", "value"),
        State("place", "search"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        browser("copy"),
        Output("copy", "children"),
        Input("copy", "n_clicks"),
        prevent_initial_call=True,
    )


def page(gallery: Gallery, path: str, search: str) -> Component:
    """Return the page of an address.

    Raises:
        StudyError: if it names a study that is not there.
    """
    shelf = gallery.shelf
    steps = [unquote(step) for step in path.strip("/").split("/")]
    if steps == [""] and shelf.only is None:
        again = dcc.Interval(id="again", interval=2 * TICK_IN_MS)
        return html.Div([again, html.Div(index_page(_records(gallery)), id="studies")])
    if steps == [""] and shelf.only is not None:
        steps = ["study", shelf.only]
    if len(steps) == 2 and steps[0] == "study":
        others = [name for name in shelf.names() if name != steps[1]]
        beside = [
            name for name in parse_qs(search.lstrip("?")).get("compare", []) if name in others
        ]
        views = [gallery.view(name) for name in (steps[1], *beside[:1])]
        return study_page(views, others, home=shelf.only is None)
    if len(steps) == 4 and steps[0] == "study" and steps[2] == "trial" and steps[3].isdecimal():
        record = shelf.study(steps[1]).record()
        return trial_page(record, int(steps[3][:9]), recordings_of(record))
    raise SweepError("There is no such page.")


def _records(gallery: Gallery) -> list[StudyRecord | str]:
    records: list[StudyRecord | str] = []
    for name in gallery.shelf.names():
        try:
            records.append(gallery.shelf.study(name).record())
        except SweepError as error:
            records.append(str(error))
    return records


def _figures(views: list[View], chosen: Choice) -> dict[str, Figure]:
    """Return the figures of the first study, as chosen, on axes shared with the others."""
    mine, *others = views
    drawn = {name: figure for name, figure in mine.figures.items() if "-" not in name}
    drawn["parallel"] = _lines(mine.figures[f"parallel-{chosen.shown}"], chosen.axes)
    drawn["progress"] = mine.figures[f"progress-{chosen.over}"]
    if chosen.parameter is not None:
        across = draw_slice(mine.record, mine.frame, chosen.parameter, chosen.metric)
        drawn["slice"] = plain_figure(across)
    for name in ("curves", "confusion"):
        if f"{name}-{chosen.finalist}" in mine.figures:
            drawn[name] = mine.figures[f"{name}-{chosen.finalist}"]
    drawn |= {name: one for name, one in mine.figures.items() if name.startswith("front-")}
    for other in others:
        drawn |= side_by_side(mine, other)
    return drawn


def _lines(figure: Figure, axes: str) -> Figure:
    """Return parallel coordinates with all their axes, or those of the front end and the goal."""
    if axes == "all":
        return figure
    (lines,) = figure["data"]
    kept = [one for one in lines["dimensions"] if one["name"] in lines["meta"]["frontend"]]
    return figure | {"data": [lines | {"dimensions": kept}]}
