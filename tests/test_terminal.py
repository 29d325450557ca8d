"""What the shell shows of a study and of recordings, at the widths of terminals."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sweep.audio.check import inspect_folder
from sweep.audio.dataset import Dataset
from sweep.candidate import parameter_facts
from sweep.study.finalist_table import finalist_table
from sweep.study.records import StudyRecord
from sweep.study.table import table
from sweep.terminal import (
    describe_dataset,
    print_finalists,
    print_folder,
    print_front,
    print_pairs,
    print_parameters,
    print_trials,
    status_facts,
)

from .audio.recordings import tone, write
from .report.fake_studies import SPACE, make_record, with_finalists


def shown(width: int, show: Callable[..., None], *arguments: Any) -> list[str]:
    """Return the lines that a terminal so wide shows."""
    file = io.StringIO()
    show(Console(file=file, width=width, markup=False, highlight=False, emoji=False), *arguments)
    return file.getvalue().splitlines()


@pytest.fixture(scope="module")
def record() -> StudyRecord:
    return make_record(40, seed=3)


def test_in_a_wide_terminal_a_trial_takes_one_line(record: StudyRecord) -> None:
    lines = shown(200, print_trials, record, table(record), "All")
    assert lines[0] == "All" and len(lines) == 2 + 40
    assert lines[1].split()[:5] == ["trial", "outcome", "accuracy", "latency_ms", "size_kb"]
    assert len({line.index("mfcc" if "mfcc" in line else "log_mel") for line in lines[2:]}) == 1


def test_in_a_narrow_terminal_the_words_stand_below_the_numbers(record: StudyRecord) -> None:
    lines = shown(64, print_trials, record, table(record), "All")
    numbers = [line for line in lines[2:] if not line.startswith("       ")]
    assert [int(line.split()[0]) for line in numbers] == list(range(40))
    assert all(len(line) <= 64 for line in lines)
    words = " ".join(line.strip() for line in lines if line.startswith("       "))
    assert words.count("channels") == 40


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_number_of_a_finalist_is_cut(width: int, record: StudyRecord) -> None:
    confirmed = with_finalists(record, 2)
    told = " ".join(" ".join(shown(width, print_finalists, confirmed)).split())
    assert "…" not in told
    for row in finalist_table(confirmed).rows:
        assert all(" ".join(cell.split()) in told for cell in row)


@pytest.mark.parametrize("convolution", ["standard", "temporal"])
def test_other_convolutions_than_the_reports_are_named(convolution: str) -> None:
    space = SPACE.replace("epochs: 30", f"epochs: 30\n  network: {convolution}")
    other = make_record(3, space=space)
    lines = shown(200, print_trials, other, table(other), "All")
    assert all(f"{convolution} convolutions" in line for line in lines[2:])


def test_the_front_is_what_a_search_ends_with(record: StudyRecord) -> None:
    lines = shown(200, print_front, record)
    assert "meet the limits; the smallest, trial " in lines[0] and lines[1] == "The front"
    assert {line.split()[1] for line in lines[3:]} == {"feasible"}


def test_without_a_feasible_trial_the_limit_that_binds_and_the_nearest_misses_are_shown() -> None:
    lines = shown(200, print_front, make_record(30, seed=3, offset=-0.3))
    assert "The limit accuracy >= 0.97 binds: the best trial has" in lines[0]
    assert lines[0].endswith(" away.") and lines[1] == "The nearest misses"
    assert "worst_recall" in lines[2].split()
    assert len(lines) == 3 + 5


def test_pairs_stand_in_columns_and_empty_ones_are_left_out() -> None:
    pairs = {"labels": ["stop", "go"], "require": [], "search": {"goal": {}, "trials": 9}}
    assert [line.split() for line in shown(80, print_pairs, pairs.items())] == [
        ["labels", "stop,", "go"],
        ["search", "trials", "9"],
    ]


def test_a_sweep_says_what_it_learns_from(spoken: Dataset) -> None:
    assert describe_dataset("words", spoken, 2, None) == (
        "words: stop, go; 94 / 14 / 12 clips of 1 s, speaker-disjoint; 2 workers"
    )
    assert describe_dataset("words", spoken, 2, "tcp://a:1").endswith("; tcp://a:1")


def test_nobody_is_called_disjoint_whose_name_is_not_known(spoken: Dataset) -> None:
    names = (*spoken.listed["training"], "go/anna_1.wav")
    unnamed = replace(spoken, listed={**spoken.listed, "training": names})
    first, second = describe_dataset("words", unnamed, 2, None).splitlines()
    assert "speaker-disjoint" not in first and "split by recording" in first
    assert second == unnamed.speakers.caution and "(ANNA_nohash_0.wav)" in second


def test_folders_of_splits_that_are_dealt_anew_are_told(spoken: Dataset) -> None:
    names = ("train/go/anna_nohash_0.wav", "test/go/carl_nohash_0.wav")
    split = replace(spoken, listed={"training": names, "validation": (), "testing": ()})
    told = describe_dataset("words", split, 2, None).splitlines()
    assert told[-1:] == ["split: speaker ignores folders named after splits; use split: folders"]


def test_speakers_of_several_splits_are_counted(spoken: Dataset) -> None:
    listed = {
        "training": ("train/go/anna_nohash_0.wav", "train/go/ben_nohash_0.wav", "train/go/x.wav"),
        "validation": ("val/go/anna_nohash_1.wav", "val/go/x.wav"),
        "testing": ("test/go/carl_nohash_0.wav",),
    }
    spec = replace(spoken.spec, split="folders")
    told = describe_dataset("words", replace(spoken, spec=spec, listed=listed), 2, None)
    assert told.splitlines()[1].startswith("Of the speakers of validation and test clips, 1 are")


@pytest.mark.parametrize("count", [1, 9])
def test_what_is_left_out_is_counted_and_named(spoken: Dataset, count: int) -> None:
    skipped = tuple(f"go/{i}.flac: not a readable audio file" for i in range(count))
    told = describe_dataset("words", replace(spoken, skipped=skipped), 1, None).splitlines()
    assert told[1] == f"skipped unreadable recordings: {count}"
    assert told[2] == f"  {skipped[0]}"
    assert (told[-1].strip().startswith("... and 4 more")) == (count == 9)


def test_what_is_scaled_is_counted_and_named(spoken: Dataset) -> None:
    noted = ("go/a.wav: float samples up to 30,000, divided by 32,768",)
    told = describe_dataset("words", replace(spoken, noted=noted), 1, None).splitlines()
    assert told[1:] == ["beyond full scale, scaled: 1", f"  {noted[0]}"]


def test_what_is_in_a_folder_of_recordings_is_told_in_full(tmp_path: Path) -> None:
    for name in ("Train/go/a.wav", "Valid/go/b.wav", "Train/_unknown_/c.wav", "Test/x/go/d.wav"):
        write(tmp_path / name, tone())
    lines = shown(120, print_folder, inspect_folder(tmp_path))
    assert "no clip of go for testing: put some in a folder named testing or test" in lines
    assert "not words (folders that begin with _): Train/_unknown_ (1)" in lines
    assert lines[-1] == "  Test/x/go/d.wav"
    assert any(
        line.startswith("confounded: duplicates: 1 of the recordings of go are in several")
        for line in lines
    )


def test_facts_are_json_in_which_the_unknown_is_null(record: StudyRecord) -> None:
    frame = table(record)
    gated = [t for t in record.trials if t.evaluation.outcome == "gated"]
    assert frame["accuracy"].isna().any() and gated
    facts = status_facts(replace(record, trials=tuple(gated)))
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["nearest_misses"][0]["accuracy"] is None


@pytest.mark.parametrize("width", [80, 240])
def test_every_parameter_is_listed_with_its_default_as_a_file_has_it(width):
    head, *lines = shown(width, print_parameters, parameter_facts())
    assert head.split() == ["parameter", "default", "values", "meaning"]
    words = [line.split() for line in lines]
    for fact in parameter_facts():
        assert any(each[0] == fact["parameter"] for each in words if each)
    assert next(each for each in words if each[0] == "noise_snr_db")[1] == "null"
    assert next(each for each in words if each[0] == "end_learning_rate")[1] == "1.0e-05"
    assert all(len(line) <= width for line in lines)
