"""A trial trained again with more clips of what is no keyword, and what they changed."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sweep.audio.dataset import Progress
from sweep.audio.enlarged import Enlarged
from sweep.audio.layout import SPEAKER_END
from sweep.errors import StudyError
from sweep.export import same_clips
from sweep.metrics import ACCURACY, FALSE_ACCEPT_RATE, OF_STREAMS
from sweep.mining import FOLDER
from sweep.study.records import StudyRecord
from sweep.study.storage import StudyFolder
from sweep.study.task import evaluate_candidate
from sweep.study.workers import DaskWorkers

_TICK_IN_S = 0.5


@dataclass(frozen=True)
class Changed:
    """A metric on the validation clips and in their stream, the mean of some trainings.

    Attributes:
        metric: its name.
        before, after: without and with the further clips.
        trainings: of each.
    """

    metric: str
    before: float
    after: float
    trainings: int


def relearn(
    folder: StudyFolder,
    record: StudyRecord,
    number: int,
    clips: Path,
    *,
    trainings: int = 3,
    workers: int = 1,
    source: str | None = None,
    progress: Progress | None = None,
) -> list[Changed]:
    """Train a trial again without and with mined clips, and return what they changed.

    Both are measured on the validation clips and the stream of the study, each at its own operating
    point.

    Args:
        folder: where the study keeps its files.
        record: the study.
        number: the trial.
        clips: the folder that ``mine`` wrote to.
        trainings: of each, with seeds of their own.
        workers: number of processes.
        source: where the clips of the study are now; where they were, if None.
        progress: as for ``open_dataset``.

    Raises:
        StudyError: if there is no such trial, or a training fails.
        DataError: if these are other clips, or there is nothing to learn from.
    """
    trial = next((t for t in record.trials if t.number == number), None)
    if trial is None or not trial.evaluation.trained:
        raise StudyError(f"{record.name} has no trial {number} that was trained to its end")
    dataset = same_clips(record, source, progress)
    names = sorted(path.name for path in (clips / FOLDER).glob(f"*{SPEAKER_END}*.wav"))
    both = (dataset, Enlarged.of(dataset, clips / FOLDER, names))
    work = partial(evaluate_candidate, metrics=record.space.file.metrics, target=record.target)
    found: tuple[list[dict[str, float | None]], ...] = ([], [])
    with DaskWorkers(dataset, record.space.limits, workers, None, folder.worker_log, work) as pool:
        for i in range(2 * trainings):
            candidate = replace(trial.candidate, seed=trial.candidate.seed + i // 2)
            pool.submit(i, candidate, dataset=both[i % 2])
        while pool.busy:
            result = pool.wait(_TICK_IN_S)
            if result is None:
                continue
            if not result.evaluation.trained or result.evaluation.result is None:
                raise StudyError(f"trial {number} cannot be trained: {result.evaluation.reason}")
            found[result.number % 2].append(dict(result.evaluation.result.metrics))
            if progress:
                progress("training again", 1 - pool.busy / (2 * trainings))
    return [
        Changed(name, _mean(found[0], name), _mean(found[1], name), trainings)
        for name in (ACCURACY.name, FALSE_ACCEPT_RATE.name, *OF_STREAMS)
        if all(one.get(name) is not None for one in (*found[0], *found[1]))
    ]


def _mean(found: list[dict[str, float | None]], name: str) -> float:
    values = [one[name] or 0.0 for one in found]
    return sum(values) / len(values)
