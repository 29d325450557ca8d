"""A shell that runs ``sweep`` as people do, on a small space of spoken words."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.location import locate

SWEEP = Path(sys.executable).with_name("sweep")

CLEAR = {"clips_per_label": 60, "lowest_snr_db": 10.0, "highest_snr_db": 30.0}
"""Synthetic words that are learnt in a second."""

SPACE = """
dataset:
  source: synthetic
  labels: [stop, go]
  clips_per_label: 60
  lowest_snr_db: 10
  highest_snr_db: 30
parameters:
  alpha: [0.0625, 0.125, 0.25]
  final_sparsity: {low: 0.0, high: 0.5}
  normalization: per_clip
  epochs: 30
  batch_size: 10
  quantization: [float32, int8_per_tensor]
limits: {accuracy: ">= 0.7", latency_ms: "<= 50", size_kb: "< 25"}
search: {trials: 4, seed: 1}
"""

SPOTTER = """
dataset:
  source: synthetic
  labels: [stop, go]
  clips_per_label: 60
  lowest_snr_db: 10
  highest_snr_db: 30
  unknown: {words: [left, house], held_out: 0, share: 1.0}
  streams: {hours: 0.05, snr_db: [10, 30]}
parameters: {alpha: 0.25, normalization: per_clip, epochs: 30, batch_size: 10, quantization: int8}
limits: {false_alarms_per_hour: "<= 60", tflite_size_kb: "<= 60"}
objectives: {miss_rate: minimize, detection_delay_ms: minimize}
search: {trials: 1, seed: 1}
"""


def sweep(*arguments: object, cwd: Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    command = [str(SWEEP), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout)


def sweep_bytes(*arguments: object, content: bytes) -> bytes:
    """Return what a command prints that reads from a pipe."""
    command = [str(SWEEP), *map(str, arguments)]
    done = subprocess.run(command, input=content, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(*arguments: object, cwd: Path, code: int) -> str:
    """Return the one line a command refuses with."""
    done = sweep(*arguments, cwd=cwd)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith(("sweep: ", "Error: "))]
    assert len(said) == 1 and said[0] == done.stderr.splitlines()[-1], done.stderr
    return said[0]


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """Mount a disk of 300 KB."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def read_only(folder: Path, place: Path) -> Iterator[Path]:
    """Show a folder at another place, where nothing can be written."""
    place.mkdir()
    for mount in (["--bind", folder, place], ["-o", "remount,ro,bind", place]):
        if subprocess.run(["mount", *map(str, mount)], capture_output=True).returncode != 0:
            pytest.skip("a disk can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def space_file(folder: Path, text: str = SPACE, name: str = "words.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def clips(split: str) -> list[str]:
    """Return the files of a split of the built-in spoken words."""
    spec = DatasetSpec("synthetic", ("stop", "go"), parameters=CLEAR)
    folder = locate(spec)
    return [str(folder / name) for name in open_dataset(spec).names(split)]
