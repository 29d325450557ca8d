import os

import pytest
from flask import Flask

from sweep.report import guard as guard_module
from sweep.report.guard import is_loopback, make_guard, protect


@pytest.fixture(autouse=True)
def asking(monkeypatch):
    """Have requests that come by no socket come from this user, or from another."""
    users = [os.getuid()]
    monkeypatch.setattr(guard_module, "_asking_user", lambda: users[0])
    return users


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_no_token(host):
    assert is_loopback(host)
    assert make_guard(host, 8050).token is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "10.0.0.1", "box.example"])
def test_every_other_address_has_a_token_of_its_own(host):
    assert not is_loopback(host)
    tokens = {make_guard(host, 8050).token for _ in range(3)}
    assert len(tokens) == 3 and all(len(token) >= 24 for token in tokens)


def client(guard):
    server = Flask(__name__)
    server.get("/")(lambda: "welcome")
    protect(server, guard, "default-src 'none'; script-src 'sha256-x'")
    return server.test_client()


def test_every_answer_carries_the_policy():
    guard = make_guard("127.0.0.1", 8050)
    answer = client(guard).get("/", headers={"Host": "127.0.0.1:8050"})
    assert answer.text == "welcome"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_other_users_of_this_machine_are_refused_and_root_is_not(asking):
    visitor = client(make_guard("127.0.0.1", 8050))
    for user, status in ((0, 200), (os.getuid(), 200), (os.getuid() + 1, 403), (None, 403)):
        asking[0] = user
        answer = visitor.get("/", headers={"Host": "127.0.0.1:8050"})
        assert answer.status_code == status
    assert "for the user who serves it" in answer.text


def test_the_token_is_taken_once_and_the_cookie_from_then_on():
    guard = make_guard("0.0.0.0", 8050)
    visitor = client(guard)
    assert visitor.get("/").status_code == 403
    assert "Set-Cookie" not in visitor.get("/?token=wrong").headers
    assert visitor.get(f"/?token={guard.token}").status_code == 200
    assert visitor.get("/").status_code == 200
    visitor.set_cookie(guard.cookie, "wrong")
    assert visitor.get("/").status_code == 403


def test_a_refusal_names_what_to_do():
    assert "the address that sweep serve printed" in client(make_guard("0.0.0.0", 1)).get("/").text
    guard = make_guard("127.0.0.1", 8050)
    answer = client(guard).get("/", headers={"Host": "rebound.example:8050"})
    assert answer.status_code == 403 and "open it as 127.0.0.1" in answer.text


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("cross-site", "cors", 403),
        ("cross-site", "no-cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        (None, None, 200),
    ],
)
def test_other_sites_may_link_here_but_not_read(site, mode, status):
    sent = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode} if site else {}
    visitor = client(make_guard("127.0.0.1", 8050))
    answer = visitor.get("/", headers={"Host": "127.0.0.1:8050", **sent})
    assert answer.status_code == status


def test_a_token_of_strange_characters_is_wrong_and_no_error():
    guard = make_guard("0.0.0.0", 8050)
    for token in ("%FF", "%F0%9F%98%80", "%ED%A0%80", "é"):
        assert client(guard).get(f"/?token={token}").status_code == 403
