"""What the ranges of activations are worth to int8 variants, on the real recordings.

    SPEECH_COMMANDS=FOLDER python benchmarks/calibration.py [--seeds 5]

A small network of each kind of convolution is trained from several seeds and quantized twice, with
ranges found on 200 training clips: as ai-edge-quantizer finds them by itself, by running means of
the extremes of each clip, and by the true extremes, as ``sweep`` does.  Printed is how many answers
to the training and validation clips differ from those of the float32 file, how far probabilities
move, and what accuracy on the validation clips is gained or lost; means over networks.
"""

import argparse
import os
import sys

import numpy as np
from ai_edge_quantizer.utils.qsv_utils import min_max_update, moving_average_update
from training_choices import BASE

from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.candidate import Candidate
from sweep.litert import Model
from sweep.networks.conversion import convert
from sweep.stages import compression
from sweep.stages.features import prepare_features
from sweep.stages.training import train

WAYS = {
    "running means": moving_average_update,
    "true extremes": min_max_update,
}


def main() -> None:
    """Train, quantize and print a row for each variant and way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    wanted = parser.parse_args()
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    dataset = open_dataset(DatasetSpec(folder, ("stop", "go")))
    truth = dataset.targets("validation")
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for convolution in ("depthwise_separable", "temporal"):
        for seed in range(wanted.seeds):
            candidate = Candidate.from_parameters(BASE | {"network": convolution}, seed)
            features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
            architecture = candidate.network.architecture(candidate.frontend.shape, 2)
            weights = train(
                candidate,
                architecture,
                features.training,
                dataset.targets("training"),
                (features.validation, truth),
            ).weights
            clips = np.concatenate([features.validation, features.training[0]])[..., None]
            content = convert(architecture, weights)
            exact = Model(content).run(clips)
            for way, update in WAYS.items():
                compression.min_max_update = update
                files = compression.quantize(
                    content, ("int8", "int8_per_tensor"), features.training[0]
                )
                for name, file in files.items():
                    answers = Model(file).run(clips)
                    row = compare(answers, exact, truth)
                    found.setdefault((name, way), []).append(row)
    print(f"{'variant':<16} {'ranges':<14} {'changed':>8} {'moved':>7} {'accuracy':>9}")
    for (name, way), rows in sorted(found.items()):
        changed, moved, gained = np.mean(rows, axis=0)
        print(f"{name:<16} {way:<14} {changed:>8.2%} {moved:>7.3f} {100 * gained:>+8.2f} points")


def compare(
    answers: np.ndarray, exact: np.ndarray, truth: np.ndarray
) -> tuple[float, float, float]:
    """Return the share of answers changed, how far probabilities moved, the accuracy gained."""
    heard, before = answers.argmax(axis=1), exact.argmax(axis=1)
    right, was = (np.mean(some[: len(truth)] == truth) for some in (heard, before))
    return float(np.mean(heard != before)), float(np.abs(answers - exact).mean()), right - was


if __name__ == "__main__":
    main()
