import asyncio
import contextlib
import gc
import hashlib
import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import dask
import psutil
import pytest
from distributed import LocalCluster, Security, rpc

from sweep import machine
from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.location import locate
from sweep.candidate import Candidate, TrainingParams
from sweep.errors import SweepError
from sweep.study import cluster as cluster_module
from sweep.study import crew as crew_module
from sweep.study import nanny as nanny_module
from sweep.study.cluster import reach, serve_worker
from sweep.study.engine import Answer, Engine
from sweep.study.security import new_key, security_of, write_key

from ..signals import heed_ctrl_c
from .fake_work import (
    ALLOCATES,
    ALONE,
    DIES,
    DIES_ONCE,
    DISK_FULL,
    FINE,
    FREEZES,
    LITTERS,
    RAISES,
    SICK,
    SLEEPS,
    listen,
    work,
)

ROOT = Path(__file__).parents[2]
PATIENCE_IN_S = 60
PAGES = 100 * 2**20 / resource.getpagesize()
"""How many pages are found anew if none is used again."""


@pytest.fixture(autouse=True)
def _no_client_left() -> Iterator[None]:
    """Collect clients that found no scheduler now; while Dask begins a loop it would lock up."""
    yield
    gc.collect()


def candidate(behaviour: int, epochs: int = 1) -> Candidate:
    return Candidate(training=TrainingParams(epochs=epochs), seed=behaviour)


def scheduler(workers: int, threads: int = 1) -> LocalCluster:
    """Return a scheduler of somebody else's, with workers of so many threads."""
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=threads,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    )


def answer(engine: Engine) -> Answer:
    """Return the next answer."""
    end = time.monotonic() + PATIENCE_IN_S
    while time.monotonic() < end:
        found = engine.wait(0.5)
        if found is not None:
            return found
    raise AssertionError("no answer came")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def engine(folder):
    """Two real workers."""
    with Engine(None, [], 2, None, folder / "log", partial(work, folder=folder)) as running:
        yield running


def test_every_core_lent_is_a_process_of_its_own(engine):
    assert engine.capacity == 2
    for number in range(4):
        engine.submit(number, candidate(FINE, epochs=number + 1))
    assert engine.busy == 4
    answers = [answer(engine) for _ in range(4)]
    assert engine.busy == 0
    assert sorted(a.number for a in answers) == [0, 1, 2, 3]
    assert {a.evaluation.outcome for a in answers} == {"infeasible"}
    pids = {int(a.files["pid"]) for a in answers}
    assert os.getpid() not in pids
    assert all(psutil.Process(pid).parent() is not None for pid in pids)


def test_waiting_has_an_end(engine):
    begin = time.monotonic()
    assert engine.wait(0.1) is None
    assert time.monotonic() - begin < 5


def test_a_worker_that_dies_has_its_trial_run_again(engine, folder):
    engine.submit(10, candidate(DIES_ONCE))
    found = answer(engine)
    assert (found.number, found.evaluation.reason) == (10, "attempt 2")
    first, second = (folder / f"{DIES_ONCE}-1").read_text().split()
    assert first != second


def test_a_worker_comes_back_whatever_dask_is_told_of_lost_ones(tmp_path):
    with dask.config.set({"distributed.deploy.lost-worker-timeout": 0.01}):
        with Engine(None, [], 1, None, tmp_path / "log", partial(work, folder=tmp_path)) as one:
            one.submit(0, candidate(DIES_ONCE))
            assert answer(one).evaluation.reason == "attempt 2"
            one.submit(1, candidate(FINE))
            assert answer(one).evaluation.outcome == "infeasible"


def test_a_candidate_that_kills_its_worker_twice_fails_and_the_next_is_evaluated(engine, folder):
    engine.submit(20, candidate(DIES))
    found = answer(engine)
    assert (found.number, found.evaluation.outcome) == (20, "failed")
    assert found.evaluation.reason == "killed its worker 2 times"
    assert len((folder / f"{DIES}-1").read_text().split()) == 2
    engine.submit(21, candidate(FINE, epochs=21))
    assert answer(engine).evaluation.outcome == "infeasible"


