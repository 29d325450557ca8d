import contextlib
import threading
import time

import psutil
import pytest
from distributed import LocalCluster

from sweep.errors import SweepError
from sweep.study import cluster as cluster_module
from sweep.study import crew as crew_module
from sweep.study import nanny as nanny_module

from .fake_work import FINE, FREEZES
from .real_workers import PATIENCE_IN_S, OnlyHere, candidate, gone, result, started, wait_until

pytestmark = pytest.mark.usefixtures("no_trace_of_dask")


def test_a_frozen_worker_is_replaced_and_its_trial_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_SILENCE_IN_S", 4)
    with started(tmp_path, 1) as cold:
        cold.submit(0, candidate(FREEZES))
        assert result(cold).evaluation.reason == "attempt 2"
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
    with started(tmp_path, 1) as cold:
        assert frozen and not frozen[0].is_running()
        cold.submit(0, candidate(FINE))
        assert result(cold).evaluation.outcome == "infeasible"


def test_so_is_one_that_freezes_as_it_has_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_module, "_SILENCE_IN_S", 4)
    start = crew_module.start_workers

    def start_and_freeze(processes: int) -> LocalCluster:
        started = start(processes)
        psutil.Process(started.workers[0].pid).suspend()
        return started

    monkeypatch.setattr(crew_module, "start_workers", start_and_freeze)
    with started(tmp_path, 1) as cold:
        cold.submit(0, candidate(FINE))
        assert result(cold).evaluation.outcome == "infeasible"
    assert "said by a library" in (tmp_path / "log").read_text()


def test_workers_that_all_freeze_while_they_start_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(nanny_module, "_STILL_IN_S", 1)
    threading.Thread(target=freeze, args=([], 2), daemon=True).start()
    told = "^worker processes cannot be started: worker processes freeze or end while they start$"
    with pytest.raises(SweepError, match=told):
        started(tmp_path, 1)


def test_workers_that_lose_their_connection_are_replaced(workers):
    # Dask breaks it when it cannot unpickle a message.
    before = workers._crew.nannies()
    workers._client.submit(print, OnlyHere(), pure=False)
    assert wait_until(
        lambda: len(now := workers._crew.nannies()) == 2 and now.keys() != before.keys()
    )
    assert sorted(workers._crew.nannies().values()) == sorted(before.values())
    workers.submit(80, candidate(FINE, epochs=80))
    assert result(workers).evaluation.outcome == "infeasible"
