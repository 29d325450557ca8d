"""A trial trained again from its record."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sweep.api import load
from sweep.metrics import ACCURACY
from sweep.replay import compared
from sweep.study.workers import Result

from .cli.shell import refused, sweep


@pytest.fixture(scope="module")
def feasible(finished: Path):
    """A feasible trial of the small sweep, and how the sweep was made."""
    record = load("words", finished / "results").record
    trial = next(t for t in record.trials if t.evaluation.outcome == "feasible")
    return trial, record.about


def test_on_the_same_machine_it_gives_the_same_bytes(finished: Path, feasible) -> None:
    trial, _ = feasible
    done = sweep("replay", "words", "--trial", trial.number, "--json", cwd=finished)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["sha256"][0] == told["sha256"][1] is not None
    assert told["then"] == told["now"] == trial.evaluation.result["accuracy"]
    assert told["changed"] == []


def test_a_trial_that_was_not_trained_is_refused(finished: Path) -> None:
    told = refused("replay", "words", "--trial", 999, cwd=finished, code=1)
    assert told == "sweep: words has no trial 999 that was trained to its end"


class TestWhatItSays:
    """How near what came of it is."""

    def told(self, feasible, accuracy: float, then: bytes, now: bytes, **about: str):
        trial, made = feasible
        (result,) = (trial.evaluation.result,)
        metrics = {**result.metrics, "accuracy": accuracy}
        again = replace(trial.evaluation, variants=(replace(result, metrics=metrics),), chosen=0)
        result = Result(trial.number, again, {"model.tflite": now})
        return compared(trial, result, then, ACCURACY, {**made, **about})

    def test_the_same_bytes(self, feasible) -> None:
        found = self.told(feasible, 0.5, b"model", b"model")
        assert found.is_identical and found.is_within_noise
        assert str(found) == f"trial {found.trial}: the same bytes"

    def test_other_bytes_that_classify_nearly_as_well(self, feasible) -> None:
        accuracy = feasible[0].evaluation.result["accuracy"]
        found = self.told(feasible, accuracy - 0.001, b"model", b"other")
        assert not found.is_identical and found.is_within_noise
        assert "other bytes, the same within noise: accuracy" in str(found)

    def test_another_outcome_and_what_has_changed(self, feasible) -> None:
        versions = feasible[1]["versions"] | {"numpy": "1.0"}
        found = self.told(feasible, 0.3, b"model", b"other", versions=versions, measured_on="Mars")
        assert not found.is_within_noise
        assert "other bytes, not the same: accuracy" in str(found)
        assert "numpy" in found.changed[0] and found.changed[0].endswith("1.0 then")
        assert found.changed[1].endswith("Mars then")
