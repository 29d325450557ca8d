"""What each way of training is worth, one change at a time, on the real recordings.

    SPEECH_COMMANDS=FOLDER python benchmarks/training_choices.py [--seeds 4] [--workers 2]

A small network is trained with the settings of ``BASE`` and with one of them changed, five times
from each seed: the speakers of the training and validation clips are dealt into five folds, and
every fold is held out once.  So a way of training is judged by all 1,788 clips, each heard by a
network that knows nobody of its fold, and not by the 206 of the validation split alone; no test
clip is read.  Printed is the mean accuracy and the difference from the base, with its standard
error over the folds: seeds of one fold hear the same clips.  ``training_choices.csv`` keeps every
training; what is in it is not trained again.
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

from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.folds import deal, hold_out
from sweep.candidate import Candidate

FILE = Path(__file__).with_suffix(".csv")
FIELDS = ("change", "fold", "seed", "clips", "accuracy", "seconds")
BASE: dict[str, Any] = {
    "frame_length_in_s": 0.032,
    "frame_step_in_s": 0.032,
    "num_mel_bins": 16,
    "num_coefficients": 12,
    "nonlinearity": "cube_root",
    "normalization": "per_clip",
    "time_shift_ms": 100,
    "noise_snr_db": 5,
    "gain_db": 6,
    "network": "temporal",
    "alpha": 0.125,
    "blocks": 3,
    "epochs": 40,
    "learning_rate_decay": "cosine",
    "mixup": 0.3,
    "final_sparsity": 0.0,
}
DEEP = {"frame_step_in_s": 0.020, "blocks": 4}
WIDE = DEEP | {"alpha": 0.1875}
PLANE = {"network": "depthwise_separable"}
CHANGES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "log": {"nonlinearity": "log"},
    "log-mel features": {"frontend": "log_mel"},
    "features not normalised": {"normalization": "none"},
    "normalised per coefficient only": {"normalization": "per_coefficient"},
    "12 mel bins": {"num_mel_bins": 12},
    "20 mel bins": {"num_mel_bins": 20},
    "32 mel bins": {"num_mel_bins": 32},
    "no augmentation": {"time_shift_ms": 0, "noise_snr_db": None, "gain_db": 0},
    "noise from 0 dB": {"noise_snr_db": 0},
    "noise from -5 dB": {"noise_snr_db": -5},
    "no mixup": {"mixup": 0.0},
    "labels smoothed by 0.1": {"label_smoothing": 0.1},
    "linear decay": {"learning_rate_decay": "linear"},
    "80 epochs": {"epochs": 80},
    "half pruned": {"final_sparsity": 0.5},
    "2 blocks": {"blocks": 2},
    "4 blocks": {"blocks": 4},
    "24 channels": {"alpha": 0.1875},
    "a frame every 20 ms": {"frame_step_in_s": 0.020},
    "a frame every 20 ms, 4 blocks": DEEP,
    "a frame every 20 ms, 4 blocks, 24 channels": WIDE,
    "a frame every 20 ms, 4 blocks, 24 channels, log": WIDE | {"nonlinearity": "log"},
    "depthwise-separable": PLANE,
    "depthwise-separable, log": PLANE | {"nonlinearity": "log"},
    "depthwise-separable, 20 ms, 4 blocks, 24 channels": PLANE | WIDE,
}
FOLDS = 5


def main() -> None:
    """Train what is missing, then print a row for each change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args()
    done = {(row["change"], row["fold"], row["seed"]) for row in known()}
    due = [
        (change, str(fold), str(seed))
        for seed in range(wanted.seeds)
        for fold in range(FOLDS)
        for change in CHANGES
    ]
    jobs = [job for job in due if job not in done]
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


def train_one(folder: str, change: str, fold: str, seed: str) -> dict[str, Any]:
    """Train one network; return its row."""
    # Imported here: showing what is known needs no TensorFlow.
    from sweep.stages.features import prepare_features
    from sweep.stages.training import train

    dataset = open_dataset(DatasetSpec(folder, ("stop", "go")))
    dataset = hold_out(dataset, deal(dataset, FOLDS)[int(fold)])
    candidate = Candidate.from_parameters(BASE | CHANGES[change], seed=int(seed))
    features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
    begin = time.process_time()
    trained = train(
        candidate,
        candidate.network.architecture(candidate.frontend.shape, 2),
        features.training,
        dataset.targets("training"),
        (features.validation, dataset.targets("validation")),
    )
    seconds = round(time.process_time() - begin, 2)
    accuracy = round(trained.progress.accuracies[-1], 5)
    clips = len(dataset.targets("validation"))
    return dict(zip(FIELDS, (change, fold, seed, clips, accuracy, seconds), strict=True))


def show(rows: list[dict[str, str]]) -> None:
    """Print the mean of each change, and its difference from the base."""
    accuracies: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for row in rows:
        accuracies[row["change"]][row["fold"], row["seed"]] = float(row["accuracy"])
    base = accuracies["as it is"]
    print(f"{'change':<52} {'n':>3} {'accuracy':>9} {'change':>8} {'± s.e.':>7}")
    for change in CHANGES:
        found = accuracies[change]
        gains: dict[str, list[float]] = defaultdict(list)
        for (fold, seed), accuracy in found.items():
            gains[fold].append(accuracy - base[fold, seed])
        if len(gains) == FOLDS:
            by_fold = [np.mean(each) for each in gains.values()]
            error = np.std(by_fold, ddof=1) / np.sqrt(FOLDS)
            mean = np.mean(list(found.values()))
            print(
                f"{change:<52} {len(found):>3} {mean:>9.4f} {np.mean(by_fold):>+8.4f} {error:>7.4f}"
            )


if __name__ == "__main__":
    main()
