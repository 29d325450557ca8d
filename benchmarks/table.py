"""A measured table of candidates, on which searches can be compared in seconds.

    SPEECH_COMMANDS=FOLDER python benchmarks/table.py [--workers 2]

Trains every combination of ``table.yaml`` to its end on the real recordings and writes
``table.csv.gz`` beside it: one row a candidate with its parameters, for each variant the zipped
size, latency, and the accuracy on the validation and on the test clips, the loss and the
validation accuracy after each epoch, and the seconds its training took.  Run again after an
interruption it goes on.  ``read`` gives the rows back to the other benchmarks.
"""

import argparse
import csv
import gzip
import json
import os
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.candidate import Candidate
from sweep.evaluation import Evaluation, Variant, choose
from sweep.limits import Limit, total_violation, violations
from sweep.litert import Model
from sweep.space import Space
from sweep.statistics import confusion

HERE = Path(__file__).parent
SPACE = HERE / "table.yaml"
TABLE = HERE / "table.csv.gz"
UNFINISHED = HERE / "table.unfinished.jsonl"
METRICS = ("size_kb", "latency_ms", "accuracy", "test_accuracy")


@dataclass(frozen=True)
class Row:
    """One trained candidate; ``variants`` holds ``METRICS`` by name, by quantization."""

    parameters: dict[str, Any]
    variants: dict[str, dict[str, float]]
    losses: tuple[float, ...]
    accuracies: tuple[float, ...]
    seconds: float
    clips: int
    test_clips: int

    def evaluation(self, limits: list[Limit]) -> Evaluation:
        """Return what a trial of this candidate would have told a search with these limits.

        Its accuracy is that on the validation and test clips together: the more clips, the less of
        what searches are compared on is luck.
        """
        known = tuple(self._variant(name, limits) for name in self.variants)
        chosen = choose(known)
        feasible = total_violation(known[chosen].violations) == 0
        outcome = "feasible" if feasible else "infeasible"
        return Evaluation(outcome, "", known, chosen, clips=self.clips + self.test_clips)

    def _variant(self, name: str, limits: list[Limit]) -> Variant:
        found = self.variants[name]
        right = found["accuracy"] * self.clips + found["test_accuracy"] * self.test_clips
        known = {"accuracy": right / (self.clips + self.test_clips)}
        known |= {metric: found[metric] for metric in ("size_kb", "latency_ms")}
        return Variant(name, known, violations=violations(limits, known))


def read(path: Path = TABLE) -> list[Row]:
    """Return the rows of the table."""
    rows = []
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        for cells in csv.DictReader(file):
            rows.append(Row(**{name: json.loads(cell) for name, cell in cells.items()}))
    return rows


def main() -> None:
    """Train what is missing, then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args()
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    space = Space.load(SPACE)
    combinations = list(space.combinations())
    done = finished()
    batches = defaultdict(list)
    for parameters in combinations:
        if key(parameters) not in done:
            shared = {k: v for k, v in parameters.items() if k not in ("epochs", "final_sparsity")}
            batches[key(shared)].append(parameters)
    # Networks of one shape follow each other: a worker traces their graph once.
    jobs = sorted(batches.values(), key=lambda batch: shape(space.candidate(batch[0])))
    begin, trained = time.monotonic(), 0
    with ProcessPoolExecutor(wanted.workers, get_context("spawn")) as pool:
        for rows in pool.map(partial(train_batch, folder, SPACE), jobs):
            with UNFINISHED.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
            trained += len(rows)
            left = (time.monotonic() - begin) / trained * (len(combinations) - len(done) - trained)
            print(f"{len(done) + trained} of {len(combinations)}; {left / 60:.0f} min left")
    write(combinations)
    UNFINISHED.unlink()


def finished() -> dict[str, dict[str, Any]]:
    """Return the rows of an interrupted run, by their parameters."""
    if not UNFINISHED.exists():
        return {}
    rows = map(json.loads, UNFINISHED.read_text(encoding="utf-8").splitlines())
    return {key(row["parameters"]): row for row in rows}


def write(combinations: list[dict[str, Any]]) -> None:
    """Write the finished rows in the order of the space."""
    done = finished()
    with gzip.open(TABLE, "wt", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Row)])
        table.writeheader()
        for parameters in combinations:
            row = done[key(parameters)]
            table.writerow({name: json.dumps(value) for name, value in row.items()})


def key(parameters: dict[str, Any]) -> str:
    """Return a text that equal parameters share."""
    return json.dumps(parameters, sort_keys=True)


def shape(candidate: Candidate) -> tuple[str | int, ...]:
    """Return what candidates that share a graph have in common."""
    network = candidate.network
    return (candidate.chosen("network"), *candidate.frontend.shape, -(-network.width // 16))


def train_batch(folder: str, file: Path, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Train candidates of a space that hear the same features; return their rows."""
    dataset, space = opened(folder), Space.load(file)
    testing = test_features(space.candidate(batch[0]), dataset)
    return [row(space.candidate(parameters), parameters, dataset, testing) for parameters in batch]


