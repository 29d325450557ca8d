"""Samplers compared on the measured table of candidates.

    python benchmarks/searches.py [--seeds 50] [--searches ehvi,random,...] [--limits tight]

Every search is the real one, ``sweep.study.search`` over Optuna; only the training is looked up in
``table.csv.gz``.  What counts is how many trials a search needs until its feasible trials dominate
95 % of the hypervolume that all feasible candidates of the table dominate together.
"""

import argparse
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import optuna
import plotly.graph_objects as go
from optuna.samplers import NSGAIISampler, TPESampler
from table import SPACE, Row, read

from sweep.candidate import Candidate
from sweep.evaluation import Evaluation, choose
from sweep.limits import Limit, total_violation
from sweep.report.figures.hypervolume import history, hypervolume
from sweep.space import Space
from sweep.spec import read as read_file
from sweep.stopping import StopRule
from sweep.study.samplers import make_sampler
from sweep.study.search import Search
from sweep.study.storage import StudyFolder
from sweep.study.trials import OBJECTIVES, stored_evaluation
from sweep.study.workers import Result

LIMITS = {
    "wide": {"accuracy": ">= 0.97", "latency_ms": "<= 8", "size_kb": "< 25"},
    "tight": {"accuracy": ">= 0.97", "latency_ms": "<= 0.25", "size_kb": "< 3"},
}
SHARE = 0.95
SECONDS = (100, 200, 400, 800)


@dataclass
class Lookup:
    """Stands in for the workers: answers at once, from the table."""

    evaluations: dict[str, Evaluation]
    capacity: int = 2
    waiting: list[tuple[int, Candidate]] = field(default_factory=list)

    @property
    def busy(self) -> int:
        return len(self.waiting)

    def submit(self, number: int, candidate: Candidate, rules: tuple[StopRule, ...]) -> None:
        self.waiting.append((number, candidate))

    def wait(self, timeout: float) -> Result:
        number, candidate = self.waiting.pop(0)
        return Result(number, self.evaluations[candidate.key()], {})


def costs(evaluation: Evaluation, limits: list[Limit]) -> list[float]:
    """Return what is minimised, in logarithms but for accuracy; beyond the corner if infeasible."""
    result = evaluation.result
    if evaluation.outcome != "feasible" or result is None:
        return [1.0] * 3
    bounds = {limit.metric: limit.bound for limit in limits}
    return [
        bounds["accuracy"] - result["accuracy"],
        np.log(result["latency_ms"] / bounds["latency_ms"]),
        np.log(result["size_kb"] / bounds["size_kb"]),
    ]


def search(
    space: Space,
    sampler: optuna.samplers.BaseSampler,
    evaluations: dict[str, Evaluation],
    trials: int,
) -> list[str]:
    """Run a search on the table; return the keys of its candidates in the order they came."""
    space = space.with_search(trials=trials)
    study = optuna.create_study(directions=list(space.file.objectives.values()), sampler=sampler)
    study.set_user_attr(OBJECTIVES, list(space.file.objectives))
    with tempfile.TemporaryDirectory() as results:
        Search(space, study, StudyFolder(Path(results), "table"), Lookup(evaluations)).run()
    keys = {}
    for trial in study.get_trials(deepcopy=False):
        told = stored_evaluation(trial)
        if told is not None and told.outcome != "invalid":
            keys[trial.number] = space.candidate(trial.params).key()
    return list(keys.values())


def trials_needed(shares: np.ndarray) -> float:
    """Return how many trials it took to reach ``SHARE`` of the best volume; inf if too few."""
    reached = np.flatnonzero(shares >= SHARE)
    return float(reached[0] + 1) if len(reached) else np.inf


def judged(rows: list[Row], space: Space) -> dict[str, Evaluation]:
    """Return what every candidate of the table would be told, by its key.

    One that breaks a limit on size or latency in every variant is gated.
    """
    known = {}
    for row in rows:
        evaluation = row.evaluation(space.limits)
        fixed = [
            {m: v for m, v in variant.violations.items() if m != "accuracy"}
            for variant in evaluation.variants
        ]
        if all(total_violation(broken) > 0 for broken in fixed):
            blind = tuple(
                replace(v, metrics={**v.metrics, "accuracy": None}, violations=f)
                for v, f in zip(evaluation.variants, fixed, strict=True)
            )
            evaluation = replace(evaluation, outcome="gated", variants=blind, chosen=choose(blind))
        known[space.candidate(row.parameters).key()] = evaluation
    return known


def raw(evaluation: Evaluation, limits: list[Limit]) -> Evaluation:
    """Return an evaluation whose violations are in the units of each metric."""
    bounds = {limit.metric: limit.bound for limit in limits}
    changed = [
        replace(v, violations={m: x * bounds[m] for m, x in v.violations.items()})
        for v in evaluation.variants
    ]
    return replace(evaluation, variants=tuple(changed))


def hidden(evaluation: Evaluation) -> Evaluation:
    """Return an evaluation that a sampler learns nothing from, if it was gated."""
    return replace(evaluation, outcome="failed") if evaluation.outcome == "gated" else evaluation


SAMPLERS: dict[str, Callable[..., optuna.samplers.BaseSampler]] = {
    **{
        name: partial(make_sampler, name=name)
        for name in ("ehvi", "random", "grid", "greedy", "tpe", "nsga2", "gp")
    },
    "tpe-independent": lambda space, seed: TPESampler(seed=seed),
    "nsga2-50": lambda space, seed: NSGAIISampler(seed=seed),
    "tpe-promoted": lambda space, seed: make_sampler(
        space.with_search(sampler="tpe", promotion=True), "tpe", seed
    ),
    "ehvi-promoted": lambda space, seed: make_sampler(
        space.with_search(sampler="ehvi", promotion=True), "ehvi", seed
    ),
    "tpe-54-epochs": partial(make_sampler, name="tpe"),
    "ehvi-54-epochs": partial(make_sampler, name="ehvi"),
}
"""Searches by name; ``ehvi`` is the default of a search-space file."""

