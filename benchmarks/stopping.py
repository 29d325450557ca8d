"""The rule that stops hopeless trainings, calibrated and judged on tasks of different shape.

    python benchmarks/stopping.py

Replays the curves of ``curves.py``, and for two words those of ``table.py``, too, as studies under
the rule: candidates in random order, each stopped or finished, and what is finished is learnt from.
Limits are set at the 20th to 80th percentile of the accuracies that a task's candidates reach.
``saved`` is the share of training time not spent, ``lost`` the share of the candidates that end
feasible and were stopped. The prior, which counts until a study has curves of its own, is the
largest rise of any task and a margin more; each task is judged with the prior of the others.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import table
from curves import Curve, read

from sweep.limits import Limit
from sweep.metrics import ACCURACY
from sweep.stopping import PRIOR, SHARES, Experience, StopRule, first_stop, out_of_reach, rises

MARGIN = 0.2
PERCENTILES = (20, 30, 40, 50, 60, 70, 80)
LIMITS = (0.96, 0.97, 0.98)
STUDIES, TRIALS = 3, 240
"""How many studies of each task and limit are replayed, and of how many trials at most."""

TABLE_TASK = "2 words"


def main() -> None:
    """Print the prior, then what the rule saves and loses on each task."""
    tasks = read_tasks()
    print("share of epochs ", *(f"{share:5.1f}" for share in SHARES))
    print("prior           ", *(f"{rise:5.2f}" for rise in prior(tasks.values())))
    print("in use          ", *(f"{rise:5.2f}" for rise in PRIOR))
    print(f"\n{'':<33}{'':>15} {'prior alone':>15} {'the rule':>15}")
    print(f"{'task':<28} {'clips':>5} {'curves':>6} {'feasible':>8} ", end="")
    print(*[f"{'lost':>7} {'saved':>7}"] * 2)
    for name, curves in tasks.items():
        others = prior(found for other, found in tasks.items() if other != name)
        reached = [curve.accuracy for curve in curves]
        bounds = [float(np.percentile(reached, q, method="higher")) for q in PERCENTILES]
        show(name, curves, bounds, others)
    print(f"\nof {TABLE_TASK}, those trained for 54 epochs")
    longest = [curve for curve in tasks[TABLE_TASK] if curve.epochs == 54]
    for bound in LIMITS:
        show(f"accuracy >= {bound}", longest, [bound], PRIOR)


def show(name: str, curves: list[Curve], bounds: list[float], prior: tuple[float, ...]) -> None:
    """Print what the rule saves and loses under some limits."""
    told = []
    for learns in (False, True):
        outcomes = [
            replay(curves, Limit(ACCURACY.name, ">=", bound), prior, learns, seed)
            for bound in bounds
            for seed in range(STUDIES)
        ]
        feasible, lost, spent, saved = np.sum(outcomes, axis=0)
        told.append(f"{lost / feasible:>7.1%} {saved / spent:>7.0%}")
    print(f"{name:<28} {curves[0].clips:>5} {len(curves):>6} {feasible:>8.0f} ", *told)


def read_tasks() -> dict[str, list[Curve]]:
    """Return the curves of each task."""
    tasks: dict[str, list[Curve]] = {}
    for curve in read():
        tasks.setdefault(curve.task, []).append(curve)
    tasks[TABLE_TASK] += [from_table(row) for row in table.read()]
    return tasks


def from_table(row: table.Row) -> Curve:
    """Return the curve of a candidate of the table; its result is the best variant."""
    best = max(variant["accuracy"] for variant in row.variants.values())
    known = row.parameters
    return Curve(
        TABLE_TASK,
        known["epochs"],
        "cosine",
        known["final_sparsity"],
        round(known["alpha"] * 128),
        2,
        80,
        row.clips,
        tuple(round(accuracy * row.clips) for accuracy in row.accuracies),
        round(best * row.clips),
        row.seconds,
    )


def prior(tasks: Iterable[list[Curve]]) -> tuple[float, ...]:
    """Return the largest rise of any curve from each share of the epochs, and a margin more."""
    found = [
        rises(curve.accuracies, curve.accuracy, curve.clips) for curves in tasks for curve in curves
    ]
    widest = np.max(found, axis=0) + MARGIN
    return tuple(np.maximum.accumulate(widest[::-1])[::-1])


def replay(
    curves: list[Curve], limit: Limit, prior: tuple[float, ...], learns: bool, seed: int
) -> tuple[float, float, float, float]:
    """Return how many candidates end feasible, how many of these are lost, seconds and saving."""
    experience = Experience([limit], prior)
    feasible = lost = spent = saved = 0.0
    order = np.random.default_rng(seed).permutation(len(curves))[:TRIALS]
    for curve in (curves[i] for i in order):
        done = stopped_after(curve, experience.rules(curve.epochs))
        feasible += curve.accuracy >= limit.bound
        lost += curve.accuracy >= limit.bound and done < curve.epochs
        spent += curve.seconds
        saved += curve.seconds * (1 - done / curve.epochs)
        if learns and done == curve.epochs:
            experience.add(curve.evaluation())
    return feasible, lost, spent, saved


def stopped_after(curve: Curve, rules: Sequence[StopRule]) -> int:
    """Return after how many epochs the rules end the training of a candidate."""
    for done in range(first_stop(curve.epochs, curve.steps), curve.epochs):
        so_far = {ACCURACY.name: curve.accuracies[:done]}
        if out_of_reach(rules, so_far, epochs=curve.epochs, steps=curve.steps, clips=curve.clips):
            return done
    return curve.epochs


if __name__ == "__main__":
    main()
