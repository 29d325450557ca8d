"""The rule that stops hopeless trainings, calibrated and judged on the measured table.

    [SPEECH_COMMANDS=FOLDER] python benchmarks/stopping.py [--published 0] [--workers 2]

The rule stops a training when the best of its last five validation accuracies lies below the limit
by more than a slack that shrinks as training goes on. The slack is the largest gap that any
candidate of the table closed from there on that ended within a point and a half of 0.97 or above,
and one clip more. It is printed here from the whole table, as ``sweep.stages.stopping`` holds it,
and judged by halves: calibrated on one half of the networks, tried on the other. ``saved`` is the
share of training time not spent, ``lost`` the share of candidates that would have ended feasible
and were stopped. With ``--published N`` the rule in use is judged, too, on that many candidates of
the published grid that pass the gate, drawn at random and trained to their ends: a space it was not
calibrated on.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from table import Row, opened, read, train_batch
from throughput import SPACE, draw

from sweep.space import Space
from sweep.stages.stopping import FEWEST, SHARES, SLACKS, first_stop, recent_best

NEARLY = 0.955
ONE_CLIP = 0.005
LIMITS = (0.96, 0.97, 0.98)
HALVINGS = 20


def main() -> None:
    """Print the slacks, then what the rule saves and loses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--published", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args()
    rows = read()
    calibrated = slacks(rows)
    print("share of epochs ", *(f"{share:6.1f}" for share in SHARES))
    print("slack           ", *(f"{slack:6.3f}" for slack in calibrated))
    print("in use          ", *(f"{slack:6.3f}" for slack in SLACKS))
    print(f"{'limit':<8} {'feasible':>9} {'saved':>7} {'lost':>7}")
    networks = sorted({network(row) for row in rows})
    for limit in LIMITS:
        rng, outcomes = np.random.default_rng(0), []
        for _ in range(HALVINGS):
            known = set(rng.permutation(networks)[: len(networks) // 2])
            learnt = slacks(row for row in rows if network(row) in known)
            others = [row for row in rows if network(row) not in known]
            outcomes.append(judge(others, limit, learnt))
        feasible, saved, lost = np.mean(outcomes, axis=0)
        print(f"{limit:<8} {feasible:>9.1%} {saved:>7.1%} {lost / feasible:>7.1%}")
    if wanted.published:
        print(f"\n{wanted.published} candidates of the published grid that pass the gate")
        others = train_published(wanted.published, wanted.workers)
        for limit in LIMITS:
            feasible, saved, lost = judge(others, limit, np.array(SLACKS))
            counts = f"{lost * len(others):.0f} of {feasible * len(others):.0f} feasible lost"
            print(f"{limit:<8} {feasible:>9.1%} {saved:>7.1%}   {counts}")


def train_published(count: int, workers: int) -> list[Row]:
    """Train candidates of the published grid that pass the gate to their ends."""
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    drawn = draw(Space.load(SPACE), opened(folder), count, seed=1, passing=True)
    train = partial(train_batch, folder, SPACE)
    rows = []
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for trained in pool.map(train, ([parameters] for parameters in drawn)):
            rows += [Row(**row) for row in trained]
            print(f"{len(rows)} of {count} trained", file=sys.stderr)
    return rows


def network(row: Row) -> str:
    """Return what the rows of one network trained for different lengths have in common."""
    return json.dumps({k: v for k, v in row.parameters.items() if k != "epochs"}, sort_keys=True)


def final(row: Row) -> float:
    """Return the accuracy of the best variant."""
    return max(variant["accuracy"] for variant in row.variants.values())


def slacks(rows: Iterable[Row]) -> np.ndarray:
    """Return the largest gap closed after each share of the epochs, or after a later one."""
    gaps: dict[float, list[float]] = {share: [0.0] for share in SHARES}
    for row in rows:
        epochs = len(row.accuracies)
        for share in SHARES if final(row) >= NEARLY else ():
            done = int(np.ceil(share * epochs - 1e-9))
            if FEWEST <= done < epochs:
                gaps[share].append(final(row) - recent_best(row.accuracies[:done]))
    widest = np.array([max(found) for found in gaps.values()]) + ONE_CLIP
    return np.maximum.accumulate(widest[::-1])[::-1]


def judge(rows: list[Row], limit: float, learnt: np.ndarray) -> tuple[float, float, float]:
    """Return the shares of rows that are feasible, of time saved, and of rows lost."""
    spent = saved = lost = feasible = 0.0
    for row in rows:
        spent += row.seconds
        feasible += final(row) >= limit
        epochs = len(row.accuracies)
        for done in range(first_stop(epochs), epochs):
            slack = np.interp(done / epochs, SHARES, learnt)
            if recent_best(row.accuracies[:done]) < limit - slack:
                saved += row.seconds * (1 - done / epochs)
                lost += final(row) >= limit
                break
    return feasible / len(rows), saved / spent, lost / len(rows)


if __name__ == "__main__":
    main()