UNLEARNING = ("random", "grid")
LEARNT: dict[str, tuple[str, Callable[[Evaluation, list[Limit]], Evaluation]]] = {
    "tpe-raw-violations": ("tpe", raw),
    "tpe-gated-hidden": ("tpe", lambda evaluation, limits: hidden(evaluation)),
}
"""Searches that are told something else: the sampler, and what becomes of an evaluation."""


def compare(name: str, limits: str, seed: int, trials: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of the best volume, and the seconds trained, after each trial."""
    space = Space(read_file(SPACE).model_copy(update={"limits": LIMITS[limits]}), str(SPACE))
    rows = read()
    evaluations = judged(rows, space)
    seconds = {space.candidate(row.parameters).key(): row.seconds for row in rows}
    every = np.array([costs(one, space.limits) for one in evaluations.values()])
    if name.endswith("-54-epochs"):
        fixed = space.file.parameters | {"epochs": 54}
        space = Space(space.file.model_copy(update={"parameters": fixed}), str(SPACE))
    sampler, told = name, evaluations
    if name in LEARNT:
        sampler, change = LEARNT[name]
        told = {k: change(e, space.limits) for k, e in evaluations.items()}
    most = len(told) if name in UNLEARNING else min(trials, len(told))
    keys = search(space, SAMPLERS[sampler](space, seed=seed), told, most)
    points = np.array([costs(evaluations[key], space.limits) for key in keys])
    shares = np.array(history(points, np.zeros(3))) / hypervolume(every, np.zeros(3))
    spent = [0 if evaluations[key].outcome == "gated" else seconds[key] for key in keys]
    return shares, np.cumsum(spent)


def main() -> None:
    """Print a row for each search, and draw how their volumes grow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--searches", default="ehvi,random,grid,greedy,tpe,nsga2")
    parser.add_argument("--limits", choices=LIMITS, default="wide")
    parser.add_argument("--trials", type=int, default=200, help="of a search that learns")
    parser.add_argument("--svg", type=Path, help="file for the picture")
    wanted = parser.parse_args()
    names = wanted.searches.split(",")
    jobs = [(name, seed) for name in names for seed in range(wanted.seeds if name != "grid" else 1)]
    shares: dict[str, list[np.ndarray]] = {name: [] for name in names}
    times: dict[str, list[np.ndarray]] = {name: [] for name in names}
    with ProcessPoolExecutor() as pool:
        found = pool.map(compare, *zip(*((n, wanted.limits, s, wanted.trials) for n, s in jobs)))
        for (name, _), (share, seconds) in zip(jobs, found, strict=True):
            shares[name].append(share)
            times[name].append(seconds)
    print(f"trials until {SHARE:.0%} of the best feasible hypervolume, limits {wanted.limits};")
    print("share of it after so many seconds of training, mean over seeds")
    columns = "".join(f"{f'{s} s':>8}" for s in SECONDS)
    print(f"{'search':<20} {'seeds':>5} {'median':>7} {'quarters':>12} {columns}")
    for name in names:
        counts = [trials_needed(one) for one in shares[name]]
        low, middle, high = np.quantile(counts, [0.25, 0.5, 0.75], method="nearest")
        reached = [
            np.mean([share_after(s, v, t) for v, t in zip(shares[name], times[name], strict=True)])
            for s in SECONDS
        ]
        columns = "".join(f"{share:8.3f}" for share in reached)
        print(f"{name:<20} {len(counts):>5} {middle:>7.0f} {low:>6.0f}-{high:<5.0f} {columns}")
    if wanted.svg:
        draw(shares).write_image(wanted.svg, width=900, height=480)


def share_after(seconds: float, shares: np.ndarray, times: np.ndarray) -> float:
    """Return the share reached by the trials that had ended after so many seconds."""
    ended = int(np.searchsorted(times, seconds, side="right"))
    return float(shares[ended - 1]) if ended else 0.0


def draw(shares: dict[str, list[np.ndarray]]) -> go.Figure:
    """Return the median share of the volume over trials, with the middle half of the seeds."""
    figure = go.Figure()
    palette = ["#0072B2", "#555555", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
    for (name, found), colour in zip(shares.items(), palette * 3):
        length = min(map(len, found))
        low, middle, high = np.quantile([one[:length] for one in found], [0.25, 0.5, 0.75], axis=0)
        trials = np.arange(1, length + 1)
        band = {"x": [*trials, *trials[::-1]], "y": [*high, *low[::-1]], "fill": "toself"}
        figure.add_scatter(
            **band, fillcolor=colour, opacity=0.15, line_width=0, showlegend=False, hoverinfo="skip"
        )
        figure.add_scatter(x=trials, y=middle, name=name, line_color=colour)
    figure.add_hline(y=SHARE, line_dash="dot", line_color="#888888")
    figure.update_layout(
        template="plotly_white",
        xaxis={"title": "trials", "type": "log"},
        yaxis={"title": "share of the best feasible hypervolume", "range": [0, 1.02]},
        legend={"x": 0.99, "y": 0.02, "xanchor": "right", "yanchor": "bottom"},
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
    )
    return figure


if __name__ == "__main__":
    main()
