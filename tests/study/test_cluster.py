import asyncio
import contextlib
import http.client
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
from distributed import Security, rpc

from sweep.errors import SweepError
from sweep.study import cluster as cluster_module
from sweep.study.cluster import reach, serve_worker
from sweep.study.security import new_key, security_of, write_key

from .fake_work import ALLOCATES, FINE
from .real_workers import (
    PAGES,
    PATIENCE_IN_S,
    ROOT,
    candidate,
    joining,
    listening,
    result,
    scheduler,
    started,
)

pytestmark = pytest.mark.usefixtures("no_trace_of_dask")


async def _asked(address: str, security: Security) -> object:
    async with asyncio.timeout(1):
        async with rpc(address, connection_args=security.get_connection_args("client")) as other:
            return await other.identity()


def test_nobody_without_its_key_gets_anything_of_a_sweep(workers):
    places = listening(psutil.Process())
    assert len(places) >= 5  # a scheduler, two nannies, two workers
    answered = 0
    for host, port in places:
        assert host == "127.0.0.1"
        for scheme, security in (("tcp", Security()), ("tls", security_of(new_key()))):
            with pytest.raises((OSError, TimeoutError)):
                asyncio.run(_asked(f"{scheme}://{host}:{port}", security))
        with contextlib.suppress(OSError, http.client.HTTPException):
            web = http.client.HTTPConnection(host, port, timeout=5)
            web.request("GET", "/info/main/workers.html")
            assert web.getresponse().status == 404
            answered += 1
            web.close()
    assert answered >= 1  # Dask's web servers have no page
    commands = " ".join(map(str, (p.cmdline() for p in psutil.Process().children(recursive=True))))
    assert "PRIVATE KEY" not in commands


def test_machines_with_one_key_work_together_and_others_are_refused(tmp_path):
    key, another = tmp_path / "key", tmp_path / "another"
    write_key(key), write_key(another)
    command = [sys.executable, "-m", "sweep", "cluster", "scheduler", "--port", "0", "--key"]
    with contextlib.ExitStack() as ended:

        def run(*arguments: object) -> subprocess.Popen:
            process = subprocess.Popen([*map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE)
            ended.callback(process.stdout.close)
            ended.callback(process.wait, PATIENCE_IN_S)
            ended.callback(process.terminate)
            return process

        address = run(*command, key).stdout.readline().decode().strip()
        assert address.startswith("tls://127.0.0.1:")
        worker = run(sys.executable, "-m", "sweep", "worker", address, "--key", key)
        with started(tmp_path, address=address, key=key) as far:
            far.submit(0, candidate(FINE))
            assert result(far).evaluation.outcome == "infeasible"
            assert {host for host, _ in listening(psutil.Process(worker.pid))} == {"127.0.0.1"}
        with pytest.raises(SweepError, match=f"^{address}: no Dask scheduler answers there"):
            started(tmp_path, address=address, key=another)
        with pytest.raises(SweepError, match="no Dask scheduler answers there"):
            started(tmp_path, address=address.replace("tls", "tcp"))


def test_a_machine_that_joins_by_sweep_worker_does_the_same(tmp_path):
    with scheduler(workers=0) as cluster:
        address = cluster.scheduler_address
        command = [sys.executable, "-c", "from sweep.cli import main; main()", "worker", address]
        lent = subprocess.Popen(command, cwd=ROOT)
        try:
            with started(tmp_path, address=address) as far:
                far.submit(0, candidate(ALLOCATES))
                found = result(far)
        finally:
            lent.terminate()
            lent.wait(PATIENCE_IN_S)
    assert int(found.files["faults"]) < PAGES / 10


def test_a_scheduler_elsewhere_lends_its_workers(tmp_path):
    with scheduler(workers=1, threads=1) as cluster:
        address = cluster.scheduler_address
        with started(tmp_path, address=address) as far:
            assert far.capacity == 1
            far.submit(0, candidate(FINE))
            assert result(far).evaluation.outcome == "infeasible"
        assert cluster.scheduler_info["workers"]


@pytest.mark.parametrize("kind", [OSError, RuntimeError])
def test_workers_that_cannot_be_started_are_told(kind, tmp_path, monkeypatch):
    def refuse(scratch, **options):
        raise kind("Too many open files")

    monkeypatch.setattr(cluster_module, "_LastingCluster", refuse)
    with pytest.raises(
        SweepError, match="^worker processes cannot be started: Too many open files$"
    ):
        started(tmp_path, 1)


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 1000])
def test_something_else_that_listens_there_is_told_in_time(greeting, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_GREETING_IN_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet_all, args=(server, greeting), daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        begin = time.monotonic()
        for way in (
            lambda: started(tmp_path, address=address),
            lambda: serve_worker(address, 1),
        ):
            with pytest.raises(SweepError, match=f"^{address}: no Dask scheduler answers there$"):
                way()
    assert time.monotonic() - begin < 20


def greet_all(server: socket.socket, greeting: bytes) -> None:
    """Send a greeting to whoever connects, then nothing more."""
    with contextlib.ExitStack() as connected, contextlib.suppress(OSError):
        while True:
            connected.enter_context(server.accept()[0]).sendall(greeting)


def test_too_few_file_handles_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (150, 4096))
    told = r"^8 workers need 160 open files, and 150 are allowed; raise the limit \(ulimit -n 160\)"
    with pytest.raises(SweepError, match=told):
        started(tmp_path, 8)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://127.0.0.1", "127.0.0.1:port"])
def test_a_scheduler_that_does_not_answer_is_told(address, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_GREETING_IN_S", 1)
    with pytest.raises(SweepError, match=f"^{address}: no Dask scheduler answers there$"):
        started(tmp_path, address=address)


def test_a_scheduler_is_reached_from_within_a_running_event_loop_too(monkeypatch):
    """As in a notebook."""
    monkeypatch.setattr(cluster_module, "_GREETING_IN_S", 1)

    async def cell() -> None:
        with pytest.raises(SweepError, match="127.0.0.1:1"):
            reach("tcp://127.0.0.1:1", None)

    asyncio.run(cell())


def test_a_worker_comes_back_with_its_scheduler(tmp_path):
    key = tmp_path / "key"
    write_key(key)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sweep", "cluster", "scheduler", "--port", port, "--key", key]

    @contextlib.contextmanager
    def serving() -> Iterator[str]:
        with subprocess.Popen([*map(str, command)], cwd=ROOT, stdout=subprocess.PIPE) as process:
            try:
                yield process.stdout.readline().decode().strip()
            finally:
                process.kill()

    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    (tmp_path / "tinysweep").mkdir()
    key.rename(tmp_path / "tinysweep/cluster.key")
    key = command[-1] = tmp_path / "tinysweep/cluster.key"
    with contextlib.ExitStack() as ended:
        with serving() as address:
            worker = ended.enter_context(joining(address, env=environment))
            with started(tmp_path, address=address, key=key) as first:
                first.submit(0, candidate(FINE))
                assert result(first).evaluation.outcome == "infeasible"
        assert any("the scheduler is gone; waiting for it" in line for line in worker.stdout)
        with serving() as address:
            assert any("working again" in line for line in worker.stdout)
            with started(tmp_path, address=address, key=key) as second:
                second.submit(0, candidate(FINE))
                assert result(second).evaluation.outcome == "infeasible"
