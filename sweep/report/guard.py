"""Who may look at the served page: who serves it, on this machine, or who was given the token."""

import hmac
import ipaddress
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_CONNECTIONS = ("/proc/net/tcp", "/proc/net/tcp6")
_LOCAL, _USER = 1, 7
_MAPPED = b"\0" * 10 + b"\xff\xff"
"""What stands before an IPv4 address in IPv6."""


@dataclass(frozen=True)
class Guard:
    """What a request has to show.

    Attributes:
        hosts: the values its Host header may have, against DNS rebinding; any where empty.
        token: what the address, or afterwards the cookie, has to carry; nothing where None.
        cookie: name of the cookie, one for each port.
        users: the ids of the users of this machine who may ask; any where empty.
    """

    hosts: frozenset[str]
    token: str | None
    cookie: str
    users: frozenset[int] = frozenset()

    def refusal(self) -> str | None:
        """Return why the request at hand is refused, or None if it is not."""
        if self.hosts and request.headers.get("Host", "").lower() not in self.hosts:
            return "This page is for the machine it runs on; open it as 127.0.0.1."
        if self.users and _asking_user() not in self.users:
            return "This page is for the user who serves it; sweep serve --host has a token."
        if (
            request.headers.get("Sec-Fetch-Site") == "cross-site"
            and request.headers.get("Sec-Fetch-Mode") != "navigate"
        ):
            return "Other sites may link to this page, not read it."
        if self.token is None or self._right(request.args.get("token")):
            return None
        if self._right(request.cookies.get(self.cookie)):
            return None
        return "The token is missing or wrong; open the address that sweep serve printed."

    def welcome(self, response: Response) -> None:
        """Give the cookie to who came with the token in the address."""
        if self.token is not None and self._right(request.args.get("token")):
            response.set_cookie(self.cookie, self.token, httponly=True, samesite="Strict")

    def _right(self, given: str | None) -> bool:
        expected = (self.token or "").encode()
        return given is not None and hmac.compare_digest(given.encode(errors="replace"), expected)


def make_guard(host: str, port: int) -> Guard:
    """Return the guard for an address.

    On the loopback it lets this user and root pass, with a known Host; elsewhere, a token.
    """
    cookie = f"sweep_{port}"
    if not is_loopback(host):
        return Guard(frozenset(), secrets.token_urlsafe(24), cookie)
    names = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host.lower()}
    hosts = {f"{name}:{port}" for name in names} | (names if port == 80 else set())
    return Guard(frozenset(hosts), None, cookie, frozenset((0, os.getuid())))


def _asking_user() -> int | None:
    """Return the user of this machine whose program sent the request at hand; None if unknown.

    The kernel lists both ends of a connection on the loopback, each with its user (proc(5)).
    """
    host, port = request.environ.get("REMOTE_ADDR"), request.environ.get("REMOTE_PORT")
    if host is None or port is None:
        return None
    packed = ipaddress.ip_address(host).packed
    ends = {_listed(packed, int(port)), _listed(_MAPPED + packed, int(port))}
    for table in _CONNECTIONS:
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[_LOCAL] in ends:
                return int(fields[_USER])
    return None


def _listed(packed: bytes, port: int) -> str:
    """Return an address as the kernel lists it: words of 32 bits in this machine's order."""
    words = (packed[i : i + 4] for i in range(0, len(packed), 4))
    return f"{''.join(f'{int.from_bytes(word, sys.byteorder):08X}' for word in words)}:{port:04X}"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def protect(app: Flask, guard: Guard, policy: str) -> None:
    """Refuse what the guard refuses, and send a content security policy with every answer."""

    @app.before_request
    def check() -> Response | None:
        reason = guard.refusal()
        return Response(reason + "\n", 403, mimetype="text/plain") if reason else None

    @app.after_request
    def seal(response: Response) -> Response:
        if response.status_code != 403:
            guard.welcome(response)
        for name, value in {"Content-Security-Policy": policy, **_HEADERS}.items():
            response.headers.setdefault(name, value)
        return response
