"""What a study costs besides its trials: asking, telling, reading back, the report.

Evaluations are made up; everything else is real: Optuna over SQLite, the search, the page.
Prints a table with a row for each number of finished trials.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweep.candidate import Candidate
from sweep.evaluation import Evaluation, Variant
from sweep.limits import Limit, total_violation, violations
from sweep.metrics import Measured
from sweep.report.page import render
from sweep.space import Space
from sweep.study.samplers import make_sampler
from sweep.study.storage import StudyFolder
from sweep.study.table import table
from sweep.study.trials import ask, finish

TRIALS = (100, 1_000, 5_000)
SAMPLERS = ("ehvi", "tpe", "nsga2", "random", "greedy", "grid")
PAIRS = 10
SPACE = """
dataset: {labels: [stop, go]}
parameters:
  frame_length_in_s: [0.016, 0.032]
  frame_step_in_s: [0.016, 0.032]
  num_mel_bins: {low: 10, high: 40, step: 5}
  num_coefficients: {low: 8, high: 20, step: 2}
  normalization: [none, per_clip]
  alpha: {low: 0.1, high: 1.0, step: 0.1}
  final_sparsity: {low: 0.0, high: 0.8, step: 0.1}
  epochs: [10, 20, 40]
"""


def evaluate(candidate: Candidate, limits: list[Limit]) -> Evaluation:
    """Return a made-up evaluation with as much in it as a real one."""
    width, epochs = candidate.network.width, candidate.training.epochs
    size = 1.5 + width**2 * 0.006 * (1 - 0.8 * candidate.compression.final_sparsity)
    accuracy = round(206 * (1 - 0.5 / width)) / 206
    facts = {"preprocessing_latency_ms": 0.2, "model_latency_ms": 0.1, "size_kb": size}
    facts |= {"tflite_size_kb": 2 * size, "parameters": width, "multiply_adds": 10_000}
    right = round(103 * accuracy)
    found = Measured(facts, ((right, 103 - right), (103 - right, right)))
    values = found.values()
    variant = Variant("float32", values, 0.01, found.exposures(), violations(limits, values))
    feasible = total_violation(variant.violations) == 0
    return Evaluation(
        "feasible" if feasible else "infeasible",
        "" if feasible else "misses a limit",
        (variant,) * 5,
        0,
        original_accuracy=accuracy,
        original_size_kb=4 * size,
        sparsity=0.6,
        losses=tuple(1 / (epoch + 1) for epoch in range(epochs)),
        accuracies=tuple(accuracy - 0.3 / (epoch + 1) for epoch in range(epochs)),
        confusion=((100, 3), (2, 101)),
        mistakes=tuple(f"stop/{i}_nohash_0.flac" for i in range(5)),
        clips=206,
        seconds={"features": 0.2, "training": 5.0, "measurement": 0.5},
    )


def finished_trial(space: Space, parameters: dict[str, object]) -> FrozenTrial:
    """Return a trial as a search would have left it."""
    evaluation = evaluate(space.candidate(parameters), space.limits)
    result = evaluation.result
    assert result is not None
    return create_trial(
        state=TrialState.COMPLETE,
        values=[result[metric] for metric in space.file.objectives],
        params=parameters,
        distributions=space.distributions,
        user_attrs={"evaluation": json.dumps(evaluation.to_json())},
        system_attrs={f"constraints:{name}": v for name, v in result.violations.items()},
    )


def pair_ms(space: Space, folder: StudyFolder, sampler: str) -> float:
    """Return the median milliseconds of asking for a trial and telling its result."""
    with folder.owned():
        study = folder.create(space, make_sampler(space, sampler, 1), {"fingerprint": ""})
        seconds = []
        for _ in range(PAIRS):
            begin = time.perf_counter()
            trial = ask(study, space)
            finish(study, trial, evaluate(space.candidate(trial.params), space.limits))
            seconds.append(time.perf_counter() - begin)
    return 1000 * median(seconds)


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long some work takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    """Fill a study, stopping at each number of trials to measure."""
    space, rng = Space.parse(SPACE), np.random.default_rng(0)
    heads = [*(f"{sampler}, ms" for sampler in SAMPLERS), "status, s", "report, s"]
    print("trials", *(f"{head:>10}" for head in heads))
    with tempfile.TemporaryDirectory() as results:
        folder = StudyFolder(Path(results), "overhead")
        for number in TRIALS:
            with folder.owned():
                study = folder.create(space, make_sampler(space, "random", 0), {"fingerprint": ""})
                missing = number - len(study.get_trials(deepcopy=False))
                draws = (space.draw(rng) for _ in range(10 * number))
                allowed = [draw for draw, _ in zip(filter(space.allows, draws), range(missing))]
                study.add_trials(finished_trial(space, draw) for draw in allowed)
            pairs = [pair_ms(space, folder, sampler) for sampler in SAMPLERS]
            status = seconds_of(lambda: table(folder.record()))
            record = folder.record()
            report = seconds_of(lambda: render(record))
            cells = [f"{pair:10.0f}" for pair in pairs] + [f"{status:10.2f}", f"{report:10.2f}"]
            print(f"{number:6}", *cells, flush=True)


if __name__ == "__main__":
    main()
