"""Milliseconds a stage for three sizes of network, beside the floor of the arithmetic.

    SPEECH_COMMANDS=FOLDER python benchmarks/stages.py [--spotter]

Every candidate is evaluated in a fresh cache, with every variant; the floor is the arithmetic of
its training (three times that of the forward pass) at the rate at which one core multiplies
matrices here.

With ``--spotter``, a trial of ``keyword.yaml`` beside one of ``go_stop.yaml`` with the same front
end, network and number of clips, in turn; ``speech_commands_more`` lies beside ``FOLDER``.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from worker_env import use_worker_env

import sweep
from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.open_set import SilenceSpec, StreamSpec, UnknownSpec
from sweep.candidate import QUANTIZATIONS, Candidate
from sweep.stages.evaluate import evaluate

SIZES = {"small": 0.125, "published winner": 0.5, "large": 1.0}
STAGES = ("gate", "features", "training", "compression", "measurement")
SPACES = Path(__file__).parent.parent / "search_spaces"
BOTH = {
    "frame_step_in_s": 0.02,
    "num_mel_bins": 16,
    "num_coefficients": 12,
    "alpha": 0.2,
    "blocks": 4,
    "final_sparsity": 0.0,
}
SILENCE_SHARE, ROUNDS = 0.25, 3


def main() -> None:
    """Print a line for each size of network, or for each kind of study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spotter", action="store_true")
    spotter = parser.parse_args().spotter
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    use_worker_env()
    os.environ["SWEEP_CACHE"] = tempfile.mkdtemp(prefix="sweep-stages-")
    if spotter:
        compare_spotter(Path(folder).absolute())
    else:
        compare_sizes(folder)


def compare_sizes(folder: str) -> None:
    """Print a line for each size of network."""
    dataset = open_dataset(DatasetSpec(folder, ("stop", "go")))
    clips = len(dataset.targets("training"))
    rate = matmul_gflops()
    print(f"one core multiplies matrices at {rate:.0f} GFLOP/s; 10 epochs of {clips} clips")
    warm = Candidate.from_parameters({"epochs": 1, "quantization": QUANTIZATIONS})
    evaluate(warm, dataset, [])
    print(f"{'network':<18}" + "".join(f"{stage:>14}" for stage in STAGES) + f"{'floor':>10}")
    for i, (name, alpha) in enumerate(SIZES.items()):
        # Another front end each time, so that nothing is met in the cache.
        own = {"lower_frequency": 30 + 10 * i, "alpha": alpha}
        candidate = Candidate.from_parameters(own | {"quantization": QUANTIZATIONS})
        evaluation, _ = evaluate(candidate, dataset, [])
        total = sum(evaluation.seconds.values())
        shape = candidate.frontend.shape
        adds = candidate.network.architecture(shape, 2).multiply_adds()
        floor = 2 * 3 * adds * clips * candidate.training.epochs / 1e9 / rate
        cells = [
            f"{1000 * s:>7.0f} {s / total:>5.0%} " for s in map(evaluation.seconds.get, STAGES)
        ]
        print(f"{name:<18}" + "".join(cells) + f"{1000 * floor:>10.0f}")


def compare_spotter(folder: Path) -> None:
    """Print what the stages of a trial take, with four words and of a spotter."""
    more, words = folder.with_name("speech_commands_more"), Path(tempfile.mkdtemp())
    for word in (folder / "go", folder / "stop", more / "left", more / "right"):
        (words / word.name).symlink_to(word)
    closed = open_dataset(DatasetSpec(str(words), ("go", "stop", "left", "right")))
    keywords = DatasetSpec(str(folder), ("go", "stop"))
    of_keywords = open_dataset(keywords).counts["training"]
    share = closed.counts["training"] / of_keywords - 1 - SILENCE_SHARE
    spotter = open_dataset(
        DatasetSpec(
            str(folder),
            ("go", "stop"),
            unknown=UnknownSpec(folder=str(more), held_out=1, share=share),
            silence=SilenceSpec(SILENCE_SHARE),
            streams=StreamSpec(hours=1.0),
        )
    )
    studies = {"go_stop.yaml": closed, "keyword.yaml": spotter}
    taken = {name: [] for name in studies}
    for i in range(ROUNDS + 1):
        for name, dataset in studies.items():
            # Another front end each time; the first time, which makes the stream, does not count.
            seconds = trial_seconds(name, dataset, lower_frequency=20 + 10 * i)
            if i:
                taken[name].append(seconds)
    stages = (*STAGES[:-1], "streams", STAGES[-1])
    print(f"{'trial of':<14}{'clips':>6}" + "".join(f"{s:>12}" for s in stages) + f"{'all':>8}")
    for name, rounds in taken.items():
        cells = [f"{median(one.get(stage, 0.0) for one in rounds):>10.2f} s" for stage in stages]
        whole = median(sum(one.values()) for one in rounds)
        print(
            f"{name:<14}{studies[name].counts['training']:>6}" + "".join(cells) + f"{whole:>6.1f} s"
        )
    ratios = [
        sum(one.values()) / sum(other.values())
        for one, other in zip(taken["keyword.yaml"], taken["go_stop.yaml"], strict=True)
    ]
    told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"a trial of keyword.yaml takes {median(ratios):.2f} of one of go_stop.yaml ({told})")


def trial_seconds(name: str, dataset: Dataset, **own: float) -> dict[str, float]:
    """Return what each stage of a trial takes."""
    space = sweep.Space.load(SPACES / name)
    parameters = space.file.parameters | BOTH | own
    space = sweep.Space(space.file.model_copy(update={"parameters": parameters}), space.origin)
    evaluation, _ = evaluate(space.candidate({}), dataset, [])
    return evaluation.seconds


def matmul_gflops() -> float:
    """Return the rate of float32 matrix products on one core."""
    import tensorflow as tf

    a = tf.random.normal((768, 768))
    product = tf.function(lambda: tf.matmul(a, a))
    product()
    best = np.inf
    for _ in range(20):
        begin = time.perf_counter()
        product().numpy()
        best = min(best, time.perf_counter() - begin)
    return float(2 * 768**3 / best / 1e9)


if __name__ == "__main__":
    main()
