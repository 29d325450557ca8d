"""Validation curves of candidates trained to the end, on tasks of different shape.

    SPEECH_COMMANDS=FOLDER python benchmarks/curves.py [--count 60] [--minutes 40]

Draws candidates for each of ``TASKS``, trains them without limits and writes ``curves.csv.gz``
beside this file: one row a candidate.  Real words come from ``SPEECH_COMMANDS`` and from the folder
beside it whose name ends in ``_more``; synthetic ones are spoken by eSpeak NG.  It goes on from
what the file holds; delete it to begin anew.  ``read`` gives the rows back to ``stopping.py``.
"""

import argparse
import csv
import gzip
import io
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.candidate import Candidate
from sweep.evaluation import Evaluation, Variant

CURVES = Path(__file__).with_name("curves.csv.gz")
DIRECTIONS = ("up", "down", "left", "right")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Task:
    """Which words to tell apart, and how long to train for it.

    Attributes:
        clips: how many clips of each label; of synthetic words all have as many.
        epochs: the numbers of epochs drawn from.
        synthetic: whether eSpeak NG speaks the words.
        snr_db: how noisy synthetic words are.
    """

    clips: Mapping[str, int]
    epochs: tuple[int, ...]
    synthetic: bool = False
    snr_db: tuple[float, float] = (-5.0, 15.0)


TASKS = {
    "2 words": Task({"go": 1000, "stop": 1000}, (10, 20, 40, 60)),
    "4 words": Task(dict.fromkeys(DIRECTIONS, 1000), (10, 20, 40)),
    "4 words, few clips": Task(dict.fromkeys(("go", "stop", "left", "right"), 115), (20, 40, 60)),
    "1 rare word": Task({"go": 60, "down": 900}, (10, 20, 40)),
    "6 words, uneven": Task(
        {"go": 600, "stop": 400, "up": 300, "down": 200, "left": 100, "right": 60}, (20, 40)
    ),
    "2 words, spoken, few clips": Task(
        {"yes": 180, "no": 180}, (10, 20, 40, 60), synthetic=True, snr_db=(-10.0, 5.0)
    ),
    "8 words, spoken": Task(dict.fromkeys(DIGITS[:8], 1100), (10, 20), synthetic=True),
    "12 words, spoken": Task(
        dict.fromkeys((*DIGITS, "stop", "go"), 150), (10, 20, 40), synthetic=True
    ),
}


@dataclass(frozen=True)
class Curve:
    """What training one candidate of a task gave.

    Attributes:
        task: its name in ``TASKS``.
        epochs, decay, sparsity: the schedule: ``learning_rate_decay`` and ``final_sparsity``.
        width, blocks: the size of the network.
        steps: how many steps an epoch has.
        clips: how many validation clips there are.
        right: how many of them it classified correctly after each epoch.
        result: how many of them the int8 ``.tflite`` classifies correctly.
        seconds: what training took.
    """

    task: str
    epochs: int
    decay: str
    sparsity: float
    width: int
    blocks: int
    steps: int
    clips: int
    right: tuple[int, ...]
    result: int
    seconds: float

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Validation accuracy after each epoch."""
        return tuple(count / self.clips for count in self.right)

    @property
    def accuracy(self) -> float:
        """Accuracy of the result."""
        return self.result / self.clips

    def evaluation(self) -> Evaluation:
        """Return what a trial of this candidate tells a study."""
        result = Variant("int8", {"accuracy": self.accuracy})
        return Evaluation(
            "feasible", variants=(result,), chosen=0, accuracies=self.accuracies, clips=self.clips
        )


def read(path: Path = CURVES) -> list[Curve]:
    """Return the stored curves."""
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        rows = [
            {name: json.loads(cell) for name, cell in cells.items()}
            for cells in csv.DictReader(file)
        ]
    return [Curve(**row | {"right": tuple(row["right"])}) for row in rows]


def main() -> None:
    """Train what is missing, as far as the time goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60, help="candidates for each task")
    parser.add_argument("--minutes", type=float, default=40.0, help="begin none after these")
    wanted = parser.parse_args()
    recordings = os.environ.get("SPEECH_COMMANDS")
    if not recordings:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    curves = read() if CURVES.exists() else []
    with TemporaryDirectory() as scratch:
        datasets = {
            name: opened(task, Path(recordings), Path(scratch) / name)
            for name, task in TASKS.items()
        }
        deadline = time.monotonic() + 60 * wanted.minutes
        # Task by task in turn, so that all are served alike when time runs out.
        for name, candidate in islice(drawn(wanted.count), len(curves), None):
            if time.monotonic() > deadline:
                break
            curves.append(trained(name, candidate, datasets[name]))
            write(curves)
            print(f"{len(curves)} of {wanted.count * len(TASKS)}", file=sys.stderr)


