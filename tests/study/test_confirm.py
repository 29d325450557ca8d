"""What becomes of finalists when trainings fail, and what is remembered of the test clips."""

from dataclasses import replace

import pytest

from sweep.candidate import Candidate
from sweep.errors import StudyError
from sweep.evaluation import Evaluation
from sweep.study import confirm as confirm_module
from sweep.study.confirm import confirm
from sweep.study.finalist import Retraining
from sweep.study.storage import StudyFolder
from sweep.study.trials import finish
from sweep.study.workers import Result

from .fake_workers import FakeWorkers, evaluate, make_space

FILES = {"frontend.tflite": b"front", "model.tflite": b"model"}
ALPHAS = (0.17, 0.2, 0.25)


@pytest.fixture
def record(folder: StudyFolder, spoken):
    """A study of three feasible trials, each on the front."""
    with folder.owned():
        study = folder.create(make_space(), None, {"fingerprint": spoken.fingerprint})
        for alpha in ALPHAS:
            study.enqueue_trial(
                {"alpha": alpha, "num_mel_bins": 30, "num_coefficients": 8, "final_sparsity": 0.0}
            )
            trial = study.ask(make_space().distributions)
            finish(
                study, trial, evaluate(make_space().candidate(trial.params), make_space().limits)
            )
    assert folder.record().funnel()["feasible"] == 3
    return folder.record()


@pytest.fixture
def failing(monkeypatch) -> set[float]:
    """Widths whose trainings fail; nothing is really trained or measured."""
    alphas: set[float] = set()

    class Workers(FakeWorkers):
        def __init__(self, *given) -> None:
            super().__init__(make_space(), work=self.train)

        def __enter__(self) -> "Workers":
            return self

        def __exit__(self, *given) -> None:
            pass

        def submit(self, number: int, candidate: Candidate, *, dataset: object) -> None:
            super().submit(number, candidate)

        def wait(self, timeout: float) -> Result | None:
            result = super().wait(timeout)
            return result and replace(result, files=FILES)

        @staticmethod
        def train(candidate, limits) -> Evaluation:
            if candidate.network.alpha in alphas:
                return Evaluation("failed", "killed its worker 2 times")
            return evaluate(candidate, limits)

    monkeypatch.setattr(confirm_module, "DaskWorkers", Workers)
    monkeypatch.setattr(
        confirm_module,
        "_measure",
        lambda dataset, job, metrics: (
            Retraining(job.candidate.seed, {}, {"accuracy": 0.97}, confusion=((9, 1), (0, 10))),
            {"accuracy": 20.0},
            None,
        ),
    )
    return alphas


def confirmed(record, spoken, folder, folds=2, top=3):
    said: list[str] = []
    found = confirm(
        record, spoken, folder, top=top, seeds=2, folds=folds, workers=1, say=said.append
    )
    return {one.trial for one in found}, said


@pytest.mark.parametrize("folds", [0, 2])
def test_a_trial_that_cannot_be_trained_again_is_left_out(record, spoken, folder, failing, folds):
    failing.add(0.2)
    found, said = confirmed(record, spoken, folder, folds)
    assert found == {0, 2}
    assert said == [
        "trial 1 is left out, it cannot be trained again: killed its worker 2 times",
    ]
    failing.clear()
    assert confirmed(record, spoken, folder, folds) == ({0, 1, 2}, [])


def test_where_none_can_be_trained_again_there_are_no_finalists(record, spoken, folder, failing):
    failing.update(ALPHAS)
    with pytest.raises(StudyError, match="none of the trials chosen can be trained again"):
        confirmed(record, spoken, folder)


def test_every_trial_that_ever_heard_a_test_clip_is_remembered(record, spoken, folder, failing):
    (first,), _ = confirmed(record, spoken, folder, folds=0, top=1)
    assert folder.record().tested == (first,)
    confirmed(record, spoken, folder, folds=0, top=3)
    failing.add(ALPHAS[first])
    for place in folder.retrainings.iterdir():
        place.rename(place.with_name(f".{place.name}"))
    found, _ = confirmed(record, spoken, folder, folds=0, top=3)
    assert first not in found and {one.trial for one in folder.record().finalists} == found
    assert folder.record().tested == (0, 1, 2)
