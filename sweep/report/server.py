"""The served page: live, read-only reports of studies."""

import logging
import os
import socket
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, abort, redirect, request, send_file
from plotly.offline import get_plotlyjs
from waitress.server import TcpWSGIServer, create_server
from waitress.wasyncore import close_all
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response as BaseResponse

from sweep.errors import SweepError
from sweep.predict import MODEL
from sweep.report.guard import Guard, make_guard, protect
from sweep.report.page import render, served_page, served_policy, to_json
from sweep.report.page.trials import trial_details
from sweep.report.recordings import LISTS, listed_clip, recordings_of, stretch
from sweep.report.views import ViewCache
from sweep.study.reader import Studies
from sweep.study.records import StudyRecord

_SOUNDS = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg"}
_BOUNDS = {
    "threads": 4,
    "connection_limit": 200,
    "channel_timeout": 20,
    "cleanup_interval": 5,
    "max_request_header_size": 2**14,
    "max_request_body_size": 2**14,
    "asyncore_use_poll": True,
    "log_socket_errors": False,
    "ident": None,
}
"""Limits on what clients can use of this machine, in bytes and seconds."""


class _Number(IntegerConverter):
    regex = r"\d{1,9}"


@dataclass
class LiveServer:
    """A listening server; ``url`` is the address to open, with its token if it has one."""

    url: str
    _server: TcpWSGIServer
    _sockets: dict[int, Any] = field(repr=False)

    def run(self) -> None:
        """Serve until another thread calls ``close``, or Ctrl-C."""
        self._server.run()
        self._server.task_dispatcher.shutdown()
        self._hang_up()

    def close(self) -> None:
        """Stop the server."""
        self._server.trigger.pull_trigger(self._hang_up)

    def _hang_up(self) -> None:
        for channel in [*self._server.active_channels.values()]:
            channel.handle_close()
        close_all(self._sockets, ignore_all=True)


