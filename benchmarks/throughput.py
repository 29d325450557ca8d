"""Candidates per hour: the published procedure against ``sweep run``, on the same candidates.

    SPEECH_COMMANDS=FOLDER python benchmarks/throughput.py [--draw] [--passing] [--count 16]
                                                           [--without-limits]

The candidates are drawn at random from the published grid (``--draw``), or from those of it that
pass the gate (``--passing``); both by default.  (a) Each one by a fresh process of
``published_procedure.py``, one after the other; (b) all of them by ``sweep run`` with two workers
and a cold cache, as many epochs, gate and early stopping as in real use.  ``--without-limits``
trains everything to the end, so that accuracy is compared on all candidates, not only on good ones.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from sweep.audio.dataset import Dataset, open_dataset
from sweep.candidate import Candidate
from sweep.evaluation import Evaluation
from sweep.space import Space
from sweep.study.storage import StudyFolder

ROOT = Path(__file__).resolve().parent.parent
PROCEDURE = ROOT / "benchmarks" / "published_procedure.py"
SPACE = ROOT / "search_spaces" / "seed_table1.yaml"
STUDY = "throughput"
NOTHING_FEASIBLE = 3
TARGETS = {"drawn from the whole grid": 10.0, "that pass the gate": 6.0}
"""How many times the published procedure's candidates per hour."""
STAGES = (
    ("features", ("features",), ("features",)),
    ("training", ("training",), ("training",)),
    ("gate, conversion", ("conversion",), ("gate", "compression")),
    ("measurement", ("measurement",), ("measurement",)),
)
"""A stage, and what it is called in the published procedure and here."""


@dataclass(frozen=True)
class Comparison:
    """What both ways took and gave for the same candidates."""

    candidates: list[Candidate]
    published: list[dict[str, Any]]
    published_seconds: list[float]
    evaluations: list[Evaluation]
    sweep_seconds: float
    workers: int


def draw(space: Space, dataset: Dataset, count: int, seed: int, passing: bool) -> list[dict]:
    """Draw different allowed combinations of the space; only such as pass the gate, if wanted."""
    rng, chosen = np.random.default_rng(seed), {}
    while len(chosen) < count:
        parameters = space.draw(rng)
        candidate = space.candidate(parameters)
        if space.objection(candidate) is None and (
            not passing or passes(candidate, space, dataset)
        ):
            chosen[candidate.key()] = parameters
    return list(chosen.values())


def passes(candidate: Candidate, space: Space, dataset: Dataset) -> bool:
    """Tell whether a candidate passes the gate."""
    # Imported here: TensorFlow is wanted for drawing from those that pass, and for nothing else.
    from sweep.stages import gate
    from sweep.stages.measurement import Bench

    shape = candidate.frontend.shape
    architecture = candidate.network.architecture(shape, len(dataset.labels))
    return gate.passes(gate.expect(Bench(candidate, architecture, dataset, space.limits)))


def run_published(candidate: Candidate, data: str, environment: dict[str, str]) -> dict[str, Any]:
    """Run one candidate by the published procedure, in a process of its own."""
    known = candidate.parameters()
    names = ["downsampling_rate", "frame_length_in_s", "frame_step_in_s", "num_mel_bins"]
    names += ["lower_frequency", "upper_frequency", "num_coefficients", "filters", "alpha"]
    names += ["final_sparsity", "batch_size", "initial_learning_rate", "end_learning_rate"]
    parameters = json.dumps({name: known[name] for name in [*names, "epochs"]})
    command = [sys.executable, str(PROCEDURE), "--data", data, "--parameters", parameters]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    record: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return record


