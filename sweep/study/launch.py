"""Launch a sweep: open the study, start workers, run the search."""

import platform
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sweep import machine, registry
from sweep.audio.dataset import Dataset
from sweep.audio.folds import with_folds
from sweep.c.cores import Target
from sweep.c.emulator import is_installed, refuse_without_emulator
from sweep.c.estimate import ESTIMATED
from sweep.errors import SweepError
from sweep.litert import arithmetic
from sweep.space import Space
from sweep.spec import duration_in_s
from sweep.study.database import without_password
from sweep.study.progress import SearchProgress
from sweep.study.records import StudyRecord
from sweep.study.samplers import make_sampler
from sweep.study.search import Search
from sweep.study.storage import StudyFolder
from sweep.study.task import evaluate_candidate
from sweep.study.workers import DaskWorkers

_PACKAGES = (
    "tinysweep",
    "tensorflow",
    "tensorflow-model-optimization",
    "optuna",
    "ai-edge-litert",
    "ai-edge-quantizer",
    "numpy",
)


def launch(
    space: Space,
    dataset: Dataset,
    folder: StudyFolder,
    *,
    workers: int,
    scheduler: str | None = None,
    key: Path | None = None,
    measure_on: str | None = None,
    listen: Callable[[SearchProgress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda text: None,
) -> StudyRecord:
    """Run a new study, or resume one, until its budget is spent.

    Args:
        space: what to search, how, and for how many trials.
        dataset: the clips.
        folder: where the study lives.
        workers: how many worker processes to start on this machine.
        scheduler: a Dask scheduler to use instead.
        key: the key of that scheduler.
        measure_on: the model of processor on which latencies are measured; by default the study's,
            which is this machine's unless another was named first.  None may be named where a
            command takes them.
        listen: told how the search stands, a few times a second.
        say: told in a line what happens to workers.

    Raises:
        SweepError: or one of its children, for what the user has to mend.
    """
    space = space.with_clip_length(dataset.clip_length_in_s)
    search = space.file.search
    timeout_s, trial_timeout_s = map(_seconds, (search.timeout, search.trial_timeout))
    dataset = with_folds(dataset, search.folds)
    sampler = make_sampler(space, search.sampler, search.seed)
    if space.file.latency:
        if measure_on:
            raise SweepError("--measure-on: latencies are taken by latency.command")
        measure_on = ""
    else:
        measure_on = measure_on or folder.about().get("measured_on") or machine.processor()
    target = _target(space, folder.about(), counted=scheduler is not None or is_installed())
    if target and not target.counted:
        say(f"{ESTIMATED}; pip install 'tinysweep[device]' counts them")
    if scheduler is None and space.timed and measure_on != machine.processor():
        raise SweepError(
            f"this machine has processor {machine.processor()} instead of {measure_on}, so"
            " latencies do not compare; name another --study to start anew"
        )
    with folder.owned():
        study = folder.create(space, sampler, _about(space, dataset, measure_on, target))
        begun = len(study.get_trials(deepcopy=False))
        if begun:
            study.sampler = make_sampler(space, search.sampler, search.seed + begun)
        with DaskWorkers(
            dataset,
            space.limits,
            workers,
            scheduler,
            folder.worker_log,
            key=key,
            trial_timeout_s=trial_timeout_s,
            processor=measure_on if space.timed else "",
            say=say,
            work=partial(
                evaluate_candidate,
                metrics=space.file.metrics,
                measure_on=measure_on,
                target=target,
                clock=space.clock,
            ),
        ) as pool:
            Search(space, study, folder, pool, timeout_s, listen).run()
    return folder.record()


def _target(space: Space, about: Mapping[str, Any], counted: bool) -> Target | None:
    """Return the core aimed at; whether it is emulated remains as the study began.

    Raises:
        SweepError: if it was, and cannot be any more.
    """
    if space.target is None:
        return None
    target = Target(space.target, not about["estimated"] if about else counted)
    if target.counted and not counted:
        refuse_without_emulator(target.core)
    return target


def _seconds(duration: str | None) -> float | None:
    return None if duration is None else duration_in_s(duration)


def _about(
    space: Space, dataset: Dataset, measure_on: str, target: Target | None
) -> dict[str, Any]:
    return {
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": without_password(shlex.join(["sweep", *sys.argv[1:]])),
        "source": dataset.spec.source,
        "labels": list(dataset.labels),
        "none_of_these": dataset.spec.none_of_these,
        "clips": dataset.counts,
        "speakers": asdict(dataset.speakers),
        "folds": len(dataset.folds),
        "skipped": list(dataset.skipped),
        "fingerprint": dataset.fingerprint,
        "seed": space.file.search.seed,
        "arithmetic": arithmetic(reference=space.target is not None),
        "plugin_folders": registry.folders(),
        "measured_on": measure_on,
        "estimated": target is not None and not target.counted,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide what a training gives."""
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
