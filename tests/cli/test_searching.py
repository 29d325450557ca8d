"""Real sweeps in processes of their own: gone on with, killed, interrupted."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ..signals import heed_ctrl_c
from .shell import SPACE, SWEEP, space_file, sweep


class TestRun:
    def test_ends_with_the_front_a_page_and_feasible_models(self, finished: Path) -> None:
        status = json.loads(sweep("status", "words", "--json", cwd=finished).stdout)
        assert status["funnel"]["feasible"] >= 1
        assert sum(status["funnel"].values()) - status["funnel"]["invalid"] == 4
        assert status["front"]
        assert (finished / "results/words/report.html").stat().st_size > 10_000

    def test_with_one_seed_and_one_worker_does_the_same_twice(
        self, finished: Path, tmp_path: Path
    ) -> None:
        done = sweep("run", space_file(tmp_path), "--workers", 1, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        told = []
        for folder in (finished, tmp_path):
            rows = json.loads(sweep("trials", "words", "--json", cwd=folder).stdout)
            same = ("alpha", "final_sparsity", "outcome", "accuracy", "size_kb", "variant")
            told.append([[row[key] for key in same] for row in rows])
        assert told[0] == told[1]

    def test_killed_three_times_it_goes_on_and_trains_nothing_twice(self, tmp_path: Path) -> None:
        text = SPACE.replace("trials: 4", "trials: 6")
        file = space_file(tmp_path, text)
        database = tmp_path / "results/words/study.db"
        for _ in range(3):
            before = _finished_trials(database)
            started = subprocess.Popen(
                [str(SWEEP), "run", str(file), "--workers", "1"],
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _wait_for(lambda: _finished_trials(database) > before)
            children = _descendants(started.pid)
            started.send_signal(signal.SIGKILL)
            started.wait()
            assert children
            _wait_for(lambda: not any(map(_alive, children)), seconds=30)
        ended = json.loads(sweep("trials", "words", "--json", cwd=tmp_path).stdout)
        done = sweep("run", file, "--trials", 7, "--workers", 1, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        rows = json.loads(sweep("trials", "words", "--json", cwd=tmp_path).stdout)
        counted = [row for row in rows if row["outcome"] != "invalid"]
        assert len(ended) >= 3 and all(row in rows for row in ended)
        assert len(counted) == 7
        assert len({(int(128 * r["alpha"]), r["final_sparsity"]) for r in counted}) == 7
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    @pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
    def test_interrupted_keeps_what_is_finished_and_says_so(self, end, tmp_path: Path) -> None:
        text = SPACE.replace("trials: 4", "trials: 50")
        started = subprocess.Popen(
            [str(SWEEP), "run", str(space_file(tmp_path, text)), "--workers", "1"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=heed_ctrl_c,
        )
        database = tmp_path / "results/words/study.db"
        _wait_for(lambda: _finished_trials(database) >= 1)
        children = _descendants(started.pid)
        if end == signal.SIGINT:
            os.killpg(started.pid, end)  # as a terminal does
        else:
            started.send_signal(end)
        _, errors = started.communicate(timeout=60)
        assert started.returncode == 130
        assert "Traceback" not in errors
        assert errors.strip().splitlines()[-1].startswith("sweep: interrupted; finished trials are")
        _wait_for(lambda: not any(map(_alive, children)), seconds=10)
        assert _finished_trials(database) >= 1


def _finished_trials(database: Path) -> int:
    if not database.exists():
        return 0
    try:
        reading = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
        with closing(reading) as connection:
            query = "SELECT count(*) FROM trials WHERE state IN ('COMPLETE', 'PRUNED')"
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _wait_for(holds: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


class TestCheck:
    def test_a_built_in_space_is_checked_by_its_name(self, tmp_path: Path) -> None:
        done = sweep("check", "quickstart", "--json", cwd=tmp_path)
        assert json.loads(done.stdout)["labels"] == ["stop", "go"]
