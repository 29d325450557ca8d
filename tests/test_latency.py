"""A command that takes latencies: what it may print, and what is told where it fails."""

import os
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from sweep import latency
from sweep.errors import SweepError
from sweep.latency import LatencyCommand
from sweep.litert import Latency

from .commands import write_command

NO_CLIPS = np.empty(0)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch) -> None:
    monkeypatch.setattr(latency, "_PAUSE_IN_S", 0)


def measured(folder: Path, script: str, timeout_s: float = 10) -> Latency:
    return LatencyCommand(write_command(folder, script), timeout_s).measure(b"abc", NO_CLIPS)


@pytest.mark.parametrize(
    ("printed", "found"),
    [("12.5", (12.5, 0)), ("warm\n\n7 0.25\n\n", (7, 0.25)), ("3e-1 0 ms", (0.3, 0))],
)
def test_the_last_line_is_the_median_and_the_spread(tmp_path, printed, found):
    assert measured(tmp_path, f"printf '{printed}'") == Latency(*found)


def test_it_is_given_the_file_and_no_input(tmp_path):
    assert measured(tmp_path, 'cat; test "$(cat "$1")" = abc && echo 1').median_ms == 1


@pytest.mark.parametrize("printed", ["", "fast", "0", "-1", "nan", "inf", "1 -1", "1 ms"])
def test_anything_else_is_told(tmp_path, printed):
    with pytest.raises(SweepError, match=r"^latency.command: sh .*: its last line is no millisec"):
        measured(tmp_path, f"echo {printed}")


def test_why_it_fails_is_told(tmp_path):
    with pytest.raises(SweepError, match="ends with 255: ssh: no route to host$"):
        measured(tmp_path, "echo 5; echo ssh: no route to host >&2; exit 255")


def test_one_that_cannot_be_started_is_told(tmp_path):
    with pytest.raises(SweepError, match="nowhere {model}: cannot be started: No such file or dir"):
        LatencyCommand(f"{tmp_path}/nowhere {{model}}", 10).measure(b"abc", NO_CLIPS)


def test_one_that_takes_too_long_is_ended_with_all_it_has_started(tmp_path):
    script = f"sleep 600 & echo $! >> {tmp_path}/started; wait"
    begun = time.monotonic()
    with pytest.raises(SweepError, match="takes longer than 0.5 s$"):
        measured(tmp_path, script, timeout_s=0.5)
    assert time.monotonic() - begun < 10
    started = [int(line) for line in (tmp_path / "started").read_text().split()]
    assert len(started) == 3 and not any(map(is_running, started))


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_connection_lost_for_a_moment_is_no_matter(tmp_path):
    script = f"echo x >> {tmp_path}/tries; test $(wc -l < {tmp_path}/tries) -ge 3 && echo 4"
    assert measured(tmp_path, script).median_ms == 4


def test_nothing_of_it_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = os.listdir(tmp_path)
    measured(tmp_path, "echo 1")
    assert set(os.listdir(tmp_path)) - {"measure.sh"} == set(before)
