"""What each way of training is worth, one change at a time, on the real recordings.

    SPEECH_COMMANDS=FOLDER python benchmarks/training_choices.py [--seeds 5] [--workers 2]

A small network is trained with the settings of ``BASE`` and with one of them changed, each from
several seeds.  Printed is the mean accuracy on the validation clips, its standard error, and the
difference from the base.  ``training_choices.csv`` keeps every training; what is in it is not
trained again.
"""

import argparse
import csv
import os
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from sweep.audio.dataset import DatasetSpec, open_dataset
from sweep.candidate import Candidate

FILE = Path(__file__).with_suffix(".csv")
FIELDS = ("change", "seed", "accuracy", "seconds")
BASE: dict[str, Any] = {
    "frame_length_in_s": 0.032,
    "frame_step_in_s": 0.032,
    "num_mel_bins": 16,
    "num_coefficients": 12,
    "normalization": "per_clip",
    "time_shift_ms": 100,
    "noise_snr_db": 5,
    "gain_db": 6,
    "alpha": 0.125,
    "blocks": 3,
    "epochs": 40,
    "learning_rate_decay": "cosine",
    "mixup": 0.3,
    "final_sparsity": 0.5,
}
CHANGES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no augmentation": {"time_shift_ms": 0, "noise_snr_db": None, "gain_db": 0},
    "features not normalised": {"normalization": "none"},
    "normalised per coefficient only": {"normalization": "per_coefficient"},
    "no mixup": {"mixup": 0.0},
    "120 epochs": {"epochs": 120},
    "linear decay": {"learning_rate_decay": "linear"},
    "labels smoothed by 0.1": {"label_smoothing": 0.1},
}
DROPPED = (
    "distilled, share 0.5",
    "distilled, share 0.9",
    "weights of the last quarter averaged",
    "the same with linear decay",
)
"""Changes that gained nothing, and whose code is gone; the file keeps their trainings.

Distilled from a network of 64 channels and 3 blocks, the temperature being 2.
"""


def main() -> None:
    """Train what is missing, then print a row for each change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args()
    done = {(row["change"], row["seed"]) for row in known()}
    jobs = [(c, str(s)) for s in range(wanted.seeds) for c in CHANGES if (c, str(s)) not in done]
    folder = os.environ.get("SPEECH_COMMANDS")
    if jobs and not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    with ProcessPoolExecutor(wanted.workers, get_context("spawn")) as pool:
        for row in pool.map(train_one, [folder] * len(jobs), *zip(*jobs, strict=True)):
            begun = FILE.exists()
            with FILE.open("a", newline="", encoding="utf-8") as file:
                table = csv.DictWriter(file, FIELDS)
                if not begun:
                    table.writeheader()
                table.writerow(row)
    show(known())


def known() -> list[dict[str, str]]:
    """Return the trainings there are."""
    if not FILE.exists():
        return []
    with FILE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def train_one(folder: str, change: str, seed: str) -> dict[str, Any]:
    """Train one network; return its row."""
    # Imported here: showing what is known needs no TensorFlow.
    from sweep.stages.frontend import prepare_features
    from sweep.stages.network import Architecture
    from sweep.stages.training import train

    dataset = open_dataset(DatasetSpec(folder, ("stop", "go")))
    candidate = Candidate.from_parameters(BASE | CHANGES[change], seed=int(seed))
    features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
    begin = time.process_time()
    trained = train(
        candidate,
        Architecture.of(candidate.network, candidate.frontend.shape, 2),
        features.training,
        dataset.targets("training"),
        (features.validation, dataset.targets("validation")),
    )
    seconds = round(time.process_time() - begin, 2)
    accuracy = round(trained.progress.accuracies[-1], 5)
    return dict(zip(FIELDS, (change, seed, accuracy, seconds), strict=True))


def show(rows: list[dict[str, str]]) -> None:
    """Print the mean of each change, and its difference from the base."""
    accuracies: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        accuracies[row["change"]].append(float(row["accuracy"]))
    base = np.mean(accuracies["as it is"])
    print(f"{'change':<38} {'seeds':>5} {'accuracy':>9} {'± s.e.':>7} {'change':>8}")
    for change in (*CHANGES, *DROPPED):
        found = accuracies[change]
        if len(found) > 1:
            error = np.std(found, ddof=1) / np.sqrt(len(found))
            mean = np.mean(found)
            print(f"{change:<38} {len(found):>5} {mean:>9.4f} {error:>7.4f} {mean - base:>+8.4f}")


if __name__ == "__main__":
    main()
