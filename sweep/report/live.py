"""The live page: the report's figures while a sweep runs, by Dash; it only ever reads."""

import json
import os
import socket
from dataclasses import dataclass
from typing import Any

from dash import Dash
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sweep.errors import SweepError
from sweep.report.live_callbacks import LAYOUT, add_callbacks
from sweep.report.live_files import add_files
from sweep.report.live_guard import Guard, make_guard, protect, script_hash
from sweep.report.live_parts import address
from sweep.report.live_view import Gallery
from sweep.report.page import asset, style
from sweep.report.parallel import SHOWN
from sweep.report.theme import BRIGHTER, DARK, LIGHT
from sweep.study.watching import Shelf

_SCRIPTS = ("state.js", "look.js", "brush.js", "table.js", "live.js")
_PAGE = """<!doctype html>
<html lang="en"><head>{%metas%}
<meta name="color-scheme" content="light dark">
<title>{%title%}</title><link rel="icon" href="data:,">{%css%}<style>STYLE</style></head>
<body>{%app_entry%}
<script type="application/json" id="data">DATA</script><script>SCRIPT</script>
<footer>{%config%}{%scripts%}{%renderer%}</footer></body></html>"""


@dataclass
class LiveServer:
    """The live page, listening; ``url`` is the address to open, with the token if there is one."""

    url: str
    _server: BaseWSGIServer

    def run(self) -> None:
        """Answer until ``close`` is called in another thread, or Ctrl-C."""
        self._server.serve_forever()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class _Quiet(WSGIRequestHandler):
    """Log no requests: their addresses may carry the token."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Do nothing."""


def open_server(shelf: Shelf, host: str = "127.0.0.1", port: int = 8050) -> LiveServer:
    """Listen for readers of the studies on a shelf.

    Args:
        shelf: the studies.
        host: the address to listen on; any but this machine's own asks readers for a token.
        port: the port; 0 for any that is free.

    Raises:
        SweepError: if the address cannot be listened on.
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
    app = make_app(shelf, guard)
    server = make_server(
        host, port, app.server, threaded=True, request_handler=_Quiet, fd=listening.detach()
    )
    return LiveServer(_url(host, port, shelf, guard), server)


def _url(host: str, port: int, shelf: Shelf, guard: Guard) -> str:
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    place = address(shelf.only) if shelf.only else "/"
    token = f"?token={guard.token}" if guard.token else ""
    return f"http://{f'[{name}]' if ':' in name else name}:{port}{place}{token}"


def make_app(shelf: Shelf, guard: Guard) -> Dash:
    """Return the application, its addresses guarded."""
    script = "\n".join(asset(name) for name in _SCRIPTS)
    app = Dash(
        "sweep",
        title="sweep",
        update_title="",
        serve_locally=True,
        include_assets_files=False,
        suppress_callback_exceptions=True,
        add_log_handler=False,
        enable_mcp=False,
        index_string=_PAGE.replace("STYLE", style() + asset("live.css"))
        .replace("DATA", _data())
        .replace("SCRIPT", script),
    )
    app.layout = LAYOUT
    add_callbacks(app, Gallery(shelf))
    add_files(app.server, shelf)
    protect(app.server, guard, [script_hash(script), *app.csp_hashes()])
    return app


def _data() -> str:
    themes = {"light": LIGHT, "dark": DARK}
    return json.dumps(
        {
            "themes": {name: theme.template().to_plotly_json() for name, theme in themes.items()},
            "brighter": BRIGHTER,
            "shown": SHOWN,
            "trials": {"trial": []},
        }
    )
