"""The server without a browser: what it answers, what it refuses, what it can be made to bear."""

import http.client
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sweep.errors import SweepError
from sweep.report import server
from sweep.report.server import open_server
from sweep.study.reader import Studies

from ..signals import heed_ctrl_c
from .fake_studies import make_record
from .study_fixtures import RunningSweep, model_of


@contextmanager
def serving(studies, port=0, **where):
    opened = open_server(studies, port=port, **where)
    thread = threading.Thread(target=opened.run)
    thread.start()
    try:
        yield opened
    finally:
        opened.close()
        thread.join()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One study that has ended."""
    folder = tmp_path_factory.mktemp("served") / "results"
    ended = RunningSweep(folder, make_record(16, seed=11, name="ended"))
    ended.end(16)
    ended.stop()
    return folder


@pytest.fixture(scope="module")
def port(results):
    with serving(Studies(results)) as opened:
        yield int(opened.url.rstrip("/").rpartition(":")[2])


def ask(port, path, method="GET", body=None, **headers):
    """Send one request; return status, headers and text of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def raw(port, request):
    """Send bytes; return the first of what comes back, nothing where the connection is cut."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plug:
        plug.sendall(request)
        try:
            return plug.recv(4096)
        except ConnectionResetError:
            return b""


def trial_that(results, outcome):
    trials = Studies(results).study("ended").record().trials
    return next(trial.number for trial in trials if trial.evaluation.outcome == outcome)


class TestAnswers:
    def test_data_that_has_not_changed_is_not_sent_again(self, port):
        status, headers, text = ask(port, "/study/ended/data.json")
        assert status == 200 and json.loads(text)["name"] == "ended"
        known = {"If-None-Match": headers["ETag"]}
        assert ask(port, "/study/ended/data.json", **known)[::2] == (304, "")
        assert ask(port, "/study/ended/data.json", **{"If-None-Match": '"other"'})[0] == 200

    def test_the_list_of_studies_has_a_row_of_each(self, port):
        (row,) = json.loads(ask(port, "/studies.json")[2])["studies"]
        assert row["name"] == "ended" and row["cells"][:2] == ["stop, go", "16"]

    def test_a_trial_has_details(self, port, results):
        number = trial_that(results, "feasible")
        details = json.loads(ask(port, f"/study/ended/trial/{number}.json")[2])
        assert sum(map(sum, details["confusion"])) == 206

    def test_the_report_is_saved_as_one_file(self, port):
        status, headers, text = ask(port, "/study/ended/report.html")
        assert status == 200 and headers["Content-Disposition"] == "attachment; filename=ended.html"
        assert text.startswith("<!doctype html>") and '"headline"' in text

    def test_a_model_is_downloaded(self, port, results):
        number = trial_that(results, "feasible")
        status, headers, text = ask(port, f"/study/ended/trial/{number}/model.tflite")
        assert (status, text) == (200, model_of(number).decode())
        assert f"ended-{number}.tflite" in headers["Content-Disposition"]

    def test_a_model_that_was_never_kept_is_told_apart_from_a_deleted_one(self, results, tmp_path):
        copied = shutil.copytree(results, tmp_path / "results")
        for artifact in (copied / "ended/artifacts").iterdir():
            artifact.unlink()
        kept, never = (trial_that(results, outcome) for outcome in ("feasible", "infeasible"))
        with serving(Studies(copied)) as opened:
            number = int(opened.url.rstrip("/").rpartition(":")[2])
            status, _, text = ask(number, f"/study/ended/trial/{kept}/model.tflite")
            assert status == 404 and f"model.tflite of trial {kept} is gone" in text
            status, _, text = ask(number, f"/study/ended/trial/{never}/model.tflite")
            assert status == 404 and "only feasible trials do" in text


class TestMistakes:
    @pytest.mark.parametrize(
        "path",
        [
            "/nothing",
            "/study/none",
            "/study/none/data.json",
            "/study/..%2F..%2Fetc",
            "/study/%FF%FE/data.json",
            "/study/ended%00/data.json",
            "/study/ended/trial/x.json",
            "/study/ended/trial/999999.json",
            "/study/ended/trial/" + "9" * 5000 + ".json",
            "/study/ended/trial/0/clip/999999",
            "/study/ended/nobody/0/clip/0",
            "/study/ended/finalist/0/stream/0-9.wav",
            "/study/" + "x" * 3000,
        ],
    )
    def test_what_is_not_there_is_said_in_one_line(self, port, path):
        status, headers, text = ask(port, path)
        assert status == 404
        assert headers["Content-Type"].startswith("text/plain")
        assert text.count("\n") == 1 and "Traceback" not in text

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    def test_nothing_can_be_changed(self, port, method):
        assert ask(port, "/study/ended", method)[0] == 405

    @pytest.mark.parametrize(
        "request_",
        [
            b"GARBAGE\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"\xff\xfe\x00\r\n\r\n",
        ],
    )
    def test_a_malformed_request_is_refused_without_a_traceback(self, port, request_, capfd):
        answer = raw(port, request_)
        assert b" 200 " not in answer.partition(b"\r\n")[0] and b"Traceback" not in answer
        assert ask(port, "/")[0] == 200
        assert capfd.readouterr().err == ""

    def test_a_large_body_is_refused(self, port):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
        assert b" 413 " in raw(port, head).partition(b"\r\n")[0]

    def test_large_headers_are_refused(self, port):
        head = b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 2**14 + b"\r\n\r\n"
        answer = raw(port, head)
        assert answer == b"" or b" 431 " in answer.partition(b"\r\n")[0]
        assert ask(port, "/")[0] == 200


class TestGuarded:
    def test_a_foreign_host_is_refused_against_dns_rebinding(self, port):
        assert ask(port, "/")[0] == ask(port, "/", Host=f"localhost:{port}")[0] == 200
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1:1", ""):
            assert ask(port, "/", Host=host)[0] == 403

    def test_nothing_is_loaded_from_elsewhere_nor_framed(self, port):
        for path in ("/", "/study/ended", "/study/ended/data.json", "/nothing"):
            policy = ask(port, path)[1]["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "http" not in policy
            assert "frame-ancestors 'none'" in policy

    def test_another_address_asks_for_the_token(self, results):
        with serving(Studies(results), host="0.0.0.0") as opened:
            port = int(opened.url.split(":")[2].split("/")[0])
            token = opened.url.partition("?token=")[2]
            assert len(token) >= 24
            for path in ("/", "/?token=", "/?token=wrong", f"/?token={token}x", "/plotly.js"):
                assert ask(port, path)[0] == 403
            assert ask(port, "/studies.json", Cookie=f"sweep_{port}=wrong")[0] == 403
            status, headers, _ = ask(port, f"/?token={token}")
            assert status == 200 and "HttpOnly" in headers["Set-Cookie"]
            cookie = headers["Set-Cookie"].partition(";")[0]
            assert ask(port, "/studies.json", Cookie=cookie)[0] == 200

    def test_one_study_alone_is_all_there_is(self, results):
        with serving(Studies.find("ended", results)) as opened:
            port = int(opened.url.split(":")[2].split("/")[0])
            assert opened.url.endswith("/study/ended")
            assert ask(port, "/")[1]["Location"] == "/study/ended"
            assert ask(port, "/study/other/data.json")[0] == 404


class TestPatience:
    def test_silent_connections_are_closed_and_many_leave_room_for_a_reader(
        self, results, monkeypatch
    ):
        bounds = {"connection_limit": 20, "channel_timeout": 1, "cleanup_interval": 1}
        monkeypatch.setattr(server, "_BOUNDS", server._BOUNDS | bounds)
        with serving(Studies(results)) as opened, ExitStack() as plugs:
            port = int(opened.url.rstrip("/").rpartition(":")[2])
            silent = [
                plugs.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
                for _ in range(40)
            ]
            for plug in silent[::2]:
                plug.sendall(b"GET / HTTP/1.1\r\n")
            assert ask(port, "/")[0] == 200
            assert silent[0].recv(1) == b""

    def test_closing_waits_for_nobody(self, results):
        opened = open_server(Studies(results), port=0)
        thread = threading.Thread(target=opened.run)
        thread.start()
        port = int(opened.url.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plug:
            plug.sendall(b"GET / HTTP/1.1\r\n")
            opened.close()
            thread.join(timeout=60)
            assert not thread.is_alive()
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=60)


def test_a_port_in_use_is_one_line(results):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            SweepError, match=f"port {port}: Address already in use; name another --host or"
        ):
            open_server(Studies(results), port=port)


def test_an_address_of_nowhere_is_one_line(results):
    with pytest.raises(SweepError, match="cannot listen on nowhere.invalid"):
        open_server(Studies(results), host="nowhere.invalid", port=0)


def test_the_command_says_where_and_ends_with_ctrl_c(results):
    command = [
        Path(sys.executable).with_name("sweep"),
        "serve",
        "--results",
        results,
        "--port",
        "0",
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, preexec_fn=heed_ctrl_c, **pipes) as started:
        url = started.stdout.readline().decode().split()[0]
        assert ask(int(url.rstrip("/").rpartition(":")[2]), "/")[0] == 200
        started.send_signal(signal.SIGINT)
        assert started.wait(timeout=20) == 0
        assert started.stderr.read() == b""
