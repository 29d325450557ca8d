"""Memory and time of a sweep over as many clips as Speech Commands has, and over a tenth of them.

    python benchmarks/large.py [--clips 10000 100000] [--trials 4] [--folder FOLDER]

Speaks so many clips of 35 words, checks their folder, runs a sweep over them with one worker and
writes its page, in a cache and a results folder of its own (about 15 GB for 100,000 clips).  Of
every process it takes the seconds of processor time and the largest resident memory, several times
a second.  Prints a table with a column for each number of clips.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from sweep.study.storage import StudyFolder

WORDS = (
    "backward bed bird cat dog down eight five follow forward four go happy house learn left marvin"
    " nine no off on one right seven sheila six stop three tree two up visual wow yes zero"
).split()
SPACE = """
dataset:
  labels: [{labels}]
  clips_per_label: {each}
  lowest_snr_db: 5
  highest_snr_db: 30
parameters:
  frame_step_in_s: 0.02
  num_mel_bins: 16
  num_coefficients: 12
  normalization: per_clip
  time_shift_ms: 100
  noise_snr_db: 5
  gain_db: 6
  network: temporal
  alpha: [0.08, 0.1, 0.12, 0.16]
  epochs: 2
  batch_size: 100
  quantization: [float32, int8]
limits: {{accuracy: ">= 0.01", size_kb: "< 25"}}
search: {{sampler: grid, trials: {trials}}}
"""
SPEAK = """
import sys
from sweep.audio.synthesis import synthesize
print(synthesize(sys.argv[2:], int(sys.argv[1]), (5.0, 30.0)))
"""
SWEEP = str(Path(sys.executable).with_name("sweep"))
MAY_END_WITH = (0, 3)
"""Done, or nothing feasible, which two epochs may lead to."""
TICK_IN_S = 0.1


@dataclass
class Use:
    """What a command took; of each kind of process seconds of processor time, and MB at most."""

    output: str
    seconds: float
    processor_s: dict[str, float]
    peak_mb: dict[str, float]


def main() -> None:
    """Print a row for each step, each stage and each kind of process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--folder", type=Path, help="where cache and results go")
    given = parser.parse_args()
    columns = []
    with tempfile.TemporaryDirectory(prefix="sweep-large-", dir=given.folder) as folder:
        for clips in given.clips:
            columns.append(measure(Path(folder) / str(clips), clips, given.trials))
            print(f"{clips:,} clips: {columns[-1]}", file=sys.stderr)
    print(f"| | {' | '.join(f'{clips:,} clips' for clips in given.clips)} |")
    print(f"|---|{'---|' * len(columns)}")
    for row in columns[-1]:
        print(f"| {row} | {' | '.join(column.get(row, '') for column in columns)} |")


def measure(folder: Path, clips: int, trials: int) -> dict[str, str]:
    """Return what each step took for so many clips, by the name of its row."""
    folder.mkdir()
    os.environ["SWEEP_CACHE"] = str(folder / "cache")
    each, labels = clips // len(WORDS), ", ".join(map(repr, WORDS))
    (folder / "large.yaml").write_text(SPACE.format(labels=labels, each=each, trials=trials))
    steps = {"speaking": watch([sys.executable, "-c", SPEAK, str(each), *WORDS], folder)}
    spoken = steps["speaking"].output.strip()
    steps["`data check`"] = watch([SWEEP, "data", "check", spoken], folder)
    steps[f"`run`, {trials} trials"] = watch([SWEEP, "run", "large.yaml", "--workers", "1"], folder)
    steps["`report`"] = watch([SWEEP, "report", "large"], folder)
    rows = {f"{name}, s": f"{use.seconds:.0f}" for name, use in steps.items()}
    stages: defaultdict[str, float] = defaultdict(float)
    for trial in StudyFolder(folder / "results", "large").record().trials:
        for stage, seconds in trial.evaluation.seconds.items():
            stages[stage] += seconds
    rows |= {f"of `run`: {stage}, s": f"{seconds:.0f}" for stage, seconds in stages.items()}
    for name, use in steps.items():
        for kind, peak in use.peak_mb.items():
            rows[f"{name}: {kind}, s of processor"] = f"{use.processor_s[kind]:.0f}"
            rows[f"{name}: {kind}, MB at most"] = f"{peak:.0f}"
    return rows


def watch(command: list[str], folder: Path) -> Use:
    """Run a command, and look at it and the processes it starts until it ends."""
    begin, peak_mb = time.monotonic(), defaultdict[str, float](float)
    spent: dict[psutil.Process, tuple[str, float]] = {}
    with (
        tempfile.TemporaryFile("w+") as output,
        subprocess.Popen(command, cwd=folder, stdout=output) as started,
    ):
        root = psutil.Process(started.pid)
        while started.poll() is None:
            for process in [root, *root.children(recursive=True)]:
                with suppress(psutil.Error), process.oneshot():
                    kind = "itself" if process == root else kind_of(process.cmdline())
                    if kind == "others" and process in spent:  # It is about to end.
                        kind = spent[process][0]
                    times = process.cpu_times()
                    spent[process] = kind, times.user + times.system
                    peak_mb[kind] = max(peak_mb[kind], process.memory_info().rss / 2**20)
            time.sleep(TICK_IN_S)
        output.seek(0)
        said = output.read()
    if started.returncode not in MAY_END_WITH:
        sys.exit(f"{' '.join(command[:3])} ended with {started.returncode}")
    processor_s = defaultdict[str, float](float)
    for kind, seconds in spent.values():
        processor_s[kind] += seconds
    return Use(said, time.monotonic() - begin, processor_s, peak_mb)


def kind_of(command: list[str]) -> str:
    """Return what a process started by another is for."""
    line = " ".join(command)
    kinds = {"espeak.py": "eSpeak NG", "spawn_main": "worker"}
    return next((kind for part, kind in kinds.items() if part in line), "others")


if __name__ == "__main__":
    main()
