"""A server of archives for tests, which can be as unreliable as servers are."""

import http.server

CONTENT = bytes(range(256)) * 4000


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; the first answers are cut short or refused as told.

    Attributes:
        cuts: for each of the first answers how many bytes to send before hanging up.
        refusals: status codes for the first answers.
        ranges: whether a request for a range is honoured.
        asked: the Range header of each request.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.cuts, self.refusals, self.asked = [], [], []
        self.ranges, self.tells_length = True, True
        self.content = CONTENT
        self.url = f"http://127.0.0.1:{self.server_address[1]}/clips.zip"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.server.refusals:
            self.send_error(self.server.refusals.pop(0))
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            total = len(self.server.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cuts.pop(0)] if self.server.cuts else body)

    def log_message(self, *args):
        pass
