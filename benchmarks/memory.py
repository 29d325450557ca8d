"""Memory of one worker over 300 trials of different shapes.

    python benchmarks/memory.py [--trials 300]

Evaluates candidates drawn at random from ``search_spaces/go_stop.yaml``, each trained for one
epoch on spoken words, in one process, and prints its resident memory on the way.
"""

import argparse
import gc
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
from worker_env import use_worker_env

from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.space import Space
from sweep.stages.evaluate import evaluate

SPACE = Path(__file__).parent.parent / "search_spaces" / "go_stop.yaml"


def main() -> None:
    """Print one line at 30 trials and one at each further tenth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300)
    trials = parser.parse_args().trials
    use_worker_env()
    dataset = open_dataset(
        DatasetSpec("synthetic", ("stop", "go"), parameters={"clips_per_label": 60})
    )
    space = Space.load(SPACE)
    rng = np.random.default_rng(0)
    first, done = 0.0, 0
    print(f"{'trials':>6}  {'resident MB':>11}  {'against 30':>10}")
    while done < trials:
        drawn = space.draw(rng)
        if not space.allows(drawn):
            continue
        candidate = space.candidate(drawn)
        short = replace(candidate, training=replace(candidate.training, epochs=1))
        evaluate(short, dataset, space.limits)
        done += 1
        if done == 30:
            first = resident_mb()
        if done >= 30 and done % max(1, trials // 10) == 0:
            print(f"{done:>6}  {resident_mb():>11.0f}  {resident_mb() / first:>9.2f}x")


def resident_mb() -> float:
    """Return the resident memory of this process in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024**2


if __name__ == "__main__":
    main()
