"""What a folder of recordings holds, told by ``data check`` and at the head of ``run``."""

import json
from pathlib import Path

import numpy as np
import pytest

from ..audio.recordings import speakers, tone, write
from .shell import refused, space_file, sweep

SPACE = """
dataset: {source: words, labels: [go, stop], label_from: name}
parameters: {alpha: 0.0625}
limits: {size_kb: "< 0.001"}
search: {sampler: random, trials: 1}
"""


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A flat folder of files named after words; stop was recorded at half the rate."""
    folder = tmp_path / "words"
    shares = {"training": 16, "validation": 4, "testing": 4}
    people = [name for split, count in shares.items() for name in speakers(split, count)]
    for i, speaker in enumerate(people):
        write(folder / f"go.{speaker}_nohash_0.wav", tone(hz=300 + i))
        write(folder / f"stop.{speaker}_nohash_0.wav", tone(hz=400 + i, rate=8000), 8000)
    return folder


def test_names_are_offered_for_words_and_taken(named: Path) -> None:
    line = refused("data", "check", named, cwd=named, code=1)
    assert "label_from: name in the dataset section (sweep data check --label-from name)" in line
    done = sweep("data", "check", named, "--label-from", "name", "--json", cwd=named)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [(label["label"], label["clips"]) for label in told["labels"]] == [
        ("go", 24),
        ("stop", 24),
    ]
    (found,) = told["findings"]
    assert (found["what"], found["words"]) == ("sampling rate", ["go", "stop"])
    assert found["pairs"] == [{"words": ["go", "stop"], "share": 1.0}]


def test_what_may_fool_a_search_is_told_at_its_head(named: Path, tmp_path: Path) -> None:
    done = sweep("run", space_file(tmp_path, SPACE), "--workers", 1, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    told = (
        "confounded: sampling rate: it alone tells 100% of the clips of go (16000 Hz) and"
        " stop (8000 Hz) apart; record all words alike, or search with downsampling_rate"
    )
    assert told in " ".join((done.stdout + done.stderr).split())


def test_words_recorded_alike_are_not_told_of(named: Path, tmp_path: Path) -> None:
    for path in named.glob("stop.*"):
        write(path, tone(hz=float(np.random.default_rng(0).uniform(300, 400))))
    done = sweep("data", "check", named, "--label-from", "name", cwd=named)
    assert done.returncode == 0 and "sampling rate" not in done.stdout


def test_speech_is_cut_into_words_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    said = np.concatenate([np.zeros(8000), tone(0.5), np.zeros(8000)])
    write(tmp_path / "talks/monday.wav", said)
    (tmp_path / "talks/tuesday.wav").write_bytes(b"RIFF")
    done = sweep("data", "cut", "talks", "--out", "words", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["speech-1", "1"]
    assert lines[1] == "skipped unreadable recordings: 1" and "tuesday.wav" in lines[2]
    line = refused("data", "cut", "talks", "--out", "words", cwd=tmp_path, code=1)
    assert line == "sweep: words: has words cut out of speech already; remove them first"
    done = sweep("data", "cut", "talks", "--out", "more", "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"speech-1": 1}