def test_an_exception_fails_the_trial_with_its_first_line(engine, folder):
    assert _wait_until(lambda: engine.capacity == 2)  # after the deaths before
    engine.submit(30, candidate(RAISES))
    found = answer(engine)
    assert (found.evaluation.outcome, found.files) == ("failed", {})
    assert found.evaluation.reason == "ValueError: the first line"
    assert f"on {socket.gethostname()}:\nTraceback" in found.evaluation.traceback
    assert found.evaluation.traceback.endswith("ValueError: the first line\nthe second line\n")
    assert len((folder / f"{RAISES}-1").read_text().split()) == 2  # on the other worker, too
    assert "ValueError: the first line\nthe second line" in (folder / "log").read_text()


def test_what_the_user_must_mend_is_raised(engine):
    engine.submit(40, candidate(DISK_FULL))
    with pytest.raises(SweepError, match="cache: No space left on device"):
        answer(engine)


def test_what_libraries_print_goes_to_the_log(engine, folder, capfd):
    engine.submit(50, candidate(FINE, epochs=50))
    answer(engine)
    assert "said by a library" in (folder / "log").read_text()
    assert capfd.readouterr() == ("", "")


def test_a_worker_uses_the_memory_it_has_freed_again(engine):
    engine.submit(60, candidate(ALLOCATES))
    assert int(answer(engine).files["faults"]) < PAGES / 10


def gone(folder: Path, behaviour: int) -> bool:
    """Wait until the process that was noted first for a behaviour is gone."""
    pid = int((folder / f"{behaviour}-1").read_text().split()[0])
    return _wait_until(lambda: not psutil.pid_exists(pid))


def _wait_until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_IN_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def test_a_trial_that_takes_too_long_fails_and_its_process_is_replaced(tmp_path):
    job = partial(work, folder=tmp_path)
    with Engine(None, [], 1, None, tmp_path / "log", job, trial_timeout_s=2) as short:
        short.submit(0, candidate(SLEEPS))
        found = answer(short)
        assert found.evaluation.outcome == "failed"
        assert found.evaluation.reason == "took longer than 2 s (search.trial_timeout)"
        assert gone(tmp_path, SLEEPS)
        short.submit(1, candidate(FINE))
        assert answer(short).evaluation.outcome == "infeasible"
    assert len((tmp_path / f"{SLEEPS}-1").read_text().split()) == 1


def test_a_frozen_worker_is_replaced_and_its_trial_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_SILENCE_IN_S", 4)
    with Engine(None, [], 1, None, tmp_path / "log", partial(work, folder=tmp_path)) as cold:
        cold.submit(0, candidate(FREEZES))
        assert answer(cold).evaluation.reason == "attempt 2"
        assert gone(tmp_path, FREEZES)


def freeze(frozen: list[psutil.Process], count: int) -> None:
    """Stop the first worker processes that this process starts, before they have joined."""
    me, end = psutil.Process(), time.monotonic() + PATIENCE_IN_S
    known = set(me.children())
    while len(frozen) < count and time.monotonic() < end:
        for child in set(me.children()) - known:
            with contextlib.suppress(psutil.NoSuchProcess):
                if "spawn_main" in " ".join(child.cmdline()):
                    child.suspend()
                    known.add(child)
                    frozen.append(child)
        time.sleep(0.01)


def test_a_worker_that_freezes_while_it_starts_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(nanny_module, "_STILL_IN_S", 2)
    frozen = []
    threading.Thread(target=freeze, args=(frozen, 1), daemon=True).start()
    with Engine(None, [], 1, None, tmp_path / "log", partial(work, folder=tmp_path)) as cold:
        assert frozen and not frozen[0].is_running()
        cold.submit(0, candidate(FINE))
        assert answer(cold).evaluation.outcome == "infeasible"


def test_so_is_one_that_freezes_as_it_has_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_SILENCE_IN_S", 4)
    start = crew_module.start_workers

    def start_and_freeze(processes: int) -> LocalCluster:
        started = start(processes)
        psutil.Process(started.workers[0].pid).suspend()
        return started

    monkeypatch.setattr(crew_module, "start_workers", start_and_freeze)
    with Engine(None, [], 1, None, tmp_path / "log", partial(work, folder=tmp_path)) as cold:
        cold.submit(0, candidate(FINE))
        assert answer(cold).evaluation.outcome == "infeasible"
    assert "said by a library" in (tmp_path / "log").read_text()


