"""What the live page does: shows the page of an address, and keeps a study's page up to date."""

from typing import Any
from urllib.parse import parse_qs, unquote

from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from sweep.errors import SweepError
from sweep.report import live_parts
from sweep.report.live_files import mistaken_clip
from sweep.report.live_pages import TICK_IN_MS, index_page, part, study_page
from sweep.report.live_trial import trial_page
from sweep.report.live_view import Figure, Gallery, View, plain_figure, side_by_side
from sweep.report.slices import draw_slice
from sweep.study.table import StudyRecord

LAYOUT = html.Main([dcc.Location(id="place"), dcc.Store(id="scheme"), html.Div(id="page")])

_FILLED = (
    live_parts.head,
    live_parts.take,
    live_parts.price_list,
    live_parts.warnings,
    live_parts.latest,
)
_FIGURE = {"figure": ALL, "study": MATCH}


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
        return index_page(_records(gallery))

    @app.callback(
        Output(part("figures", MATCH), "data"),
        Output(part("seen", MATCH), "data"),
        *(Output(part(fill.__name__, MATCH), "children") for fill in _FILLED),
        Input(part("tick", MATCH), "n_intervals"),
        Input(part("show", MATCH), "value"),
        Input(part("over", MATCH), "value"),
        Input(part("parameter", MATCH), "value"),
        Input(part("metric", MATCH), "value"),
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
        seen: dict[str, Any] | None,
        beside: list[str],
        this: dict[str, str],
    ) -> tuple[Any, ...]:
        chosen = (shown, over, parameter, metric)
        try:
            views = [gallery.view(name) for name in (this["study"], *beside)]
        except SweepError as error:
            return no_update, no_update, html.P(str(error)), *([no_update] * (len(_FILLED) - 1))
        now = {"versions": [view.version for view in views], "chosen": list(chosen)}
        if now == seen:
            raise PreventUpdate
        drawn = _figures(views, *chosen)
        if seen is not None and seen["versions"] == now["versions"]:
            return drawn, now, *([no_update] * len(_FILLED))
        return drawn, now, *(fill(views[0]) for fill in _FILLED)

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
        record, number = shelf.study(steps[1]).record(), int(steps[3][:9])
        return trial_page(
            record, number, lambda place: mistaken_clip(record, number, place) is not None
        )
    raise SweepError("There is no such page.")


def _records(gallery: Gallery) -> list[StudyRecord | str]:
    records: list[StudyRecord | str] = []
    for name in gallery.shelf.names():
        try:
            records.append(gallery.shelf.study(name).record())
        except SweepError as error:
            records.append(str(error))
    return records


def _figures(
    views: list[View], shown: str, over: str, parameter: str | None, metric: str
) -> dict[str, Figure]:
    """Return the figures of the first study, as chosen, on axes shared with the others."""
    mine, *others = views
    drawn = {name: figure for name, figure in mine.figures.items() if "-" not in name}
    drawn["parallel"] = mine.figures[f"parallel-{shown}"]
    drawn["progress"] = mine.figures[f"progress-{over}"]
    if parameter is not None:
        drawn["slice"] = plain_figure(draw_slice(mine.record, mine.frame, parameter, metric))
    for name, figure in mine.figures.items():
        if name.startswith("front-"):
            drawn[name] = figure
            for other in others:
                if name in other.figures:
                    drawn[name] = side_by_side(drawn[name], other.figures[name])
    return drawn
