"""Confirm the best trials: cross-validate, retrain from several seeds, then test once."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sweep import cache
from sweep.audio.dataset import Dataset
from sweep.audio.folds import deal, hold_out
from sweep.candidate import Candidate, digest
from sweep.deployed import measure_files
from sweep.errors import StudyError
from sweep.evaluation import Evaluation
from sweep.limits import Limit
from sweep.metrics import FALSE_ALARMS_PER_HOUR, OF_SHAPES
from sweep.predict import FRONTEND, MODEL
from sweep.space import Space
from sweep.statistics import mistakes
from sweep.study.database import readable_errors
from sweep.study.finalist import CrossValidation, Finalist, Retraining, of_everybody
from sweep.study.listening import Listening, curve_of
from sweep.study.records import StudyRecord, TrialRecord
from sweep.study.select import select_contenders, select_finalists
from sweep.study.storage import StudyFolder
from sweep.study.task import Work, evaluate_candidate
from sweep.study.workers import DaskWorkers, Result

Listener = Callable[[str, int, int], None]
"""Receives what is being trained, how many trainings are done, and of how many."""

_TICK_IN_S = 0.5
_EVALUATION = "evaluation.json"
_CONTENDERS = 4
_FIRST_FOLD_SEED = 1000


@dataclass(frozen=True)
class _Job:
    """A training whose results are in a folder of its own, written atomically."""

    place: Path
    candidate: Candidate

    @property
    def evaluation(self) -> Evaluation:
        with cache.readable(self.place):
            text = (self.place / _EVALUATION).read_text(encoding="utf-8")
            return Evaluation.from_json(json.loads(text))


def confirm(
    record: StudyRecord,
    dataset: Dataset,
    folder: StudyFolder,
    *,
    top: int,
    seeds: int,
    folds: int,
    workers: int,
    listen: Listener = lambda what, done, total: None,
    say: Callable[[str], None] = lambda text: None,
) -> list[Finalist]:
    """Retrain the best trials, measure them on the test clips, and store the results.

    With folds, four times as many trials are cross-validated first, which no test clip is needed
    for, and the best of them become the finalists.  Every training is kept as it comes: what was
    interrupted goes on there, and asking for more trials or seeds costs only those.

    Args:
        record: the study.
        dataset: its clips; here, and nowhere else, the testing split is read.
        folder: where the study lives.
        top: how many trials.
        seeds: how many trainings of each; their seeds are none the search has used.
        folds: into how many folds the speakers are dealt, fewer where they are fewer; 0 goes by
            what the search measured.
        workers: how many worker processes to start.
        listen: told how far the trainings are.
        say: told which trials are left out, because a training of theirs failed.

    Raises:
        NothingFeasible: if no trial is.
        StudyError: if a training of each fails.
        DataError: if the test clips of a word cannot be read, or a word is missing in a fold.
    """
    chosen = select_finalists(record, top)
    with folder.owned(), readable_errors(folder.path):
        # First, so that unusable test clips raise before anything is trained.
        clips = len(dataset.targets("testing"))
        work = partial(evaluate_candidate, target=record.target, clock=record.space.clock)
        validated: dict[int, CrossValidation] = {}
        if folds:
            contenders = select_contenders(record, _CONTENDERS * top)
            validated = _cross_validate(
                contenders, dataset, folder, folds, workers, listen, say, work
            )
            goal = record.space.goal
            judged = {number: one.value(goal) for number, one in validated.items()}
            chosen = select_finalists(record, top, judged)
        jobs = {
            trial.number: [
                _job(folder.retrainings, f"{trial.number}_{seed}", _again(trial, seed), dataset)
                for seed in range(1, seeds + 1)
            ]
            for trial in chosen
        }
        each = [job for some in jobs.values() for job in some]
        missing = [(job, dataset) for job in each if not job.place.exists()]
        kept = (FRONTEND, MODEL)
        # An operating point is within the limit of false alarms, so this alone rejects nothing.
        limits = [one for one in record.space.limits if one.metric == FALSE_ALARMS_PER_HOUR.name]
        what = "from other seeds"
        failed = _train(what, missing, limits, len(each), folder, workers, kept, listen, work)
        chosen = _trained(chosen, jobs, failed, say)
        # The workers have ended: nothing disturbs the latencies.
        finalists = []
        for trial in chosen:
            measured = [_measure(dataset, job, record.space) for job in jobs[trial.number]]
            one = Finalist(
                trial.number,
                _numbers(trial.evaluation),
                tuple(retraining for retraining, *_ in measured),
                clips,
                measured[0][1],
                validated.get(trial.number),
                metrics=record.space.metrics,
                listening=measured[0][2],
            )
            finalists.append(of_everybody(one) if dataset.speakers.few else one)
        folder.keep_finalists(finalists)
    return finalists


def _cross_validate(
    contenders: list[TrialRecord],
    dataset: Dataset,
    folder: StudyFolder,
    folds: int,
    workers: int,
    listen: Listener,
    say: Callable[[str], None],
    work: Work,
) -> dict[int, CrossValidation]:
    """Return the cross-validation of each contender over folds of speakers, by trial."""

    clips_only = replace(dataset, spec=replace(dataset.spec, streams=None))
    dealt = deal(clips_only, folds)
    if len(dealt) < folds:
        say(f"{len(dealt)} folds, not {folds}: speakers and their words are enough for no more")

    def job(trial: TrialRecord, fold: int) -> _Job:
        name = f"{trial.number}_{fold + 1}_of_{len(dealt)}"
        again = _again(trial, _FIRST_FOLD_SEED + fold)
        return _job(folder.retrainings / "folds", name, again, dataset)

    jobs = {trial.number: [job(trial, fold) for fold in range(len(dealt))] for trial in contenders}
    missing = []
    for fold, held in enumerate(dealt):
        untrained = [some[fold] for some in jobs.values() if not some[fold].place.exists()]
        if untrained:
            without = hold_out(clips_only, held)
            missing += [(one, without) for one in untrained]
    total = len(contenders) * len(dealt)
    failed = _train("by folds of speakers", missing, [], total, folder, workers, (), listen, work)
    found = {}
    for trial in _trained(contenders, jobs, failed, say):
        matrices = tuple(one.evaluation.confusion for one in jobs[trial.number])
        found[trial.number] = CrossValidation(matrices)
    return found


def _trained(
    trials: list[TrialRecord],
    jobs: dict[int, list[_Job]],
    failed: dict[Path, str],
    say: Callable[[str], None],
) -> list[TrialRecord]:
    """Return the trials whose trainings all finished; report the others."""
    reasons = {
        number: failed[one.place]
        for number, some in jobs.items()
        for one in some
        if one.place in failed
    }
    for number, reason in reasons.items():
        say(f"trial {number} is left out, it cannot be trained again: {reason}")
    if len(reasons) == len(trials):
        raise StudyError("none of the trials chosen can be trained again")
    return [trial for trial in trials if trial.number not in reasons]


def _job(folder: Path, name: str, candidate: Candidate, dataset: Dataset) -> _Job:
    """Return a job; its folder depends on the candidate and the clips."""
    identity = digest([candidate.key(), dataset.fingerprint])[:8]
    return _Job(folder / f"{name}_{identity}", candidate)


def _train(
    what: str,
    missing: list[tuple[_Job, Dataset]],
    limits: list[Limit],
    total: int,
    folder: StudyFolder,
    workers: int,
    files: tuple[str, ...],
    listen: Listener,
    work: Work,
) -> dict[Path, str]:
    """Run the missing trainings; store the evaluation and these files of each.

    Returns:
        Why trainings failed, by their places.
    """
    failed: dict[Path, str] = {}
    if not missing:
        return failed
    done = total - len(missing)
    listen(what, done, total)
    with DaskWorkers(missing[0][1], limits, workers, None, folder.worker_log, work) as pool:
        for number, (job, dataset) in enumerate(missing):
            pool.submit(number, job.candidate, dataset=dataset)
        while pool.busy:
            result = pool.wait(_TICK_IN_S)
            if result is None:
                continue
            place = missing[result.number][0].place
            if not result.evaluation.trained:
                failed[place] = result.evaluation.reason
            else:
                _keep(place, result, files)
            done += 1
            listen(what, done, total)
    return failed


def _keep(place: Path, result: Result, files: tuple[str, ...]) -> None:
    scratch = place.with_name(f".{place.name}")
    scratch.mkdir(parents=True, exist_ok=True)
    for name in files:
        (scratch / name).write_bytes(result.files[name])
    told = json.dumps(result.evaluation.to_json())
    (scratch / _EVALUATION).write_text(told, encoding="utf-8")
    cache.settle(scratch)
    scratch.rename(place)


def _again(trial: TrialRecord, seed: int) -> Candidate:
    """Return a trial's candidate with another seed and only its chosen variant."""
    result, candidate = trial.evaluation.result, trial.candidate
    assert result is not None
    only = replace(candidate.compression, quantization=(result.quantization,))
    return replace(candidate, compression=only, seed=candidate.seed + seed)