def open_server(studies: Studies, host: str = "127.0.0.1", port: int = 8050) -> LiveServer:
    """Open a server of studies.

    Args:
        studies: the studies.
        host: the address to listen on; a token protects any but a loopback address.
        port: the port; 0 picks a free one.

    Raises:
        SweepError: if it cannot listen on the address.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        code = error.errno or 0
        reason = os.strerror(code) if code > 0 else error.strerror
        raise SweepError(
            f"cannot listen on {host}, port {port}: {reason}; name another --host or --port"
        ) from error
    port = listening.getsockname()[1]
    guard = make_guard(host, port)
    # It logs a warning whenever all threads are busy.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    sockets: dict[int, Any] = {}
    server = create_server(make_app(studies, guard), map=sockets, sockets=[listening], **_BOUNDS)
    return LiveServer(_url(host, port, studies, guard), server, sockets)


def _url(host: str, port: int, studies: Studies, guard: Guard) -> str:
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    place = _address(studies.only) if studies.only else "/"
    token = f"?token={guard.token}" if guard.token else ""
    return f"http://{f'[{name}]' if ':' in name else name}:{port}{place}{token}"


def _address(study: str) -> str:
    return f"/study/{quote(study)}"


def make_app(studies: Studies, guard: Guard) -> Flask:
    """Return the Flask application, protected by ``guard``."""
    app = Flask("sweep", static_folder=None)
    app.url_map.converters["int"] = _Number
    protect(app, guard, f"{served_policy()}; frame-ancestors 'none'")
    app.register_error_handler(HTTPException, _in_one_line)
    app.register_error_handler(SweepError, lambda error: (f"{error}\n", 404, _TEXT))
    _add_pages(app, studies)
    _add_data(app, ViewCache(studies))
    _add_files(app, studies)
    return app


_TEXT = {"Content-Type": "text/plain; charset=utf-8"}


def _in_one_line(error: HTTPException) -> tuple[str, int, dict[str, str]]:
    return f"{error.description}\n", error.code or 500, _TEXT


def _add_pages(app: Flask, studies: Studies) -> None:
    @app.get("/")
    def index() -> BaseResponse | str:
        return redirect(_address(studies.only)) if studies.only else served_page("Studies")

    @app.get("/study/<name>")
    def study(name: str) -> str:
        studies.study(name)
        return served_page(name)

    @app.get("/plotly.js")
    def plotly() -> Response:
        response = Response(get_plotlyjs(), mimetype="text/javascript")
        response.headers["Cache-Control"] = "private, max-age=86400"
        return response


def _add_data(app: Flask, views: ViewCache) -> None:
    studies = views.studies

    @app.get("/studies.json")
    def every_study() -> Response:
        rows = [_row(studies, name) for name in studies.names()]
        return _json({"studies": rows, "only": studies.only is not None})

    @app.get("/study/<name>/data.json")
    def data(name: str) -> BaseResponse:
        view = views.view(name)
        response = Response(view.content, mimetype="application/json")
        response.set_etag(view.tag)
        return response.make_conditional(request)

    @app.get("/study/<name>/trial/<int:number>.json")
    def trial(name: str, number: int) -> Response:
        record = studies.study(name).record()
        found = next((one for one in record.trials if one.number == number), None)
        if found is None:
            abort(404, description=f"Trial {number} has not ended.")
        return _json(trial_details(record, found, recordings_of(record)))


def _json(content: Any) -> Response:
    response = Response(to_json(content), mimetype="application/json")
    response.add_etag()
    response.make_conditional(request)
    return response


def _row(studies: Studies, name: str) -> dict[str, Any]:
    try:
        return {"name": name, "cells": _cells(studies.study(name).record())}
    except SweepError as error:
        return {"name": name, "problem": str(error)}


def _cells(record: StudyRecord) -> list[str]:
    """Return labels, trials, feasible, confirmed, smallest size, and the end of the last trial."""
    feasible = [trial for trial in record.trials if trial.evaluation.outcome == "feasible"]
    picked = record.confirmed() or {trial.number for trial in feasible}
    results = [trial.evaluation.result for trial in feasible if trial.number in picked]
    sizes = [result["size_kb"] for result in results if result is not None]
    last = max((trial.finished for trial in record.trials), default=None)
    return [
        ", ".join(record.space.file.dataset.outputs),
        f"{len(record.trials):,}",
        f"{len(feasible):,}",
        f"{len(record.confirmed())} of {len(record.finalists)}" if record.finalists else "–",
        record.space.metrics["size_kb"].text(min(filter(None, sizes), default=None)),
        f"{last:%Y-%m-%d %H:%M:%S}" if last else "–",
    ]


def _add_files(app: Flask, studies: Studies) -> None:
    """Add the routes of reports, models and clips."""

    @app.get("/study/<name>/report.html")
    def report(name: str) -> Response:
        page = Response(render(studies.study(name).record()), mimetype="text/html")
        page.headers["Content-Security-Policy"] = "frame-ancestors 'none'"
        page.headers["Content-Disposition"] = f"attachment; filename={name}.html"
        return page

    @app.get(f"/study/<name>/trial/<int:number>/{MODEL}")
    def model(name: str, number: int) -> Response:
        content = studies.study(name).read_file(number, MODEL)
        return send_file(
            BytesIO(content),
            mimetype="application/octet-stream",
            as_attachment=True,
            download_name=f"{name}-{number}.tflite",
        )

    @app.get(f"/study/<name>/<any({', '.join(LISTS)}):owner>/<int:number>/clip/<int:place>")
    def clip(name: str, owner: str, number: int, place: int) -> Response:
        path = listed_clip(studies.study(name).record(), owner, number, place)
        if path is None:
            abort(404, description="There is no such clip here.")
        # Not the path: werkzeug leaves the file open if the client disconnects.
        content = BytesIO(path.read_bytes())
        return send_file(content, mimetype=_SOUNDS[path.suffix.lower()], conditional=True)

    @app.get("/study/<name>/finalist/<int:number>/stream/<int:start>-<int:end>.wav")
    def sound(name: str, number: int, start: int, end: int) -> Response:
        content = stretch(studies.study(name).record(), number, start, end)
        if content is None:
            abort(404, description="There is no such sound here.")
        return send_file(BytesIO(content), mimetype=_SOUNDS[".wav"], conditional=True)
