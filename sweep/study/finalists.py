"""Finalists: the best trials trained again from several seeds, then the test split, once."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from sweep.audio.dataset import Dataset
from sweep.candidate import Candidate, Evaluation
from sweep.errors import StudyError
from sweep.limits import METRICS
from sweep.litert import Model, measure_latency, zipped_kb
from sweep.predict import FRONTEND, MODEL
from sweep.stages.evaluate import confusion, mistakes
from sweep.study.confirmation import Finalist, Retraining
from sweep.study.engine import Answer, Engine
from sweep.study.storage import StudyFolder, readable_errors
from sweep.study.table import StudyRecord, TrialRecord, front, table

_TICK_IN_S = 0.5
_EVALUATION = "evaluation.json"


def choose_finalists(record: StudyRecord, top: int) -> list[TrialRecord]:
    """Return up to ``top`` trials, evenly spread along the front, the most accurate first.

    The more accurate, the likelier to hold; the smaller, the more there is to gain if it does.  Of
    trials that measured the same there is one.

    Raises:
        StudyError: if no trial is feasible.
    """
    frame = table(record)
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        raise StudyError(f"{record.name}: no trial is feasible, so there are no finalists")
    objectives = record.space.file.objectives
    best = front(feasible, objectives).drop_duplicates(list(objectives))
    order = best.sort_values(["accuracy", "size_kb"], ascending=[False, True])
    places = np.unique(np.linspace(0, len(order) - 1, top).round().astype(int))
    by_number = {trial.number: trial for trial in record.trials}
    return [by_number[int(number)] for number in order["trial"].iloc[places]]


def confirm(
    record: StudyRecord,
    dataset: Dataset,
    folder: StudyFolder,
    *,
    top: int,
    seeds: int,
    workers: int,
    listen: Callable[[int, int], None] = lambda done, total: None,
) -> list[Finalist]:
    """Train the best trials again, measure them on the test clips, and keep what came out.

    Every training is kept as it comes: what was interrupted goes on there, and asking for more
    trials or seeds costs only those.

    Args:
        record: the study.
        dataset: its clips; here, and nowhere else, the testing split is read.
        folder: where the study lives.
        top: how many trials.
        seeds: how many trainings of each; their seeds are none the search has used.
        workers: how many worker processes to start.
        listen: told how many trainings are done, of how many.

    Raises:
        StudyError: if no trial is feasible, or a training fails.
        DataError: if the test clips of a word cannot be read.
    """
    chosen = choose_finalists(record, top)
    jobs = [(trial, seed) for trial in chosen for seed in range(1, seeds + 1)]
    with folder.owned(), readable_errors(folder.path):
        # First, so that unusable test clips are told before anything is trained.
        clips = len(dataset.targets("testing"))
        missing = [job for job in jobs if not _place(folder, *job).exists()]
        if missing:
            with Engine(dataset, [], workers, None, folder.worker_log) as engine:
                for number, job in enumerate(missing):
                    engine.submit(number, _again(*job))
                while engine.busy:
                    answer = engine.wait(_TICK_IN_S)
                    if answer is not None:
                        _keep(_place(folder, *missing[answer.number]), answer)
                        listen(len(jobs) - engine.busy, len(jobs))
        # The workers are gone: nothing disturbs the latencies.
        again = [_measure(dataset, *job, _place(folder, *job)) for job in jobs]
        finalists = [
            Finalist(
                trial.number,
                _searched(trial),
                tuple(one for one, job in zip(again, jobs, strict=True) if job[0] is trial),
                clips,
            )
            for trial in chosen
        ]
        folder.keep_finalists(finalists)
    return finalists


def _place(folder: StudyFolder, trial: TrialRecord, seed: int) -> Path:
    """Return the folder of a training, which is there when all of it is."""
    return folder.retrainings / f"{trial.number}_{seed}"


def _keep(place: Path, answer: Answer) -> None:
    result = answer.evaluation.result
    if result is None or result.accuracy is None:
        raise StudyError(f"trial {place.name.partition('_')[0]}: {answer.evaluation.reason}")
    scratch = place.with_name(f".{place.name}")
    scratch.mkdir(parents=True, exist_ok=True)
    for name in (FRONTEND, MODEL):
        (scratch / name).write_bytes(answer.files[name])
    told = json.dumps(answer.evaluation.to_json())
    (scratch / _EVALUATION).write_text(told, encoding="utf-8")
    scratch.rename(place)


def _again(trial: TrialRecord, seed: int) -> Candidate:
    """Return a trial's candidate from another seed, in the variant that was its result."""
    result, candidate = trial.evaluation.result, trial.candidate
    assert result is not None
    only = replace(candidate.compression, quantization=(result.quantization,))
    return replace(candidate, compression=only, seed=candidate.seed + seed)


def _measure(dataset: Dataset, trial: TrialRecord, seed: int, place: Path) -> Retraining:
    found = Evaluation.from_json(json.loads((place / _EVALUATION).read_text(encoding="utf-8")))
    files = {name: (place / name).read_bytes() for name in (FRONTEND, MODEL)}
    rate = trial.candidate.frontend.downsampling_rate
    clips = dataset.waveforms("testing", rate).astype(np.float32) / 32768.0
    features = Model(files[FRONTEND]).run_each(clips)
    answers, truth = Model(files[MODEL]).run_each(features), dataset.targets("testing")
    result = found.result
    assert result is not None and result.accuracy is not None
    latencies = [measure_latency(files[FRONTEND], clips), measure_latency(files[MODEL], features)]
    return Retraining(
        seed=trial.candidate.seed + seed,
        accuracy=result.accuracy,
        test_accuracy=float(np.mean(answers.argmax(axis=1) == truth)),
        latency_ms=sum(latency.median_ms for latency in latencies),
        size_kb=zipped_kb(files[MODEL]),
        losses=found.losses,
        accuracies=found.accuracies,
        confusion=confusion(truth, answers),
        mistakes=mistakes(dataset.names("testing"), truth, answers),
    )


def _searched(trial: TrialRecord) -> dict[str, float]:
    result = trial.evaluation.result
    return {metric: float(getattr(result, metric)) for metric in METRICS}