def _measure(
    dataset: Dataset, job: _Job, space: Space
) -> tuple[Retraining, dict[str, float], Listening | None]:
    """Return what a training gives on the test clips, the exposures of its metrics, its stream."""
    found = job.evaluation
    result, validation = found.result, _numbers(found)
    assert result is not None
    files = {name: (job.place / name).read_bytes() for name in (FRONTEND, MODEL)}
    shape = {name: validation[name] for name in OF_SHAPES if name in validation}
    point = result.point
    tested = measure_files(files, dataset, "testing", job.candidate.frontend, point, shape, space)
    measured, truth = tested.measured, dataset.targets("testing")
    retraining = Retraining(
        seed=job.candidate.seed,
        validation=validation,
        test={name: value for name, value in measured.values().items() if value is not None},
        losses=found.losses,
        accuracies=found.accuracies,
        confusion=measured.predictions,
        mistakes=mistakes(dataset.names("testing"), truth, tested.probabilities),
        curve=curve_of(tested.scores) if tested.scores else (),
    )
    listening = Listening.of(tested.scores, point) if tested.scores and point else None
    return retraining, measured.exposures(), listening


def _numbers(evaluation: Evaluation) -> dict[str, float]:
    """Return the known metrics of an evaluation."""
    assert evaluation.result is not None
    return {name: value for name, value in evaluation.result.metrics.items() if value is not None}
