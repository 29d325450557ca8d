"""As another user of this machine: no code run, nothing read, through any port."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster

from sweep.study.workers import DaskWorkers

from ..report.fake_studies import make_record
from ..report.study_fixtures import RunningSweep
from .fake_work import work
from .real_workers import ROOT, begin, listening

NOBODY = 65534
ATTACKER = f"""
import asyncio, http.client, json, os, socket, sys
from contextlib import suppress
import distributed.comm.tcp
from distributed import Client, Security
from sweep.study.security import new_key, security_of

made = security_of(new_key())
os.setgroups([]), os.setgid({NOBODY}), os.setuid({NOBODY})

async def run(address, security):
    async with asyncio.timeout(2):
        async with Client(address, security=security, asynchronous=True, timeout=1) as client:
            return await client.submit(os.getpid)

found = {{}}
for place in sys.argv[1:]:
    host, _, port = place.rpartition(":")
    got = found[place] = []
    for scheme, security in (("tcp", Security()), ("tls", made)):
        with suppress(OSError, TimeoutError, asyncio.CancelledError, RuntimeError, ValueError):
            asyncio.run(run(f"{{scheme}}://{{place}}", security))
            got.append("code was run")
    for path in ("/", "/studies.json", "/info/main/workers.html", "/json/identity.json"):
        with suppress(OSError, http.client.HTTPException):
            web = http.client.HTTPConnection(host, int(port), timeout=2)
            web.request("GET", path)
            answer = web.getresponse()
            if answer.status not in (403, 404):
                got.append(f"{{path}} was read")
    with suppress(OSError):
        with socket.create_connection((host, int(port)), 2) as plug:
            plug.sendall(b"x" * 100)
            said = plug.recv(4096)
            if b"Type" in said or b"{{" in said:
                got.append(repr(said[:200]))
print(json.dumps(found))
"""


pytestmark = pytest.mark.usefixtures("no_trace_of_dask")


def attack(places: set[tuple[str, int]]) -> dict[str, list[str]]:
    """Return what another user got through ports."""
    script = [sys.executable, "-c", ATTACKER, *(f"{host}:{port}" for host, port in places)]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module", autouse=True)
def _becoming_another() -> None:
    if os.getuid() != 0:
        pytest.skip("only root can become another user")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[set[tuple[str, int]]]:
    """The ports of a sweep at work, and of the page of its study."""
    study = RunningSweep(tmp_path / "results", make_record(4, name="ended"))
    study.end(4)
    study.stop()
    page = "import sys; from sweep.cli import main; sys.argv[1:2] = []; main()"
    with ExitStack() as ended:
        serving = begin(page, tmp_path, "serve", "--port", "0", "--results", tmp_path / "results")
        ended.callback(serving.communicate)
        ended.callback(serving.terminate)
        assert "Ctrl-C to stop" in serving.stdout.readline()
        ended.enter_context(
            DaskWorkers(None, [], 1, None, tmp_path / "log", partial(work, folder=tmp_path))
        )
        yield listening(psutil.Process())


def test_another_user_gets_nothing(served: set[tuple[str, int]]) -> None:
    assert len(served) >= 4  # a page, a scheduler, a nanny, a worker
    assert set(map(tuple, attack(served).values())) == {()}


def test_from_who_asks_for_no_key_the_same_attacker_gets_all(tmp_path: Path) -> None:
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        host, _, port = cluster.scheduler_address.removeprefix("tcp://").rpartition(":")
        found = attack({(host, int(port))})
    assert "code was run" in found[f"{host}:{port}"]
