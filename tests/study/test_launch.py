import pytest

from sweep import machine
from sweep.c import emulator
from sweep.c.cores import Target
from sweep.c.estimate import ESTIMATED
from sweep.errors import StudyError, SweepError
from sweep.evaluation import Evaluation
from sweep.study import launch as launch_module
from sweep.study.launch import launch

from .fake_workers import FINITE, SPACE, evaluate, make_space


def compute(
    candidate, dataset, limits, rules, metrics, measure_on, target, clock
) -> tuple[Evaluation, dict[str, bytes]]:
    """Evaluate by formula, on a worker."""
    return evaluate(candidate, limits), {}


@pytest.fixture(autouse=True)
def _computed(monkeypatch):
    """Real workers that compute instead of training."""
    monkeypatch.setattr(launch_module, "evaluate_candidate", compute)


def test_a_sweep_is_launched_goes_on_and_knows_what_it_was_made_from(folder, spoken):
    told = []
    first = launch(make_space(trials=5), spoken, folder, workers=2, listen=told.append)
    assert sum(first.funnel().values()) - first.funnel()["invalid"] == 5
    assert told[-1].done == 5
    assert first.about["labels"] == ["stop", "go"]
    assert first.about["clips"] == spoken.counts
    assert first.about["fingerprint"] == spoken.fingerprint
    assert first.about["seed"] == 3
    assert {"python", "optuna", "tensorflow"} <= set(first.about["versions"])

    second = launch(make_space(trials=8), spoken, folder, workers=1)
    assert sum(second.funnel().values()) - second.funnel()["invalid"] == 8
    assert second.trials[: len(first.trials)] == first.trials
    assert second.about == first.about


def test_latencies_of_a_study_are_measured_on_one_model_of_processor(folder, spoken, monkeypatch):
    timed = make_space(trials=1)
    assert timed.timed and not make_space(FINITE + "objectives: {size_kb: minimize}").timed
    monkeypatch.setattr(machine, "processor", lambda: "arm64 Slow")
    with pytest.raises(SweepError, match="has processor arm64 Slow instead of x86_64 Fast, so"):
        launch(timed, spoken, folder, workers=1, measure_on="x86_64 Fast")
    assert launch(timed, spoken, folder, workers=1).about["measured_on"] == "arm64 Slow"
    with pytest.raises(StudyError, match="measured on arm64 Slow, not on x86_64 Fast; name"):
        launch(timed, spoken, folder, workers=1, scheduler="tls://x", measure_on="x86_64 Fast")
    monkeypatch.setattr(machine, "processor", lambda: "x86_64 Fast")
    with pytest.raises(SweepError, match="has processor x86_64 Fast instead of arm64 Slow"):
        launch(timed, spoken, folder, workers=1)


def test_where_a_command_takes_them_any_processor_does(folder, spoken, monkeypatch):
    monkeypatch.setattr(machine, "processor", lambda: "arm64 Slow")
    by_command = "latency: {command: 'run {model}'}\n"
    timed = make_space(SPACE + by_command, trials=1)
    assert launch(timed, spoken, folder, workers=1).about["measured_on"] == ""
    monkeypatch.setattr(machine, "processor", lambda: "x86_64 Fast")
    launch(make_space(SPACE + by_command, trials=2), spoken, folder, workers=1)
    with pytest.raises(SweepError, match="^--measure-on: latencies are taken by latency.command$"):
        launch(timed, spoken, folder, workers=1, measure_on="x86_64 Fast")
    other = make_space(SPACE + by_command.replace("run", "run2"), trials=3)
    with pytest.raises(StudyError, match="latency = 'run {model}', now it is 'run2 {model}'; name"):
        launch(other, spoken, folder, workers=1)


def test_without_the_emulator_what_a_core_takes_is_estimated_and_stays_so(
    folder, spoken, monkeypatch
):
    monkeypatch.setattr(launch_module, "is_installed", lambda: False)
    space, said = make_space(SPACE + "target: cortex-m4\n", trials=1), []
    record = launch(space, spoken, folder, workers=1, say=said.append)
    assert record.target == Target("cortex-m4", counted=False)
    assert ESTIMATED in record.cautions
    assert said[0] == f"{ESTIMATED}; pip install 'tinysweep[device]' counts them"
    monkeypatch.setattr(launch_module, "is_installed", lambda: True)
    assert not launch(space, spoken, folder, workers=1).target.counted


def test_counts_are_not_gone_on_with_by_estimates(folder, spoken, monkeypatch):
    monkeypatch.setattr(emulator, "is_installed", lambda: False)
    monkeypatch.setattr(launch_module, "is_installed", lambda: True)
    space = make_space(SPACE + "target: cortex-m4\n", trials=1)
    assert launch(space, spoken, folder, workers=1).target.counted
    monkeypatch.setattr(launch_module, "is_installed", lambda: False)
    with pytest.raises(SweepError, match="^target: cortex-m4 is counted in an emulator; pip"):
        launch(space, spoken, folder, workers=1)


def test_folds_are_dealt_and_remembered(folder, spoken):
    space = make_space(trials=2, folds=3)
    record = launch(space, spoken, folder, workers=1)
    assert record.about["folds"] == 3 and "clips of 3 folds" in record.judged_on
    with pytest.raises(StudyError, match="made with folds = 3, now it is 0"):
        launch(make_space(trials=4), spoken, folder, workers=1)


def test_a_sweep_of_other_clips_starts_no_worker(folder, spoken, monkeypatch):
    with folder.owned():
        folder.create(make_space(), None, {"fingerprint": "of other clips"})
    monkeypatch.setattr(launch_module, "DaskWorkers", pytest.fail)
    with pytest.raises(StudyError, match="was made with other clips; name another --study"):
        launch(make_space(), spoken, folder, workers=1)


def test_what_was_typed_is_kept_so_that_it_can_be_typed_again_but_for_a_password(
    folder, spoken, monkeypatch
):
    url = "postgresql+psycopg://ann:s3c:ret@db.lab/sweeps"
    monkeypatch.setattr("sys.argv", ["sweep", "run", "my space.yaml", f"--storage={url}"])
    told = launch(make_space(trials=1), spoken, folder, workers=1).about["command"]
    assert "s3c" not in told and "ann:***@db.lab/sweeps" in told
    assert told.startswith("sweep run 'my space.yaml' ")


@pytest.mark.parametrize("url", ["postgresql://db/x?user=me&password=s3cret&sslmode=require"])
def test_a_password_among_the_options_of_an_address_is_not_kept_either(
    url, folder, spoken, monkeypatch
):
    monkeypatch.setattr("sys.argv", ["sweep", "run", "space.yaml", "--storage", url])
    told = launch(make_space(trials=1), spoken, folder, workers=1).about["command"]
    assert "s3cret" not in told and "password=***&sslmode=require" in told
