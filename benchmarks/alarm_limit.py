"""What a search exports with a limit of false alarms, and without.

    SPEECH_COMMANDS=FOLDER python benchmarks/alarm_limit.py

Six networks of ``search_spaces/keyword.yaml`` are trained on go and stop, on other words and on
near misses; ``speech_commands_more``, the other words, lies beside ``FOLDER``; one of them is never
trained on.  A search of clips takes the smallest that classifies enough of them correctly, and
detects what is more likely than not; a search of streams takes the smallest with few enough misses
within the limit of false alarms.  Both see the same trainings, and validation clips and streams
only.
"""

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from spotter import SPACE, open_set, put_other_words

import sweep
from sweep.audio.dataset import Dataset
from sweep.deployed import measure_files
from sweep.detection import Detection
from sweep.limits import Limit
from sweep.metrics import METRICS

CHOSEN = {
    "frame_step_in_s": 0.02,
    "num_mel_bins": 16,
    "num_coefficients": 12,
    "quantization": "int8",
}
NETWORKS = [(alpha, blocks) for alpha in (0.1, 0.15, 0.2) for blocks in (3, 4)]
ALARMS = Limit("false_alarms_per_hour", "<=", 5.0)
MOST_MISSES, LEAST_ACCURACY = 0.5, 0.9
HELD_OUT, SHARE = ("right",), 1.5
LIKELIER_THAN_NOT = 0.5


@dataclass(frozen=True)
class Trial:
    """A network: its size, accuracy, what it detects as a classifier and within the limit."""

    name: str
    size_kb: float
    accuracy: float
    classifying: Detection
    limited: Detection


def main() -> None:
    """Train the networks, print each, and which of them either search would export."""
    recordings = Path(os.environ["SPEECH_COMMANDS"]).absolute()
    with tempfile.TemporaryDirectory() as others:
        put_other_words(recordings, Path(others), HELD_OUT, near_misses=True)
        dataset = open_set(recordings, Path(others), SHARE, HELD_OUT)
        trials = [train(dataset, alpha, blocks) for alpha, blocks in NETWORKS]
    print(f"{'network':<22}{'KB':>6}{'accuracy':>10}   more likely than not        {ALARMS}")
    for one in trials:
        cells = f"{told(one.classifying):<28}{told(one.limited)}"
        print(f"{one.name:<22}{one.size_kb:>6.2f}{one.accuracy:>10.3f}   {cells}")
    smallest = sorted(trials, key=lambda one: one.size_kb)
    of_clips = next((one for one in smallest if one.accuracy >= LEAST_ACCURACY), None)
    of_streams = next((one for one in smallest if one.limited.miss_rate <= MOST_MISSES), None)
    print(f"accuracy >= {LEAST_ACCURACY}: " + (of_clips.name if of_clips else "none"))
    if of_clips:
        print(f"  exported without a limit of false alarms: {told(of_clips.classifying)}")
    print(f"{ALARMS}, miss_rate <= {MOST_MISSES}: " + (of_streams.name if of_streams else "none"))
    if of_streams:
        print(f"  exported with it: {told(of_streams.limited)}")


def train(dataset: Dataset, alpha: float, blocks: int) -> Trial:
    """Return a network trained, and what it detects in the validation stream."""
    space = sweep.Space.load(SPACE)
    own = CHOSEN | {"alpha": alpha, "blocks": blocks}
    parameters = space.file.parameters | own
    space = sweep.Space(space.file.model_copy(update={"parameters": parameters}), space.origin)
    candidate = space.candidate({})
    evaluation, files = sweep.evaluate(candidate, dataset, [ALARMS])
    result = evaluation.result
    found = [
        measure_files(
            files, dataset, "validation", candidate.frontend, point, {}, space
        ).measured.detected
        for point in (replace(result.point, threshold=LIKELIER_THAN_NOT), result.point)
    ]
    name = f"alpha {alpha:g}, {blocks} blocks"
    return Trial(name, result["tflite_size_kb"], result["accuracy"], *found)


def told(found: Detection) -> str:
    """Return false alarms an hour with their interval, and misses."""
    rate = found.false_alarms_per_hour
    low, high = METRICS[ALARMS.metric].interval(rate, found.hours)
    return f"{rate:.0f} ({low:.0f}-{high:.0f}) an hour, {found.miss_rate:.0%} missed"


if __name__ == "__main__":
    main()