def test_workers_that_all_freeze_while_they_start_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(nanny_module, "_STILL_IN_S", 1)
    threading.Thread(target=freeze, args=([], 2), daemon=True).start()
    told = "^worker processes cannot be started: worker processes freeze or end while they start$"
    with pytest.raises(SweepError, match=told):
        Engine(None, [], 1, None, tmp_path / "log")


class OnlyHere:
    """What no other process than the one that made it can unpickle."""

    def __reduce__(self) -> tuple[Callable[[int], object], tuple[int]]:
        return unpickled, (os.getpid(),)


def unpickled(pid: int) -> OnlyHere:
    if pid != os.getpid():
        raise ModuleNotFoundError("No module named 'only_here'")
    return OnlyHere()


def test_a_trial_that_workers_cannot_unpickle_fails_and_they_stay(engine):
    assert _wait_until(lambda: engine.capacity == 2)
    before = engine._crew.nannies()
    engine.submit(70, candidate(FINE), dataset=OnlyHere())
    found = answer(engine).evaluation
    assert found.reason == "ModuleNotFoundError: No module named 'only_here'"
    assert "in unpickled" in found.traceback
    assert engine._crew.nannies() == before


def test_workers_that_lose_their_connection_are_replaced(engine):
    # Dask breaks it when it cannot unpickle a message.
    before = engine._crew.nannies()
    engine._client.submit(print, OnlyHere(), pure=False)
    assert _wait_until(
        lambda: len(now := engine._crew.nannies()) == 2 and now.keys() != before.keys()
    )
    assert sorted(engine._crew.nannies().values()) == sorted(before.values())
    engine.submit(80, candidate(FINE, epochs=80))
    assert answer(engine).evaluation.outcome == "infeasible"