@lru_cache
def opened(folder: str) -> Dataset:
    """Return the recordings, read once a worker."""
    return open_dataset(DatasetSpec(folder, ("stop", "go")))


def row(
    candidate: Candidate, parameters: dict[str, Any], dataset: Dataset, testing: np.ndarray
) -> dict[str, Any]:
    """Train a candidate; return its row."""
    # Imported here: reading the table needs no TensorFlow.
    from sweep.stages.compression import compress
    from sweep.stages.features import prepare_features
    from sweep.stages.measurement import Bench
    from sweep.stages.training import train

    architecture = candidate.network.architecture(candidate.frontend.shape, 2)
    features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
    truth = {split: dataset.targets(split) for split in ("training", "validation", "testing")}
    begin = time.process_time()
    trained = train(
        candidate,
        architecture,
        features.training,
        truth["training"],
        (features.validation, truth["validation"]),
    )
    seconds = time.process_time() - begin
    compression = candidate.compression
    files = compress(
        architecture,
        trained.weights,
        compression.quantization,
        features.training[0],
        compression.container,
    )
    bench = Bench(candidate, architecture, dataset, [])
    variants = {}
    for name, file in files.items():
        probabilities = Model(file).run(features.validation[..., None])
        measured = bench.measure(name, file, confusion(truth["validation"], probabilities))
        variants[name] = {metric: measured[metric] for metric in METRICS[:3]}
        variants[name]["test_accuracy"] = share(file, testing, truth["testing"])
    return {
        "parameters": parameters,
        "variants": {k: {m: round(x, 5) for m, x in v.items()} for k, v in variants.items()},
        "losses": [round(loss, 4) for loss in trained.progress.losses],
        "accuracies": [round(accuracy, 4) for accuracy in trained.progress.accuracies],
        "seconds": round(seconds, 3),
        "clips": len(truth["validation"]),
        "test_clips": len(truth["testing"]),
    }


def test_features(candidate: Candidate, dataset: Dataset) -> np.ndarray:
    """Return the features of the test clips, which no search ever sees."""
    from sweep.frontends.compute import compute_features
    from sweep.stages.features import prepare_features

    known = prepare_features(dataset, candidate.frontend, candidate.augmentation)
    clips = dataset.waveforms("testing", candidate.frontend.downsampling_rate)
    plain = np.concatenate([*compute_features(clips, candidate.frontend)])
    features = (plain - known.mean) / known.deviation
    return features.astype(np.float32)


def share(file: bytes, features: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of clips a ``.tflite`` classifies correctly."""
    heard = Model(file).run(np.asarray(features)[..., None]).argmax(axis=1)
    return float(np.mean(heard == truth))


if __name__ == "__main__":
    main()
