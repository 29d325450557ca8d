from pathlib import Path

import pytest

import sweep
from sweep import api
from sweep.errors import NothingFeasible, SpecError, StudyError


@pytest.fixture
def study(finished: Path) -> api.Study:
    """The small sweep that the tests of the commands look at."""
    return sweep.load("words", finished / "results")


def test_a_study_has_its_trials_its_front_and_its_picks(study):
    assert len(study.trials) == 4
    front = study.front()
    assert set(front["trial"]) <= set(study.trials["trial"])
    assert study.pick("most-accurate")["accuracy"] == front["accuracy"].max()


def test_a_study_is_found_by_its_folder_too(study):
    assert sweep.load(study.folder.path).trials.equals(study.trials)


def test_a_trial_is_exported_by_number_or_by_word(study, tmp_path):
    number = int(study.pick("smallest")["trial"])
    told = study.export(number, str(tmp_path / "by-number"))
    assert told["trial"] == number
    assert sweep.Classifier(str(tmp_path / "by-number")).labels == ("stop", "go")


def test_its_page_is_written(study):
    assert study.report().read_text(encoding="utf-8").startswith("<!doctype html>")


def test_mistakes_are_errors_of_the_package(study, tmp_path):
    with pytest.raises(StudyError):
        sweep.load("nothing", tmp_path)
    with pytest.raises(SpecError, match="pick: 'tiny' is unknown"):
        study.pick("tiny")
    with pytest.raises(SpecError, match="1 leaves nobody to train on"):
        study.finalists(folds=1)
    with pytest.raises(SpecError, match="--trials: input should be greater"):
        sweep.run("quickstart", trials=0, results=tmp_path)


def test_of_no_feasible_trial_there_is_none_to_pick(study, monkeypatch):
    none = study.trials.assign(outcome="infeasible")
    monkeypatch.setattr(api, "table", lambda record: none)
    assert study.front().empty
    with pytest.raises(NothingFeasible):
        study.pick("smallest")
