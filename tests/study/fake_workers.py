"""Workers that return computed evaluations at once, so that a search takes no time.

Wide networks are more accurate and larger; sparsity makes them smaller.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from sweep.candidate import Candidate
from sweep.evaluation import Evaluation, Variant
from sweep.limits import Limit, total_violation, violations
from sweep.metrics import Measured, metrics_of
from sweep.space import Space
from sweep.study.task import Rules
from sweep.study.workers import Result

SPACE = """
dataset: {labels: [stop, go]}
parameters:
  frame_length_in_s: [0.016, 0.032]
  num_mel_bins: {low: 10, high: 30, step: 5}
  num_coefficients: {low: 8, high: 20, step: 4}
  noise_snr_db: [null, 5]
  alpha: {low: 0.08, high: 1.0, log: true}
  final_sparsity: {low: 0.0, high: 0.8}
limits: {accuracy: ">= 0.95", latency_ms: "<= 8", size_kb: "< 25"}
search: {sampler: random, trials: 12, seed: 3}
"""

FINITE = """
dataset: {labels: [stop, go]}
parameters: {num_mel_bins: [10, 20], num_coefficients: [10, 13], alpha: [0.25, 0.5, 1.0]}
limits: {accuracy: ">= 0.9", size_kb: "< 25"}
search: {sampler: random, trials: 100, seed: 3}
"""


def make_space(text: str = SPACE, **search) -> Space:
    """Return a search space, with some of its search options replaced."""
    return Space.parse(text, "space.yaml").with_search(**search)


def evaluate(candidate: Candidate, limits: list[Limit]) -> Evaluation:
    """Return a computed evaluation, the same for equal candidates."""
    width, sparsity = candidate.network.width, candidate.compression.final_sparsity
    size = (1.5 + width**2 * 0.02 * (1 - 0.8 * sparsity)) * candidate.network.blocks / 2
    latency = 0.1 + 0.002 * width + 0.01 * candidate.frontend.num_mel_bins
    facts = {
        "preprocessing_latency_ms": 0.1,
        "model_latency_ms": latency - 0.1,
        "size_kb": size,
        "tflite_size_kb": size,
        "parameters": width,
        "multiply_adds": 1,
        "arena_kb": size,
    }
    known = _judged(Measured(facts, None, metrics_of(())), limits)
    if total_violation(known.violations) > 0:
        return Evaluation("gated", "too large", (known,), 0)
    wrong = 206 - round(206 * (1 - 1 / (1 + width)))
    confusion = ((103 - wrong // 2, wrong // 2), (wrong - wrong // 2, 103 - wrong + wrong // 2))
    known = _judged(Measured(facts, confusion, metrics_of(())), limits)
    accuracy = 1 - wrong / 206
    feasible = total_violation(known.violations) == 0
    return Evaluation(
        "feasible" if feasible else "infeasible",
        "" if feasible else "misses accuracy",
        (known,),
        0,
        original_accuracy=accuracy,
        losses=(0.5, 0.25),
        accuracies=(0.5, accuracy),
        confusion=confusion,
        clips=206,
        seconds={"training": 1.0},
    )


def _judged(found: Measured, limits: list[Limit]) -> Variant:
    values = found.values()
    return Variant("float32", values, 0.01, found.exposures(), violations(limits, values))


FEASIBLE = evaluate(Candidate.from_parameters({"alpha": 0.25}), make_space().limits)
ENDINGS = {
    "feasible": FEASIBLE,
    "infeasible": replace(FEASIBLE, outcome="infeasible", reason="misses accuracy"),
    "gated": evaluate(Candidate.from_parameters({"alpha": 1.0}), make_space().limits),
    "stopped": replace(FEASIBLE, outcome="stopped", reason="out of reach"),
    "invalid": Evaluation("invalid", "num_coefficients: too many"),
    "failed": Evaluation("failed", "killed its worker 2 times"),
}
"""An evaluation of each outcome."""


class FakeWorkers:
    """Replace the workers; ``submitted`` and ``rules`` hold the requests by trial number.

    Args:
        space: its limits are checked.
        capacity: how many candidates run at once.
        work: evaluates a candidate.
    """

    def __init__(
        self,
        space: Space,
        capacity: int = 2,
        work: Callable[[Candidate, list[Limit]], Evaluation] = evaluate,
    ) -> None:
        self.limits, self.capacity, self.work = space.limits, capacity, work
        self.submitted: dict[int, Candidate] = {}
        self.rules: dict[int, Rules] = {}
        self.most_busy = 0
        self._waiting: deque[int] = deque()

    @property
    def busy(self) -> int:
        """How many candidates are submitted and not yet evaluated."""
        return len(self._waiting)

    def submit(self, number: int, candidate: Candidate, rules: Rules = ()) -> None:
        """Queue a candidate."""
        assert number not in self.submitted
        self.submitted[number], self.rules[number] = candidate, rules
        self._waiting.append(number)
        self.most_busy = max(self.most_busy, self.busy)

    def wait(self, timeout: float) -> Result | None:
        """Return the result of the candidate queued first."""
        number = self._waiting.popleft()
        evaluation = self.work(self.submitted[number], self.limits)
        files = {"model.tflite": b"model of %d" % number}
        return Result(number, evaluation, files if evaluation.outcome == "feasible" else {})
