"""What training on mined clips changes."""

import numpy as np
import pytest
import soundfile

import sweep
from sweep import relearning
from sweep.errors import DataError, StudyError
from sweep.mining import FOLDER

from .study.test_few_speakers import Here


@pytest.fixture
def study(spotter):
    return sweep.load("words", spotter.parent / "results")


@pytest.fixture
def mined(tmp_path):
    """Four clips of noise, as if a recording had been mined."""
    (tmp_path / FOLDER).mkdir()
    rng = np.random.default_rng(0)
    for i in range(4):
        clip = rng.normal(0, 0.1, 16000)
        soundfile.write(tmp_path / FOLDER / f"radio-0_nohash_{i}.wav", clip, 16000)
    return tmp_path


def test_both_are_trained_with_the_same_seeds_and_measured_on_the_same_stream(
    study, mined, monkeypatch
):
    monkeypatch.setattr(relearning, "DaskWorkers", Here)
    told = []
    changed = relearning.relearn(
        study.folder, study.record, 0, mined, trainings=1, progress=lambda *one: told.append(one)
    )
    by_name = {one.metric: one for one in changed}
    assert list(by_name) == [
        *("accuracy", "false_accept_rate", "false_alarms_per_hour", "miss_rate"),
        "detection_delay_ms",
    ]
    (trial,) = study.record.trials
    # The first training is the trial itself, so that what it measured comes out again.
    assert by_name["accuracy"].before == trial.evaluation.result["accuracy"]
    assert by_name["miss_rate"].before == trial.evaluation.result["miss_rate"]
    assert any(one.before != one.after for one in changed)
    assert ("training again", 1.0) in told


def test_what_cannot_be_learnt_from_is_refused(study, tmp_path):
    with pytest.raises(StudyError, match="words has no trial 7 that was trained to its end"):
        study.relearn(7, tmp_path)
    with pytest.raises(DataError, match="false-alarms: has no clip that can be used"):
        study.relearn(0, tmp_path)
