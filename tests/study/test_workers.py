import gc
import os
import socket
import time

import dask
import psutil
import pytest
from dask._task_spec import Task

from sweep.errors import SweepError

from .fake_work import (
    ALLOCATES,
    ALONE,
    DIES,
    DIES_ONCE,
    DISK_FULL,
    FINE,
    RAISES,
    SICK,
    SLEEPS,
)
from .real_workers import PAGES, OnlyHere, candidate, gone, result, scheduler, started, wait_until

pytestmark = pytest.mark.usefixtures("no_trace_of_dask")


def test_every_core_lent_is_a_process_of_its_own(workers):
    assert workers.capacity == 2
    for number in range(4):
        workers.submit(number, candidate(FINE, epochs=number + 1))
    assert workers.busy == 4
    results = [result(workers) for _ in range(4)]
    assert workers.busy == 0
    assert sorted(a.number for a in results) == [0, 1, 2, 3]
    assert {a.evaluation.outcome for a in results} == {"infeasible"}
    pids = {int(a.files["pid"]) for a in results}
    assert os.getpid() not in pids
    assert all(psutil.Process(pid).parent() is not None for pid in pids)


def test_candidates_that_have_ended_are_forgotten(workers):
    for number in range(60):
        workers.submit(number, candidate(FINE))
    assert {result(workers).number for _ in range(60)} == set(range(60))
    kept = [one for one in gc.get_objects() if isinstance(one, Task)]
    assert sum(workers._token in str(task.key) for task in kept) <= 20


def test_waiting_has_an_end(workers):
    begin = time.monotonic()
    assert workers.wait(0.1) is None
    assert time.monotonic() - begin < 5


def test_a_worker_that_dies_has_its_trial_run_again(workers, work_folder):
    workers.submit(10, candidate(DIES_ONCE))
    found = result(workers)
    assert (found.number, found.evaluation.reason) == (10, "attempt 2")
    first, second = (work_folder / f"{DIES_ONCE}-1").read_text().split()
    assert first != second


def test_a_worker_comes_back_whatever_dask_is_told_of_lost_ones(tmp_path):
    with dask.config.set({"distributed.deploy.lost-worker-timeout": 0.01}):
        with started(tmp_path, 1) as one:
            one.submit(0, candidate(DIES_ONCE))
            assert result(one).evaluation.reason == "attempt 2"
            one.submit(1, candidate(FINE))
            assert result(one).evaluation.outcome == "infeasible"


def test_a_candidate_that_kills_its_worker_twice_fails_and_the_next_is_evaluated(
    workers, work_folder
):
    workers.submit(20, candidate(DIES))
    found = result(workers)
    assert (found.number, found.evaluation.outcome) == (20, "failed")
    assert found.evaluation.reason == "killed its worker 2 times"
    assert len((work_folder / f"{DIES}-1").read_text().split()) == 2
    workers.submit(21, candidate(FINE, epochs=21))
    assert result(workers).evaluation.outcome == "infeasible"


def test_an_exception_fails_the_trial_with_its_first_line(workers, work_folder):
    assert wait_until(lambda: workers.capacity == 2)  # after the deaths before
    workers.submit(30, candidate(RAISES))
    found = result(workers)
    assert (found.evaluation.outcome, found.files) == ("failed", {})
    assert found.evaluation.reason == "ValueError: the first line"
    assert f"on {socket.gethostname()}:\nTraceback" in found.evaluation.traceback
    assert found.evaluation.traceback.endswith("ValueError: the first line\nthe second line\n")
    assert len((work_folder / f"{RAISES}-1").read_text().split()) == 2  # on the other worker, too
    assert "ValueError: the first line\nthe second line" in (work_folder / "log").read_text()


def test_what_the_user_must_mend_is_raised(workers):
    workers.submit(40, candidate(DISK_FULL))
    with pytest.raises(SweepError, match="cache: No space left on device"):
        result(workers)


def test_what_libraries_print_goes_to_the_log(workers, work_folder, capfd):
    workers.submit(50, candidate(FINE, epochs=50))
    result(workers)
    assert "said by a library" in (work_folder / "log").read_text()
    assert capfd.readouterr() == ("", "")


def test_a_worker_uses_the_memory_it_has_freed_again(workers):
    workers.submit(60, candidate(ALLOCATES))
    assert int(result(workers).files["faults"]) < PAGES / 10


def test_a_trial_that_takes_too_long_fails_and_its_process_is_replaced(tmp_path):
    with started(tmp_path, 1, trial_timeout_s=2) as short:
        short.submit(0, candidate(SLEEPS))
        found = result(short)
        assert found.evaluation.outcome == "failed"
        assert found.evaluation.reason == "took longer than 2 s (search.trial_timeout)"
        assert gone(tmp_path, SLEEPS)
        short.submit(1, candidate(FINE))
        assert result(short).evaluation.outcome == "infeasible"
    assert len((tmp_path / f"{SLEEPS}-1").read_text().split()) == 1


def test_a_trial_that_workers_cannot_unpickle_fails_and_they_stay(workers):
    assert wait_until(lambda: workers.capacity == 2)
    before = workers._crew.nannies()
    workers.submit(70, candidate(FINE), dataset=OnlyHere())
    found = result(workers).evaluation
    assert found.reason == "ModuleNotFoundError: No module named 'only_here'"
    assert "in unpickled" in found.traceback
    assert workers._crew.nannies() == before


def test_a_worker_that_fails_what_others_finish_is_replaced_and_no_candidate_fails(tmp_path):
    said = []
    with started(tmp_path, 2, say=said.append) as workers:
        for number in range(6):
            workers.submit(number, candidate(SICK, epochs=number + 1))
        found = [result(workers) for _ in range(6)]
    assert {one.evaluation.outcome for one in found} == {"infeasible"}
    assert len(said) == 1 and said[0].endswith("fails what others finish: its process is replaced")
    assert not psutil.pid_exists(int((tmp_path / "sick").read_text()))


def test_a_worker_with_threads_still_works_at_one_trial_at_a_time(tmp_path):
    with scheduler(workers=1, threads=4) as cluster:
        address = cluster.scheduler_address
        with started(tmp_path, address=address) as far:
            assert far.capacity == 1
            for number in range(4):
                far.submit(number, candidate(ALONE, epochs=number + 1))
            assert {result(far).evaluation.outcome for _ in range(4)} == {"infeasible"}


def test_two_sweeps_on_one_scheduler_do_not_take_each_others_answers(tmp_path):
    with scheduler(workers=1, threads=1) as cluster:
        address = cluster.scheduler_address
        with started(tmp_path, address=address) as one, started(tmp_path, address=address) as two:
            one.submit(0, candidate(FINE, epochs=1))
            two.submit(0, candidate(FINE, epochs=2))
            result(one), result(two)
    assert (tmp_path / f"{FINE}-1").exists() and (tmp_path / f"{FINE}-2").exists()


def test_a_scheduler_that_goes_away_ends_the_search_and_fails_no_trial(tmp_path):
    cluster = scheduler(workers=1)
    with started(tmp_path, address=cluster.scheduler_address) as lost:
        lost.submit(0, candidate(SLEEPS))
        while not list(tmp_path.glob(f"{SLEEPS}-*")):
            time.sleep(0.05)
        cluster.close()
        with pytest.raises(SweepError, match="the Dask scheduler is gone; run the same command"):
            result(lost)
