"""A sweep to be disturbed: ``python -m tests.study.fake_chaos FOLDER URL TRIALS``.

Every trial takes a moment and tells what a made-up candidate measures; its model is made of its
key.
"""

import hashlib
import os
import sys
import time
from functools import partial
from pathlib import Path

from optuna.samplers import RandomSampler

from sweep.candidate import Candidate
from sweep.evaluation import Evaluation
from sweep.limits import Limit
from sweep.study import cluster
from sweep.study.search import Search
from sweep.study.storage import StudyFolder
from sweep.study.workers import DaskWorkers

from .fake_workers import evaluate, make_space

SICK = "sick"
"""The file that holds the process id of a worker that fails everything."""

WORKING = "working"
"""The file that is there from the first trial of a coordinator on."""

_TRIAL_IN_S = 0.2
_SILENCE_IN_S = 5
_ABOUT = {"fingerprint": "same", "source": "synthetic"}


def model_of(candidate: Candidate) -> bytes:
    """Return what stands for the model of a candidate."""
    return hashlib.sha256(candidate.key().encode()).digest() * 1000


def work(
    candidate: Candidate, dataset: object, limits: list[Limit], rules: object, folder: Path
) -> tuple[Evaluation, dict[str, bytes]]:
    """Return what a candidate would measure, after a moment; fail on a sick worker."""
    (folder / WORKING).touch()
    sick = folder / SICK
    if sick.is_file() and sick.read_text() == str(os.getpid()):
        raise OSError("Too many open files")
    time.sleep(_TRIAL_IN_S)
    evaluation = evaluate(candidate, limits)
    feasible = evaluation.outcome == "feasible"
    return evaluation, {"model.tflite": model_of(candidate)} if feasible else {}


def study_folder(folder: Path, url: str) -> StudyFolder:
    """Return where the study lives."""
    return StudyFolder(folder / "results", "chaos", url)


def main(folder: Path, url: str, trials: int) -> None:
    """Search until the budget is spent."""
    cluster._SILENCE_IN_S = _SILENCE_IN_S
    space, study = make_space(trials=trials, sampler="random"), study_folder(folder, url)
    with study.owned():
        made = study.create(space, RandomSampler(seed=os.getpid()), _ABOUT)
        job = partial(work, folder=folder)
        with DaskWorkers(None, space.limits, 2, None, folder / "log", job) as workers:
            Search(space, made, study, workers).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
