"""The winner's total latency: the published procedure's, and what is deployed here.

    SPEECH_COMMANDS=FOLDER python benchmarks/latency.py

Front end plus network, median over the validation clips, one clip at a time: (a) the published
procedure, whose front end runs eagerly in TensorFlow, in a process of its own; (b) front end and
network as LiteRT graphs, one thread.  The published figure on its authors' machine was 4.75 ms.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from sweep.arrays import to_float
from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.candidate import Candidate
from sweep.frontends.compute import convert_frontend
from sweep.litert import Model, measure_latency
from sweep.stages.compression import compress

PROCEDURE = Path(__file__).with_name("published_procedure.py")


def main() -> None:
    """Print both latencies by part, and their ratio."""
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        sys.exit("SPEECH_COMMANDS does not name the folder of recordings")
    published = measure_published(folder)
    deployed = measure_deployed(folder)
    print(f"{'ms':<24}{'front end':>12}{'network':>10}{'total':>10}")
    for name, (front, network) in {"published": published, "deployed": deployed}.items():
        print(f"{name:<24}{front:>12.3f}{network:>10.4f}{front + network:>10.3f}")
    print(f"{'ratio':<24}{sum(published) / sum(deployed):>32.1f}x")


def measure_published(folder: str) -> tuple[float, float]:
    """Return the latencies the published procedure measures of its winner, in ms."""
    parameters = json.dumps({"epochs": 1})
    command = [sys.executable, str(PROCEDURE), "--parameters", parameters, "--data", folder]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = json.loads(told.strip().splitlines()[-1])
    return found["preprocessing_latency_ms"], found["model_latency_ms"]


def measure_deployed(folder: str) -> tuple[float, float]:
    """Return the latencies of the LiteRT graphs that an export holds, in ms."""
    dataset = open_dataset(DatasetSpec(folder, ("stop", "go")))
    candidate = Candidate()
    rate = candidate.frontend.downsampling_rate
    clips = to_float(dataset.waveforms("validation", rate))
    frontend = convert_frontend(candidate.frontend)
    features = Model(frontend).run_each(clips)
    architecture = candidate.network.architecture(candidate.frontend.shape, 2)
    weights = architecture.initial_weights(seed=0)
    network = compress(architecture, weights, ("float32",), features[..., 0])["float32"]
    parts = [measure_latency(frontend, clips), measure_latency(network, features)]
    return parts[0].median_ms, parts[1].median_ms


if __name__ == "__main__":
    main()
