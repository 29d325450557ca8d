import os
import signal
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from .fake_work import DIES_ONCE, FINE, LITTERS, SLEEPS
from .real_workers import (
    PATIENCE_IN_S,
    begin,
    candidate,
    gone,
    result,
    scheduler,
    started,
    wait_until,
)

pytestmark = pytest.mark.usefixtures("no_trace_of_dask")


FAR = """
import sys
from pathlib import Path
from tests.study.real_workers import candidate, started
from tests.study.fake_work import SLEEPS
with started(Path(sys.argv[1]), address=sys.argv[2]) as workers:
    workers.submit(0, candidate(SLEEPS))
    try:
        while True:
            workers.wait(0.25)
    except KeyboardInterrupt:
        pass
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_the_end_of_a_coordinator_ends_its_trials_on_a_scheduler_elsewhere(end, tmp_path):
    with scheduler(workers=1) as cluster:
        far = begin(FAR, tmp_path, cluster.scheduler_address)
        assert wait_until((tmp_path / f"{SLEEPS}-1").exists)
        far.send_signal(end)
        assert far.communicate(timeout=PATIENCE_IN_S)[1] == ""
        assert gone(tmp_path, SLEEPS)
        with started(tmp_path, address=cluster.scheduler_address) as next_one:
            next_one.submit(0, candidate(FINE))
            assert result(next_one).evaluation.outcome == "infeasible"


COORDINATOR = """
import sys
from pathlib import Path
from tests.study.real_workers import candidate, started
from tests.study.fake_work import SLEEPS
with started(Path(sys.argv[1]), count=2) as workers:
    for number in range(2):
        workers.submit(number, candidate(SLEEPS, number + 1))
    try:
        while True:
            workers.wait(0.25)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.fixture
def coordinator(tmp_path):
    """A coordinator whose two workers are at work, and the processes below it."""
    process = begin(COORDINATOR, tmp_path)
    end = time.monotonic() + PATIENCE_IN_S
    while len(list(tmp_path.glob(f"{SLEEPS}-*"))) < 2:
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.05)
    yield process, psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()


def test_ctrl_c_ends_at_once_and_leaves_no_process(coordinator):
    process, children = coordinator
    assert len(children) >= 2
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does
    output, complaints = process.communicate(timeout=10)
    assert output == "interrupted\n"
    assert complaints == ""
    assert psutil.wait_procs(children, timeout=5)[1] == []


STARTING = """
import sys
import time
from pathlib import Path

from sweep.study.workers import DaskWorkers

if __name__ == "__main__":
    try:
        with DaskWorkers(None, [], 2, None, Path(sys.argv[1]) / "log"):
            time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_ctrl_c_while_workers_start_is_no_trouble_to_them(tmp_path):
    process = begin(STARTING, tmp_path)
    coordinator, end = psutil.Process(process.pid), time.monotonic() + PATIENCE_IN_S
    while not any("spawn_main" in " ".join(child.cmdline()) for child in coordinator.children()):
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.01)
    time.sleep(0.2)  # in the middle of what it imports
    os.killpg(process.pid, signal.SIGINT)
    output, complaints = process.communicate(timeout=PATIENCE_IN_S)
    assert output == "interrupted\n"
    assert complaints == ""


def test_kill_9_of_the_coordinator_leaves_no_process(coordinator):
    process, children = coordinator
    process.kill()
    process.communicate()
    assert psutil.wait_procs(children, timeout=20)[1] == []


@pytest.fixture
def temporary(tmp_path_factory, monkeypatch) -> Path:
    """The folder of temporary files of this process and those that it starts."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def test_no_temporary_file_is_left_but_by_kill_9_and_then_not_by_the_next(
    temporary, coordinator, tmp_path
):
    coordinator[0].kill()
    coordinator[0].communicate()
    (left,) = temporary.iterdir()
    with started(tmp_path, 1) as workers:
        workers.submit(0, candidate(LITTERS))
        result(workers)
        workers.submit(1, candidate(DIES_ONCE))
        result(workers)
        assert not left.exists()
        (used,) = temporary.iterdir()
        assert list(used.glob("__autograph_generated_file*"))
    assert list(temporary.iterdir()) == []


def test_nor_does_it_leave_a_worker_that_was_stopped(coordinator, tmp_path):
    process, children = coordinator
    worker = psutil.Process(int((tmp_path / f"{SLEEPS}-1").read_text()))
    worker.suspend()
    process.kill()
    process.communicate()
    assert psutil.wait_procs([worker, *children], timeout=20)[1] == []