def test_a_search_that_no_worker_is_left_for_ends(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(crew_module, "_DESERTED_IN_S", 2)
    with scheduler(workers=1) as cluster:
        address = cluster.scheduler_address
        job = partial(work, folder=tmp_path)
        with Engine(None, [], 0, address, tmp_path / "log", job, say=said.append) as engine:
            monkeypatch.setattr(crew_module, "_PATIENCE_IN_S", 1)
            cluster.scale(0)
            assert _wait_until(lambda: not engine._client.nthreads())
            engine.submit(0, candidate(FINE))
            with pytest.raises(SweepError, match="no worker has been left for 2 s; run the same"):
                answer(engine)
    assert said == ["no worker is left; waiting for one"]


def test_a_worker_that_fails_what_others_finish_is_replaced_and_no_candidate_fails(tmp_path):
    said = []
    job = partial(work, folder=tmp_path)
    with Engine(None, [], 2, None, tmp_path / "log", job, say=said.append) as engine:
        for number in range(6):
            engine.submit(number, candidate(SICK, epochs=number + 1))
        found = [answer(engine) for _ in range(6)]
    assert {one.evaluation.outcome for one in found} == {"infeasible"}
    assert len(said) == 1 and said[0].endswith("fails what others finish: its process is replaced")
    assert not psutil.pid_exists(int((tmp_path / "sick").read_text()))


FAR = """
import sys
from functools import partial
from pathlib import Path
from sweep.study.engine import Engine
from tests.study.fake_work import SLEEPS, work
from tests.study.test_engine import candidate
folder, address = Path(sys.argv[1]), sys.argv[2]
with Engine(None, [], 0, address, folder / "log", partial(work, folder=folder)) as engine:
    engine.submit(0, candidate(SLEEPS))
    try:
        while True:
            engine.wait(0.25)
    except KeyboardInterrupt:
        pass
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_the_end_of_a_coordinator_ends_its_trials_on_a_scheduler_elsewhere(end, tmp_path):
    with scheduler(workers=1) as cluster:
        far = begin(FAR, tmp_path, cluster.scheduler_address)
        assert _wait_until((tmp_path / f"{SLEEPS}-1").exists)
        far.send_signal(end)
        assert far.communicate(timeout=PATIENCE_IN_S)[1] == ""
        assert gone(tmp_path, SLEEPS)
        job = partial(work, folder=tmp_path)
        with Engine(None, [], 0, cluster.scheduler_address, tmp_path / "log", job) as next_one:
            next_one.submit(0, candidate(FINE))
            assert answer(next_one).evaluation.outcome == "infeasible"


def listening(process: psutil.Process) -> set[tuple[str, int]]:
    """Return the addresses on which a process and those below it listen."""
    found = set()
    for one in (process, *process.children(recursive=True)):
        found |= {tuple(c.laddr) for c in one.net_connections("tcp") if c.status == "LISTEN"}
    return found


async def _asked(address: str, security: Security) -> object:
    async with asyncio.timeout(3):
        async with rpc(address, connection_args=security.get_connection_args("client")) as other:
            return await other.identity()


def test_nobody_without_its_key_gets_anything_of_a_sweep(engine):
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
        job = partial(work, folder=tmp_path)
        with Engine(None, [], 0, address, tmp_path / "log", job, key=key) as far:
            far.submit(0, candidate(FINE))
            assert answer(far).evaluation.outcome == "infeasible"
            assert {host for host, _ in listening(psutil.Process(worker.pid))} == {"127.0.0.1"}
        with pytest.raises(SweepError, match=f"^{address}: no Dask scheduler answers there"):
            Engine(None, [], 0, address, tmp_path / "log", job, key=another)
        with pytest.raises(SweepError, match="no Dask scheduler answers there"):
            Engine(None, [], 0, address.replace("tls", "tcp"), tmp_path / "log", job)


def test_a_machine_that_joins_by_sweep_worker_does_the_same(tmp_path):
    with scheduler(workers=0) as cluster:
        address = cluster.scheduler_address
        command = [sys.executable, "-c", "from sweep.cli import main; main()", "worker", address]
        # Workers of other tests have left their settings in this process.
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
        lent = subprocess.Popen(command, cwd=ROOT, env=clean)
        try:
            with Engine(
                None, [], 0, address, tmp_path / "log", partial(work, folder=tmp_path)
            ) as far:
                far.submit(0, candidate(ALLOCATES))
                found = answer(far)
        finally:
            lent.terminate()
            lent.wait(PATIENCE_IN_S)
    assert int(found.files["faults"]) < PAGES / 10


def test_a_scheduler_elsewhere_lends_its_workers(tmp_path):
    with scheduler(workers=1, threads=1) as cluster:
        address = cluster.scheduler_address
        with Engine(None, [], 5, address, tmp_path / "log", partial(work, folder=tmp_path)) as far:
            assert far.capacity == 1
            far.submit(0, candidate(FINE))
            assert answer(far).evaluation.outcome == "infeasible"
        assert cluster.scheduler_info["workers"]


def test_a_worker_with_threads_still_works_at_one_trial_at_a_time(tmp_path):
    with scheduler(workers=1, threads=4) as cluster:
        address = cluster.scheduler_address
        with Engine(None, [], 0, address, tmp_path / "log", partial(work, folder=tmp_path)) as far:
            assert far.capacity == 1
            for number in range(4):
                far.submit(number, candidate(ALONE, epochs=number + 1))
            assert {answer(far).evaluation.outcome for _ in range(4)} == {"infeasible"}


def test_two_sweeps_on_one_scheduler_do_not_take_each_others_answers(tmp_path):
    with scheduler(workers=1, threads=1) as cluster:
        address = cluster.scheduler_address
        given = (None, [], 1, address, tmp_path / "log", partial(work, folder=tmp_path))
        with Engine(*given) as one, Engine(*given) as other:
            one.submit(0, candidate(FINE, epochs=1))
            other.submit(0, candidate(FINE, epochs=2))
            answer(one), answer(other)
    assert (tmp_path / f"{FINE}-1").exists() and (tmp_path / f"{FINE}-2").exists()


def test_a_scheduler_that_no_worker_joins_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(crew_module, "_PATIENCE_IN_S", 1)
    with scheduler(workers=0) as cluster:
        address = cluster.scheduler_address
        told = f"^{address}: has no workers; start some with sweep worker {address}$"
        with pytest.raises(SweepError, match=told):
            Engine(None, [], 0, address, tmp_path / "log")


@pytest.mark.parametrize("kind", [OSError, RuntimeError])
def test_workers_that_cannot_be_started_are_told(kind, tmp_path, monkeypatch):
    def refuse(scratch, **options):
        raise kind("Too many open files")

    monkeypatch.setattr(cluster_module, "_LastingCluster", refuse)
    with pytest.raises(
        SweepError, match="^worker processes cannot be started: Too many open files$"
    ):
        Engine(None, [], 1, None, tmp_path / "log")


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 1000])
def test_something_else_that_listens_there_is_told_in_time(greeting, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_GREETING_IN_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=greet_all, args=(server, greeting), daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        begin = time.monotonic()
        for way in (
            lambda: Engine(None, [], 1, address, tmp_path / "log"),
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
        Engine(None, [], 8, None, tmp_path / "log")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://127.0.0.1", "127.0.0.1:port"])
def test_a_scheduler_that_does_not_answer_is_told(address, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_GREETING_IN_S", 1)
    with pytest.raises(SweepError, match=f"^{address}: no Dask scheduler answers there$"):
        Engine(None, [], 1, address, tmp_path / "log")


COORDINATOR = """
import sys
from functools import partial
from pathlib import Path
from sweep.study.engine import Engine
from tests.study.fake_work import SLEEPS, work
from tests.study.test_engine import candidate
folder = Path(sys.argv[1])
with Engine(None, [], 2, None, folder / "log", partial(work, folder=folder)) as engine:
    for number in range(2):
        engine.submit(number, candidate(SLEEPS, number + 1))
    try:
        while True:
            engine.wait(0.25)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def begin(script, folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, str(folder), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_ctrl_c,
    )


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

from sweep.study.engine import Engine

if __name__ == "__main__":
    try:
        with Engine(None, [], 2, None, Path(sys.argv[1]) / "log"):
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
    job = partial(work, folder=tmp_path)
    with Engine(None, [], 1, None, tmp_path / "log", job) as engine:
        engine.submit(0, candidate(LITTERS))
        answer(engine)
        engine.submit(1, candidate(DIES_ONCE))
        answer(engine)
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


def test_a_scheduler_that_goes_away_ends_the_search_and_fails_no_trial(tmp_path):
    cluster = scheduler(workers=1)
    with Engine(
        None, [], 1, cluster.scheduler_address, tmp_path / "log", partial(work, folder=tmp_path)
    ) as lost:
        lost.submit(0, candidate(SLEEPS))
        while not list(tmp_path.glob(f"{SLEEPS}-*")):
            time.sleep(0.05)
        cluster.close()
        with pytest.raises(SweepError, match="the Dask scheduler is gone; run the same command"):
            answer(lost)


def test_a_scheduler_is_reached_from_within_a_running_event_loop_too():
    """As in a notebook."""

    async def cell() -> None:
        with pytest.raises(SweepError, match="127.0.0.1:1"):
            reach("tcp://127.0.0.1:1", None)

    asyncio.run(cell())


def other_version(folder: Path) -> dict[str, str]:
    """Return the environment of a machine on which another version is installed."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "from importlib import metadata\n"
        "real = metadata.version\n"
        "metadata.version = lambda name: '0.0.9' if name == 'tinysweep' else real(name)\n"
    )
    path = os.pathsep.join(filter(None, [str(folder), str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def elsewhere(folder: Path) -> dict[str, str]:
    """Return the environment of a machine with another processor."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "from sweep import machine\nmachine.processor = lambda: 'other Slow'\n"
    )
    path = os.pathsep.join(filter(None, [str(folder), str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def without(hidden: Path, folder: Path) -> dict[str, str]:
    """Return the environment of a machine with a cache of its own that cannot see a folder."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        f"import os, pathlib, sys\nhidden, real = {str(hidden)!r}, pathlib.Path.is_dir\n"
        "pathlib.Path.is_dir = lambda path: not str(path).startswith(hidden) and real(path)\n"
        "def hide(event, given):\n"
        "    if event == 'open' and str(given[0]).startswith(hidden):\n"
        "        raise FileNotFoundError(given[0])\n"
        "sys.addaudithook(hide)\n"
    )
    path = os.pathsep.join(filter(None, [str(folder), str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "SWEEP_CACHE": str(folder / "cache")}


@contextlib.contextmanager
def joining(address: str, **how: object) -> Iterator[subprocess.Popen]:
    """Run ``sweep worker`` with one process."""
    script = (
        "import sys; from sweep.study.cluster import serve_worker; from sweep.errors import *\n"
    )
    script += "try: serve_worker(sys.argv[1], 1, say=lambda text: print(text, flush=True))\n"
    script += "except SweepError as error: sys.exit(f'sweep: {error}')"
    command = [sys.executable, "-c", script, address]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


REFUSED = "this worker has tinysweep 0.0.9 instead of"


def test_a_worker_of_another_version_is_refused_whether_it_comes_first_or_later(tmp_path):
    environment, said = other_version(tmp_path / "other"), []
    job = partial(work, folder=tmp_path)
    with scheduler(workers=1) as cluster:
        address = cluster.scheduler_address
        with joining(address, env=environment) as before:
            assert _wait_until(lambda: len(cluster.scheduler_info["workers"]) == 2)
            with Engine(None, [], 0, address, tmp_path / "log", job, say=said.append) as engine:
                assert before.wait(PATIENCE_IN_S) == 1
                assert REFUSED in before.stderr.read()
                assert len(said) == 1 and REFUSED in said[0]
                with joining(address, env=environment) as later:
                    assert later.wait(PATIENCE_IN_S) == 1
                    assert REFUSED in later.stderr.read()
                engine.submit(0, candidate(FINE))
                found = answer(engine).evaluation
        assert (found.outcome, found.machine) == ("infeasible", socket.gethostname())


def test_where_latencies_compare_a_worker_with_another_processor_is_refused(tmp_path):
    environment, said = elsewhere(tmp_path / "other"), []
    job, log = partial(work, folder=tmp_path), tmp_path / "log"
    with scheduler(workers=1) as cluster:
        address = cluster.scheduler_address
        with joining(address, env=environment) as other:
            assert _wait_until(lambda: len(cluster.scheduler_info["workers"]) == 2)
            with Engine(None, [], 0, address, log, job) as engine:
                assert engine.capacity == 2
                for number in range(4):
                    engine.submit(number, candidate(ALONE, epochs=number + 1))
                found = [answer(engine).evaluation for _ in range(4)]
            assert {one.processor for one in found} == {machine.processor(), "other Slow"}
            own = machine.processor()
            with Engine(None, [], 0, address, log, job, processor=own, say=said.append):
                assert other.wait(PATIENCE_IN_S) == 1
    assert f"this worker has processor other Slow instead of {own}, so latencies" in said[0]


def test_recordings_travel_to_a_machine_that_lacks_them_once(tmp_path, spoken):
    folder, said = tmp_path / "recordings", []
    shutil.copytree(locate(spoken.spec), folder)
    dataset = open_dataset(DatasetSpec(str(folder), ("stop", "go")))
    environment = without(folder, tmp_path / "other")
    with scheduler(workers=0) as cluster:
        address = cluster.scheduler_address
        with joining(address, env=environment):
            for _ in range(2):
                with Engine(dataset, [], 0, address, tmp_path, listen, say=said.append) as engine:
                    engine.submit(0, candidate(FINE))
                    found = answer(engine).evaluation
                    content = dataset.waveforms("training", 8000).tobytes()
                    assert found.reason == hashlib.sha256(content).hexdigest()
    assert len(said) == 1 and said[0].endswith(f"has no {folder}: recordings are sent")
    assert list((tmp_path / "other/cache/tinysweep/recordings").iterdir())


def test_where_every_worker_is_of_another_version_the_search_does_not_begin(tmp_path):
    with scheduler(workers=0) as cluster:
        address = cluster.scheduler_address
        with joining(address, env=other_version(tmp_path / "other")):
            with pytest.raises(SweepError, match=f"{address}: no worker is left; .*{REFUSED}"):
                Engine(None, [], 0, address, tmp_path / "log")


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
            job = partial(work, folder=tmp_path)
            with Engine(None, [], 0, address, tmp_path / "log", job, key=key) as first:
                first.submit(0, candidate(FINE))
                assert answer(first).evaluation.outcome == "infeasible"
        assert any("the scheduler is gone; waiting for it" in line for line in worker.stdout)
        with serving() as address:
            assert any("working again" in line for line in worker.stdout)
            with Engine(None, [], 0, address, tmp_path / "log", job, key=key) as second:
                second.submit(0, candidate(FINE))
                assert answer(second).evaluation.outcome == "infeasible"