def run_sweep(
    drawn: list[dict], data: str, workers: int, limits: bool, environment: dict[str, str]
) -> tuple[list[tuple[Candidate, Evaluation]], float]:
    """Run all candidates by one ``sweep run``; return what it found, and the seconds it took."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        content = yaml.safe_load(SPACE.read_text(encoding="utf-8"))
        content["search"] |= {"sampler": "random", "trials": len(drawn), "enqueue": drawn}
        if not limits:
            content["limits"] = {}
        (place / "space.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        command = [sys.executable, "-c", "from sweep.cli import main; main()", "run"]
        command += [str(place / "space.yaml"), "--study", STUDY, "--data", data]
        command += ["--workers", str(workers), "--results", str(place / "results")]
        environment = environment | {"SWEEP_CACHE": str(place / "cache")}
        begin = time.perf_counter()
        ran = subprocess.run(command, env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
        if ran.returncode not in (0, NOTHING_FEASIBLE):
            sys.exit(f"sweep run failed:\n{ran.stderr}")
        record = StudyFolder.find(STUDY, place / "results").record()
    return [(trial.candidate, trial.evaluation) for trial in record.trials], seconds


def compare(drawn: list[dict], space: Space, data: str, workers: int, limits: bool) -> Comparison:
    """Run the same candidates both ways, telling how it goes."""
    candidates = [space.candidate(parameters) for parameters in drawn]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    found, sweep_seconds = run_sweep(drawn, data, workers, limits, environment)
    by_key = {candidate.key(): evaluation for candidate, evaluation in found}
    published, seconds = [], []
    for number, candidate in enumerate(candidates, 1):
        begin = time.perf_counter()
        published.append(run_published(candidate, data, environment))
        seconds.append(time.perf_counter() - begin)
        print(f"published procedure {number}/{len(drawn)}: {seconds[-1]:.1f} s", file=sys.stderr)
    evaluations = [by_key[candidate.key()] for candidate in candidates]
    return Comparison(candidates, published, seconds, evaluations, sweep_seconds, workers)


def show(kind: str, found: Comparison) -> None:
    """Print the comparison."""
    print(f"\n{len(found.candidates)} candidates {kind}\n")
    print("  the candidate                                published                  sweep")
    print("  frame  step  mel coef  upper  alpha sparse   seconds   KB accuracy    KB accuracy")
    pairs = []
    rows = zip(
        found.candidates, found.published, found.published_seconds, found.evaluations, strict=True
    )
    for candidate, published, seconds, evaluation in rows:
        frontend, result = candidate.frontend, evaluation.result
        trained = evaluation.outcome in ("feasible", "infeasible")
        if trained:
            pairs.append((published["tflite_accuracy"], result["accuracy"]))
        heard = f"{result['accuracy']:.3f}" if trained else evaluation.outcome
        print(
            f"  {frontend.frame_length_in_s:.3f} {frontend.frame_step_in_s:.3f}"
            f"  {frontend.num_mel_bins:3d} {frontend.num_coefficients:4d}"
            f"  {frontend.upper_frequency:5.0f}  {candidate.network.alpha:5.2f}"
            f"  {candidate.compression.final_sparsity:5.2f}   {seconds:7.1f}"
            f" {published['compressed_size_kb']:5.1f}   {published['tflite_accuracy']:.3f}"
            f"  {result['size_kb']:5.1f}   {heard}"
        )
    count, seconds = len(found.candidates), sum(found.published_seconds)
    print(f"\n{'':34}published      sweep")
    print(f"  seconds for all of them       {seconds:11.1f}{found.sweep_seconds:11.1f}")
    hourly = [3600 * count / taken for taken in (seconds, found.sweep_seconds)]
    print(f"  candidates per hour           {hourly[0]:11.0f}{hourly[1]:11.0f}")
    print(f"  ratio                         {'':11}{hourly[1] / hourly[0]:10.1f}x")
    if pairs:
        means = np.mean(pairs, axis=0)
        print(f"  mean accuracy, trained in both{means[0]:11.3f}{means[1]:11.3f}")
        differences = np.subtract.reduce(pairs, axis=1)
        print(f"  difference                    {'':11}{means[1] - means[0]:+11.3f}")
        if len(pairs) > 1:
            error = differences.std(ddof=1) / len(pairs) ** 0.5
            print(f"  its standard error            {'':11}{error:11.3f}")
    print(f"  trained to the end            {count:11d}{len(pairs):11d}")
    show_stages(found, TARGETS[kind])


def show_stages(found: Comparison, target: float) -> None:
    """Print where both ways spend their time, and which stage is slower than its share allows.

    Its share is the published procedure's time for the stage, divided by the target.
    """
    published = summed(record["seconds"] for record in found.published)
    workers = summed(evaluation.seconds for evaluation in found.evaluations)
    sweep = {stage: seconds / found.workers for stage, seconds in workers.items()}
    rows = []
    for name, theirs, ours in STAGES:
        spent = [sum(map(published.get, theirs)), sum(sweep.get(stage, 0.0) for stage in ours)]
        rows.append((name, *spent))
    totals = sum(found.published_seconds), found.sweep_seconds
    rest = [total - sum(row[i] for row in rows) for i, total in enumerate(totals, 1)]
    print(f"\n  {'seconds':<22}{'published':>10}{'its share':>11}{'sweep':>8}")
    for name, theirs, ours in [*rows, ("start, imports, waiting", *rest)]:
        verdict = f"misses, {theirs / ours:.1f}x" if ours > theirs / target else ""
        print(f"  {name:<22}{theirs:>10.1f}{theirs / target:>11.1f}{ours:>8.1f}  {verdict}")


def summed(records: Iterable[dict[str, float]]) -> dict[str, float]:
    """Return the sum of each stage's seconds."""
    total: Counter[str] = Counter()
    for record in records:
        total.update(record)
    return dict(total)


def main() -> None:
    """Draw, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draw", action="store_true", help="candidates of the whole grid")
    parser.add_argument("--passing", action="store_true", help="candidates that pass the gate")
    parser.add_argument("--count", type=int, default=16, help="how many candidates")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw")
    parser.add_argument("--workers", type=int, default=2, help="workers of sweep run")
    parser.add_argument("--without-limits", action="store_true", help="gate and stop nothing")
    given = parser.parse_args()
    data = os.environ.get("SPEECH_COMMANDS")
    if not data:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    space = Space.load(SPACE).with_data(data, None)
    both = given.draw == given.passing
    for wanted, passing in ((given.draw, False), (given.passing, True)):
        if wanted or both:
            with TemporaryDirectory() as cache:
                os.environ["SWEEP_CACHE"] = cache
                dataset = open_dataset(space.file.dataset.spec())
                drawn = draw(space, dataset, given.count, given.seed, passing)
            limits = not given.without_limits
            found = compare(drawn, space, data, given.workers, limits)
            show("that pass the gate" if passing else "drawn from the whole grid", found)


if __name__ == "__main__":
    main()
