"""What a core is said to take before training, against the trained network; and one arithmetic.

    SPEECH_COMMANDS=FOLDER python benchmarks/device.py [--shapes 40] [--core cortex-m4]

Draws candidates from ``SPACE`` and counts each untrained, as the gate does.  Then each is trained,
written as C with its own weights, and emulated on a validation clip.  It prints how far the counts
were off, how many candidates were gated under ``LIMITS`` that would have fitted, how long a gate
takes where the shape is known, and how counts of one network differ from clip to clip.

The trained networks are then run on the validation clips in LiteRT's default and in its reference
kernels: how often they predict something else, and what the latter cost.
"""

import argparse
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.c import SOURCES
from sweep.c.classifier import classifier_source
from sweep.c.cores import Target
from sweep.c.emulator import Costs, emulate
from sweep.candidate import Candidate
from sweep.limits import violations
from sweep.litert import Model
from sweep.metrics import ON_CORE
from sweep.space import Space
from sweep.stages.compression import compress
from sweep.stages.features import prepare_features
from sweep.stages.gate import expect, passes
from sweep.stages.measurement import Bench
from sweep.stages.on_core import Counted
from sweep.stages.training import train

SPACE = """
dataset: {labels: [stop, go]}
target: %s
parameters:
  frontend: [mfcc, log_mel]
  frame_length_in_s: [0.016, 0.032, 0.040]
  frame_step_in_s: [0.016, 0.020, 0.032]
  num_mel_bins: {low: 10, high: 40}
  num_coefficients: {low: 8, high: 20}
  nonlinearity: [log, cube_root]
  normalization: [per_coefficient, per_clip]
  network: [temporal, depthwise_separable, standard, tc_resnet]
  alpha: {low: 0.05, high: 0.25, log: true}
  width: {low: 0.25, high: 0.6, log: true}
  blocks: [1, 2, 3]
  epochs: 5
  final_sparsity: [0.0, 0.5]
  quantization: [int8, int8_per_tensor]
require: [num_coefficients <= num_mel_bins]
limits: {flash_kb: "<= 16", ram_kb: "<= 8", instructions: "<= 5e6"}
objectives: {accuracy: maximize, flash_kb: minimize}
"""
CLIPS = 5
SPREADS = 2


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        files: its ``.tflite`` by quantization.
        costs: what each takes on the core.
        features: those of the validation clips.
        sources: its C files, by quantization.
    """

    files: dict[str, bytes]
    costs: dict[str, Costs]
    features: np.ndarray
    sources: dict[str, dict[str, str]]


def main() -> None:
    """Print how far counts are off, what gates cost, and what the reference kernels change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", type=int, default=40)
    parser.add_argument("--core", default="cortex-m4")
    wanted = parser.parse_args()
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    dataset = open_dataset(DatasetSpec(folder, ("stop", "go")))
    space, rng = Space.parse(SPACE % wanted.core), np.random.default_rng(0)
    errors: dict[str, list[float]] = {name: [] for name in ON_CORE}
    gates, counting, gated, lost, spread = [], [], 0, 0, []
    changed: list[Changed] = []
    for _ in range(wanted.shapes):
        values = next(one for one in iter(lambda: space.draw(rng), None) if space.allows(one))
        candidate = with_one_quantization(space.candidate(values), rng)
        architecture = candidate.network.architecture(candidate.frontend.shape, 2)
        bench = Bench(
            candidate,
            architecture,
            dataset,
            space.limits,
            space.metrics,
            target=Target(wanted.core),
        )
        begun = time.perf_counter()
        expect(bench, every=True)
        counting.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        expected = expect(bench)
        gates.append(1000 * (time.perf_counter() - begun))
        trained = learn(bench, dataset)
        for name, costs in trained.costs.items():
            known = Counted(candidate, architecture, name, Target(wanted.core)).costs().metrics
            for metric in ON_CORE:
                errors[metric].append(known[metric] / costs.metrics[metric] - 1)
        if not passes(expected, space.metrics):
            gated += 1
            fitting = [violations(space.limits, one.metrics) for one in trained.costs.values()]
            lost += any(max(broken.values()) <= 0 for broken in fitting)
        if len(spread) < SPREADS:
            spread.append(from_clip_to_clip(bench, trained, dataset))
        changed += compare(trained, dataset.targets("validation"))
        (variant,), (costs,) = expected, trained.costs.values()
        numbers = ", ".join(
            f"{m} {variant[m]:.6g} ({costs.metrics[m]:.6g} trained)" for m in ON_CORE
        )
        print(f"{candidate.chosen('network')}, {variant.quantization}: {numbers}", flush=True)
    print(f"{wanted.core}, {wanted.shapes} shapes")
    for metric, found in errors.items():
        off = np.abs(found)
        print(f"{metric:14}off by {np.median(off):.3%} at the median, at most {off.max():.3%}")
    print(f"gated {gated}; of these {lost} would have fitted")
    print(f"instructions from clip to clip: {', '.join(f'{one:.3%}' for one in spread)}")
    print(f"counting a shape anew, all of the gate: {np.median(counting):.1f} s")
    print(f"gate of a known shape: {np.median(gates):.1f} ms, at most {max(gates):.1f} ms")
    tell(changed)