def write(curves: list[Curve], path: Path = CURVES) -> None:
    """Store curves; equal ones give equal bytes."""
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(Curve)])
    table.writeheader()
    for curve in curves:
        table.writerow({name: json.dumps(value) for name, value in asdict(curve).items()})
    path.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def opened(task: Task, recordings: Path, scratch: Path) -> Dataset:
    """Return the clips of a task, real ones by links in ``scratch``."""
    labels = tuple(task.clips)
    if task.synthetic:
        count = next(iter(task.clips.values()))
        lowest, highest = task.snr_db
        noise = {"lowest_snr_db": lowest, "highest_snr_db": highest}
        parameters = noise | {"clips_per_label": count}
        return open_dataset(DatasetSpec("synthetic", labels, parameters=parameters))
    more = recordings.with_name(f"{recordings.name}_more")
    for word, count in task.clips.items():
        folder = next(f / word for f in (recordings, more) if (f / word).is_dir())
        (scratch / word).mkdir(parents=True)
        for clip in sorted(folder.iterdir())[:count]:
            (scratch / word / clip.name).symlink_to(clip)
    (scratch / "_background_noise_").symlink_to(recordings / "_background_noise_")
    return open_dataset(DatasetSpec(str(scratch), labels))


def drawn(count: int) -> Iterator[tuple[str, Candidate]]:
    """Yield the candidates of all tasks in turn."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        for name, task in TASKS.items():
            yield name, draw(task, rng)


def draw(task: Task, rng: np.random.Generator) -> Candidate:
    """Draw a candidate: plain as published, or with all that makes training better."""
    better = {
        "num_mel_bins": 20,
        "num_coefficients": 12,
        "normalization": "per_clip",
        "time_shift_ms": 100,
        "noise_snr_db": 5,
        "gain_db": 6,
        "mixup": 0.3,
    }
    parameters = {
        "frame_step_in_s": 0.032,
        "network": "temporal",
        "alpha": rng.choice((6, 8, 12, 16, 24)) / 128,
        "blocks": rng.choice((1, 2, 3)),
        "epochs": rng.choice(task.epochs),
        "initial_learning_rate": rng.choice((0.01, 0.01, 0.003)),
        "learning_rate_decay": str(rng.choice(("linear", "cosine"))),
        "final_sparsity": rng.choice((0.0, 0.5, 0.75)),
        "container": "stripped",
        "quantization": ("int8",),
    }
    return Candidate.from_parameters(parameters | (better if rng.random() < 0.5 else {}))


def trained(task: str, candidate: Candidate, dataset: Dataset) -> Curve:
    """Train a candidate to its end."""
    # Imported here: reading the curves needs no TensorFlow.
    from sweep.stages.evaluate import evaluate

    evaluation, _ = evaluate(candidate, dataset, [])
    clips, result, known = evaluation.clips, evaluation.result, candidate.parameters()
    accuracy = None if result is None else result["accuracy"]
    assert accuracy is not None
    return Curve(
        task,
        candidate.training.epochs,
        candidate.training.learning_rate_decay,
        candidate.compression.final_sparsity,
        round(known["filters"] * known["alpha"]),
        known["blocks"],
        math.ceil(dataset.counts["training"] / candidate.training.batch_size),
        clips,
        tuple(round(accuracy * clips) for accuracy in evaluation.accuracies),
        round(accuracy * clips),
        round(evaluation.seconds["training"], 2),
    )


if __name__ == "__main__":
    main()
