"""The line that follows a sweep, in terminals wide and narrow."""

import io
from collections import Counter

import pytest
from rich.console import Console

from sweep.live_line import LiveLine, StatusLine, describe_progress
from sweep.study.progress import SearchProgress

OBJECTIVES = {"accuracy": "maximize", "latency_ms": "minimize", "size_kb": "minimize"}


@pytest.fixture
def progress() -> SearchProgress:
    """A search in the middle."""
    return SearchProgress(
        100,
        OBJECTIVES,
        Counter(invalid=3, gated=9, stopped=6, infeasible=11, feasible=11),
        best={"accuracy": 0.976, "latency_ms": 0.21, "size_kb": 3.2},
        finished_now=10,
        seconds=40.0,
    )


def drawn(status: StatusLine, width: int) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, markup=False, highlight=False).print(status)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_it_tells_outcomes_the_best_and_the_time_left(progress: SearchProgress) -> None:
    assert describe_progress(progress).replace("\u00a0", " ") == (
        "gated 9, stopped 6, infeasible 11, feasible 11; best 0.976, 0.210 ms, 3.20 KB; 4:12 left"
    )


def test_metrics_of_one_unit_are_told_apart() -> None:
    best = {"accuracy": 0.976, "tflite_size_kb": 4.64, "arena_kb": 1.27, "multiply_adds": 38916}
    progress = SearchProgress(10, dict.fromkeys(best, "minimize"), best=best)
    assert describe_progress(progress).replace("\u00a0", " ") == (
        "best 0.976, tflite size 4.64 KB, arena 1.27 KB, multiply adds 38,916"
    )


def test_before_the_first_result_it_tells_what_is_running() -> None:
    assert describe_progress(SearchProgress(10, OBJECTIVES)) == "starting workers"
    assert describe_progress(SearchProgress(10, OBJECTIVES, running=2)) == "2 running"


def test_hours_are_told_as_hours(progress: SearchProgress) -> None:
    progress.seconds = 1000.0
    assert describe_progress(progress).endswith("; 1:45:00 left")


def test_in_a_wide_terminal_all_of_it_is_one_line(progress: SearchProgress) -> None:
    lines = drawn(StatusLine("37/100", 0.37, describe_progress(progress)), 140)
    assert len(lines) == 1
    assert lines[0].startswith("37/100 ━") and lines[0].endswith("4:12 left")


@pytest.mark.parametrize("width", [40, 60, 80])
def test_in_a_narrow_terminal_nothing_of_it_is_lost(progress: SearchProgress, width: int) -> None:
    lines = drawn(StatusLine("37/100", 0.37, describe_progress(progress)), width)
    assert lines[0].startswith("37/100 ━━━━━━━━")
    assert all(len(line) <= width for line in lines)
    assert " ".join(lines[1:]).split() == describe_progress(progress).split()


def test_where_there_is_no_terminal_quick_work_says_nothing_of_its_progress(
    progress: SearchProgress, capsys: pytest.CaptureFixture[str]
) -> None:
    with LiveLine() as line:
        line.note("reading clips", 0.5)
        line.say("a line that stays")
        line.show(progress)
    assert capsys.readouterr().err == "a line that stays\n"


def test_where_there_is_no_terminal_long_work_says_a_line_now_and_then(
    progress: SearchProgress,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LiveLine() as line:
        monkeypatch.setattr("sweep.live_line._PLAIN_EVERY_S", 0.0)
        line.note("reading clips", 0.5)
        line.count("by folds", 3, 10)
        line.show(progress)
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["50%  reading clips", "3/10  trainings by folds"]
    assert told[2].startswith("37/100  gated 9")