def with_one_quantization(candidate: Candidate, rng: np.random.Generator) -> Candidate:
    """Return a candidate with one of its quantizations."""
    one = (str(rng.choice(candidate.compression.quantization)),)
    return replace(candidate, compression=replace(candidate.compression, quantization=one))


def learn(bench: Bench, dataset: Dataset) -> Trained:
    """Train a candidate, and emulate every variant of it."""
    candidate, architecture, labels = bench.candidate, bench.architecture, dataset.labels
    features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
    targets = dataset.targets("training"), dataset.targets("validation")
    trained = train(
        candidate,
        architecture,
        features.training,
        targets[0],
        (features.validation, targets[1]),
        lambda progress: "",
    )
    names = candidate.compression.quantization
    files = compress(architecture, trained.weights, names, features.training[0], True)
    clip = dataset.waveforms("validation", candidate.frontend.downsampling_rate)[0]
    costs, sources = {}, {}
    for name, content in files.items():
        source = classifier_source(
            candidate.frontend, features.mean, features.deviation, content, labels
        ).files
        sources[name] = {file: source[file] for file in SOURCES}
        costs[name], _ = emulate(
            sources[name], [clip], np.dtype(np.int8), (len(labels),), bench.target.core
        )
    return Trained(files, costs, features.validation[..., None], sources)


def from_clip_to_clip(bench: Bench, trained: Trained, dataset: Dataset) -> float:
    """Return by what share the instructions of one network differ over some clips, at most."""
    clips = dataset.waveforms("validation", bench.candidate.frontend.downsampling_rate)[:CLIPS]
    (source, *_), shape = trained.sources.values(), (len(dataset.labels),)
    counts = [
        emulate(source, [clip], np.dtype(np.int8), shape, bench.target.core)[0] for clip in clips
    ]
    instructions = [one.metrics["instructions"] for one in counts]
    return max(instructions) / min(instructions) - 1


@dataclass(frozen=True)
class Changed:
    """What the reference kernels make of a network's clips, against the default ones.

    Attributes:
        clips, outputs, labels: how many clips, with another output, with another label.
        accuracies: by the default and by the reference kernels.
        ms: of a clip in each.
    """

    clips: int
    outputs: int
    labels: int
    accuracies: tuple[float, float]
    ms: tuple[float, float]


def compare(trained: Trained, truth: np.ndarray) -> list[Changed]:
    """Run every variant in both kernels."""
    found = []
    for content in trained.files.values():
        outputs, ms = [], []
        for reference in (False, True):
            model = Model(content, reference)
            begun = time.perf_counter()
            outputs.append(model.run(trained.features))
            ms.append(1000 * (time.perf_counter() - begun) / len(truth))
        labels = [one.argmax(axis=1) for one in outputs]
        found.append(
            Changed(
                len(truth),
                int((outputs[0] != outputs[1]).any(axis=1).sum()),
                int((labels[0] != labels[1]).sum()),
                (float(np.mean(labels[0] == truth)), float(np.mean(labels[1] == truth))),
                (ms[0], ms[1]),
            )
        )
    return found


def tell(changed: list[Changed]) -> None:
    """Print what the reference kernels change over all networks, and what they cost."""
    clips = sum(one.clips for one in changed)
    outputs, labels = sum(one.outputs for one in changed), sum(one.labels for one in changed)
    differences = [after - before for before, after in (one.accuracies for one in changed)]
    print(f"{len(changed)} int8 networks, {clips} clips: the reference kernels give another output")
    print(f"for {outputs / clips:.1%} of them, another label for {labels} ({labels / clips:.2%});")
    other = Counter(difference != 0 for difference in differences)[True]
    print(f"another accuracy for {other} networks, at most by {np.abs(differences).max():.4f},")
    print(f"on average by {np.mean(differences):+.5f}")
    before, after = (np.array([one.ms[i] for one in changed]) for i in (0, 1))
    print(f"a clip takes {np.median(before):.3f} ms, then {np.median(after):.3f} ms; of a network")
    print(f"that is slow {before.max():.2f} and {after.max():.2f} ms")


if __name__ == "__main__":
    main()
