"""Is one training worth several: networks caught on the way while pruning goes on?

    SPEECH_COMMANDS=FOLDER python benchmarks/ladder.py [--workers 2]

A small network is pruned to three quarters in 40 epochs, and what it is when a quarter and when
half of its weights are gone counts as a result too.  Beside it, a training of its own for every
sparsity: of as many epochs, and of a third as many, so that all three cost what the one does.
The network, its training and the folds of speakers that judge it are those of
``training_choices.py``.
"""

import argparse
import math
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from training_choices import BASE, FOLDS

from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.folds import deal, hold_out
from sweep.candidate import Candidate

RUNGS = (0.25, 0.5, 0.75)
EPOCHS = BASE["epochs"]
SHORT = round(EPOCHS / len(RUNGS))


def main() -> None:
    """Train, then print a row for each sparsity."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args()
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    ways = [(rung, epochs) for rung in RUNGS for epochs in (EPOCHS, SHORT)]
    jobs = [(folder, fold, *way) for way in ways for fold in range(FOLDS)]
    with ProcessPoolExecutor(wanted.workers, get_context("spawn")) as pool:
        curves = dict(zip(jobs, pool.map(curve, *zip(*jobs, strict=True)), strict=True))
    print(f"{'pruned':>6} {'on the way':>11} {f'{EPOCHS} epochs':>10} {f'{SHORT} epochs':>10}")
    folds = range(FOLDS)
    for rung in RUNGS:
        ladder = [caught(curves[folder, fold, RUNGS[-1], EPOCHS], rung) for fold in folds]
        alone = {
            epochs: [curves[folder, fold, rung, epochs][-1][1] for fold in folds]
            for epochs in (EPOCHS, SHORT)
        }
        cells = [f"{np.mean(found):>10.4f}" for found in alone.values()]
        print(f"{rung:>6.0%} {np.mean(ladder):>11.4f}", *cells)
        for epochs, found in alone.items():
            gains = np.subtract(ladder, found)
            error = np.std(gains, ddof=1) / np.sqrt(len(gains))
            print(f"{'':>6} against {epochs} epochs: {np.mean(gains):+.4f} ± {error:.4f}")


def curve(folder: str, fold: int, final_sparsity: float, epochs: int) -> list[tuple[float, float]]:
    """Train one network; return its sparsity and its accuracy after each epoch."""
    # Imported here: saying how it is used needs no TensorFlow.
    from sweep.networks.pruning import pruning_updates
    from sweep.stages.features import prepare_features
    from sweep.stages.training import train

    dataset = open_dataset(DatasetSpec(folder, ("stop", "go")))
    dataset = hold_out(dataset, deal(dataset, FOLDS)[fold])
    changes = {"final_sparsity": final_sparsity, "epochs": epochs}
    candidate = Candidate.from_parameters(BASE | changes, seed=fold)
    features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
    targets = dataset.targets("training")
    trained = train(
        candidate,
        candidate.network.architecture(candidate.frontend.shape, 2),
        features.training,
        targets,
        (features.validation, dataset.targets("validation")),
    )
    steps = math.ceil(len(targets) / candidate.training.batch_size)
    updates = pruning_updates(steps * epochs, final_sparsity)
    # What is renewed before the first step of an epoch belongs to that epoch.
    due = [[s for step, s in updates.items() if step < steps * epoch] for epoch in range(1, epochs)]
    sparsities = [*(max(reached, default=0.0) for reached in due), final_sparsity]
    return list(zip(sparsities, trained.progress.accuracies, strict=True))


def caught(found: list[tuple[float, float]], rung: float) -> float:
    """Return the accuracy after the last epoch that had pruned no more than a rung."""
    return [accuracy for sparsity, accuracy in found if sparsity <= rung][-1]


if __name__ == "__main__":
    main()
