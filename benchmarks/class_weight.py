"""What ``class_weight: balanced`` does to words of unequal frequency.

    SPEECH_COMMANDS=FOLDER python benchmarks/class_weight.py [--seeds 5]

On tasks of ``curves.py``, and on one more with two rare words, one network is trained from each
seed with ``class_weight: none`` and ``balanced``.  Printed are means over the seeds, of the
validation clips, and the difference with its standard error; no test clip is read.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from curves import TASKS, Task, opened
from training_choices import BASE

import sweep
from sweep.candidate import Candidate

CHOSEN = BASE | {"quantization": ("int8_per_tensor",)}
METRICS = ("accuracy", "balanced_accuracy", "worst_recall")
UNEQUAL = {name: TASKS[name] for name in ("1 rare word", "6 words, uneven", "2 words")} | {
    "2 rare words of 4": Task({"up": 900, "left": 900, "go": 60, "right": 40}, (40,)),
}


def main() -> None:
    """Print a row for each task and metric."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    recordings = os.environ.get("SPEECH_COMMANDS")
    if not recordings:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    print("| task | metric | none | balanced | difference |\n|---|---|---|---|---|")
    with TemporaryDirectory() as scratch:
        for name, task in UNEQUAL.items():
            dataset = opened(task, Path(recordings), Path(scratch) / name)
            gained = {way: [] for way in ("none", "balanced")}
            for way, results in gained.items():
                candidate = Candidate.from_parameters(CHOSEN | {"class_weight": way})
                for seed in range(1, given.seeds + 1):
                    evaluation, _ = sweep.evaluate(replace(candidate, seed=seed), dataset, [])
                    results.append([evaluation.result[metric] for metric in METRICS])
            for i, metric in enumerate(METRICS):
                none, balanced = (np.array(results)[:, i] for results in gained.values())
                gain = balanced - none
                error = gain.std(ddof=1) / np.sqrt(len(gain))
                print(
                    f"| {name} | `{metric}` | {none.mean():.3f} | {balanced.mean():.3f}"
                    f" | {gain.mean():+.3f} ± {error:.3f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
