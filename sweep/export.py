"""The export: a trial as a folder that can be deployed, measured again on the way out."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sweep import c
from sweep.audio.dataset import Dataset, Progress, open_dataset
from sweep.audio.sources.lookup import is_folder
from sweep.c.cores import CORES, DEFAULT_CORE
from sweep.deployed import measure_files
from sweep.errors import DataError, StudyError, SweepError
from sweep.evaluation import Variant
from sweep.limits import Limit, violations
from sweep.litert import Model, arithmetic
from sweep.metrics import ACCURACY, OF_SHAPES, Measured, Metric
from sweep.model_card import CARD, model_card
from sweep.pipeline import PIPELINE, pipeline
from sweep.predict import FRONTEND, METADATA, MODEL
from sweep.space import Space
from sweep.study.finalist import CrossValidation
from sweep.study.records import StudyRecord, TrialRecord
from sweep.study.storage import StudyFolder


def export_trial(
    folder: StudyFolder,
    record: StudyRecord,
    number: int,
    source: str | None,
    out: Path,
    progress: Progress | None = None,
    with_c: bool = False,
) -> dict[str, Any]:
    """Write a feasible trial as a folder: front end, model, ``metadata.json`` and a model card.

    Args:
        folder: where the study keeps its files.
        record: the study.
        number: the trial.
        source: where the clips of the study are now; where they were, if None.
        out: the folder to write; what an earlier export left there is replaced.
        progress: as for ``open_dataset``.
        with_c: whether front end and network are written as C, too.

    Returns:
        What ``metadata.json`` holds.

    Raises:
        StudyError: if the trial kept no model.
        SweepError: if what is measured now breaks a limit, there is no C or it computes
            something else, or ``out`` cannot be written.
    """
    trial = next((t for t in record.trials if t.number == number), None)
    if trial is None:
        raise StudyError(f"{folder.path}: there is no finished trial {number}")
    _refuse_foreign(out)
    files = {name: folder.read_file(number, name) for name in (FRONTEND, MODEL)}
    if with_c:
        _refuse_without_c(trial)
    files[PIPELINE] = pipeline(files[FRONTEND], files[MODEL])
    dataset = same_clips(record, source, progress)
    measured = measure(files, dataset, trial, record.space)
    sources: dict[str, str] = {}
    if with_c:
        from sweep.c_folder import c_files, counted
        from sweep.stages.streaming import stepping_of

        result = trial.evaluation.result
        assert isinstance(result, Variant)
        core = record.space.target or DEFAULT_CORE
        frontend = trial.candidate.frontend
        network = trial.candidate.network.architecture(frontend.shape, len(dataset.labels))
        stepping = stepping_of(frontend, network)
        sources, of_c = c_files(frontend, files, dataset, result.point, core, stepping)
        if record.space.target:
            measured = replace(measured, facts={**measured.facts, **counted(of_c)})
    validation = measured.predictions
    if record.about.get("folds"):
        # The networks of the folds are not kept; what they answered is.
        measured = replace(measured, confusion=trial.evaluation.confusion)
    _refuse_broken(record.space.limits, measured, number)
    metadata = _metadata(record, trial, dataset, files, measured)
    metadata["validation_accuracy"] = replace(measured, confusion=validation)[ACCURACY.name]
    if with_c:
        metadata["c"] = of_c
    files |= {f"{c.FOLDER}/{name}": text.encode() for name, text in sources.items()}
    files[CARD] = model_card(metadata, record.space.metrics).encode()
    _write(out, files | {METADATA: (json.dumps(metadata, indent=2) + "\n").encode()})
    return metadata


def same_clips(
    record: StudyRecord, source: str | None, progress: Progress | None = None
) -> Dataset:
    """Open the clips a study was made with, at ``source`` if they have moved.

    ``progress`` is as for ``open_dataset``.

    Raises:
        DataError: if these are other clips.
    """
    where = source or record.about["source"]
    if source is None and is_folder(where) and not Path(where).is_dir():
        raise DataError(
            f"{where}: the recordings of {record.name} are no longer there; say with --data where"
            " they are"
        )
    dataset = open_dataset(record.space.with_data(where, None).file.dataset.spec(), progress)
    if dataset.fingerprint != record.about["fingerprint"]:
        raise DataError(
            f"{dataset.spec.source}: not the clips {record.name} was made with;"
            " name their folder with --data"
        )
    return dataset


def measure(
    files: dict[str, bytes], dataset: Dataset, trial: TrialRecord, space: Space
) -> Measured:
    """Measure files as a device would use them, on the validation clips and in their stream."""
    result = trial.evaluation.result
    assert isinstance(result, Variant)
    known = {name: result.metrics.get(name) for name in OF_SHAPES}
    shape = {name: value for name, value in known.items() if value is not None}
    frontend = trial.candidate.frontend
    return measure_files(
        files, dataset, "validation", frontend, result.point, shape, space
    ).measured


def _refuse_broken(limits: list[Limit], measured: Measured, number: int) -> None:
    broken = violations(limits, measured.values())
    for limit in limits:
        if broken.get(limit.metric, 0.0) > 0:
            raise SweepError(
                f"trial {number} does not hold: measured again, {limit.metric} is"
                f" {measured[limit.metric]:.4g}, and the limit is {limit}; pick another trial"
            )


def _metadata(
    record: StudyRecord,
    trial: TrialRecord,
    dataset: Dataset,
    files: dict[str, bytes],
    measured: Measured,
) -> dict[str, Any]:
    candidate, result = trial.candidate, trial.evaluation.result
    assert isinstance(result, Variant)
    return {
        "labels": list(dataset.labels),
        "none_of_these": dataset.spec.none_of_these,
        "clip": {
            "length_in_s": candidate.frontend.clip_length_in_s,
            "samples": candidate.frontend.num_samples,
        },
        "frontend": {"frontend": candidate.chosen("frontend")} | candidate.frontend.values(),
        "network": {"network": candidate.chosen("network")} | candidate.network.values(),
        "training": asdict(candidate.training) | {"seed": candidate.seed},
        "augmentation": asdict(candidate.augmentation),
        "compression": asdict(candidate.compression) | {"quantization": result.quantization},
        "keywords": list(dataset.spec.labels),
        "detector": result.point and asdict(result.point),
        "target": record.space.target,
        "clock_mhz": record.space.file.clock_mhz,
        "milliseconds": _milliseconds(record.space, measured),
        "latency": record.space.file.latency and record.space.file.latency.command,
        "arithmetic": arithmetic(record.space.target is not None),
        "metrics": _told(measured),
        "judged_on": record.judged_on,
        "limits": [str(limit) for limit in record.space.limits],
        "validation_clips": len(dataset.targets("validation")),
        "speakers": record.about.get("speakers", {}) | {"caution": record.speaker_caution},
        "cautions": record.cautions,
        "data_fingerprint": dataset.fingerprint,
        "study": record.name,
        "trial": trial.number,
        "finalist": _as_finalist(record, trial.number),
        "tensors": {name: Model(content).io_details() for name, content in files.items()},
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "versions": {
            name: version(name)
            for name in ("tinysweep", "tensorflow", "ai-edge-quantizer", "ai-edge-litert")
        },
    }


def _milliseconds(space: Space, measured: Measured) -> list[float] | None:
    """Return the range of what a clip takes on the core, if its clock is known."""
    clock_mhz, instructions = space.file.clock_mhz, measured.facts.get("instructions")
    if not (space.target and clock_mhz and instructions):
        return None
    return list(CORES[space.target].milliseconds(instructions, clock_mhz))


def _told(measured: Measured) -> dict[str, dict[str, Any]]:
    """Return value, 95 % interval where there is one, and definition of every known metric."""
    exposures, told = measured.exposures(), {}
    for name, value in measured.values().items():
        if value is not None:
            metric = measured.metrics[name]
            told[name] = {"value": value, "unit": metric.unit, "definition": metric.meaning}
            if name in exposures:
                told[name]["interval"] = list(metric.interval(value, exposures[name]))
    return told


def _as_finalist(record: StudyRecord, number: int) -> dict[str, Any] | None:
    """Return the results on the test clips of the retrained trial, if it was retrained."""
    for one in record.finalists:
        if one.trial == number:
            metrics = {
                name: {"mean": one.mean(name), "interval": list(one.interval(name))}
                for name in one.exposures
            }
            return {
                "definition": "means over other trainings of these parameters, each from a seed of"
                " its own; the file in this folder was not run on the test clips",
                "test": metrics,
                "tested_on": one.tested_on,
                "test_clips": one.test_clips,
                "seeds": len(one.retrainings),
                "cross_validated": one.validated and _validated(one.validated, record.space.goal),
                "holds": one.holds(record.space.limits),
            }
    return None


def _validated(found: CrossValidation, goal: Metric) -> dict[str, Any]:
    return {
        goal.name: found.value(goal),
        "interval": list(found.interval(goal)),
        "folds": len(found.folds),
        "clips": found.clips,
    }


def _refuse_without_c(trial: TrialRecord) -> None:
    result = trial.evaluation.result
    assert isinstance(result, Variant)
    if result.quantization not in c.QUANTIZATIONS:
        *some, last = c.QUANTIZATIONS
        raise SweepError(
            f"trial {trial.number} is {result.quantization}, which has no C; export it without"
            f" --c, or another trial that is {', '.join(some)} or {last}"
        )


def _refuse_foreign(out: Path) -> None:
    """Raise unless ``out`` is free, empty, or holds an earlier export and nothing else."""
    try:
        held = {path.name for path in out.iterdir()}
        if c.FOLDER in held:
            found = (path for path in (out / c.FOLDER).rglob("*") if not path.is_dir())
            held |= {path.relative_to(out).as_posix() for path in found}
    except FileNotFoundError:
        return
    except NotADirectoryError:
        held = {out.name}
    except OSError as error:
        raise SweepError(f"{out}: cannot be read: {error.strerror}") from error
    needed = {FRONTEND, MODEL, METADATA}
    if held and not needed <= held <= needed | {CARD, PIPELINE, c.FOLDER} | _in_c_folder():
        raise SweepError(f"{out}: holds something else; name an empty folder with --out")


def _in_c_folder() -> set[str]:
    return {f"{c.FOLDER}/{name}" for name in (*c.FILES, *c.BUILT)}


def _write(out: Path, files: dict[str, bytes]) -> None:
    """Put the files in place; the folder of an earlier export stays the folder it is.

    It may be the one a shell stands in.
    """
    out = out.absolute()
    # Again, as measuring took a while.
    _refuse_foreign(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".exporting-", dir=out.parent))
        try:
            for name, content in files.items():
                (scratch / name).parent.mkdir(parents=True, exist_ok=True)
                (scratch / name).write_bytes(content)
            if out.exists():
                # What an earlier export left there is known to be ours.
                shutil.rmtree(out / c.FOLDER, ignore_errors=True)
                for path in scratch.iterdir():
                    os.replace(path, out / path.name)
            else:
                os.chmod(scratch, 0o755)
                scratch.rename(out)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise SweepError(f"{out}: cannot be written: {error.strerror or error}") from error
