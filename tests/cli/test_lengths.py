"""A sweep over clips that are no second long, from recordings to predictions."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep.audio import dataset
from sweep.audio.clips import loudest_part, read_whole
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.location import locate
from sweep.cli.searching import run
from sweep.study.storage import StudyFolder

from .shell import CLEAR, SPACE, refused, space_file, sweep

RATE = 16000
TEXT = (
    SPACE.replace("source: synthetic", "source: clips\n  clip_length_in_s: auto")
    .replace("  clips_per_label: 60\n  lowest_snr_db: 10\n  highest_snr_db: 30\n", "")
    .replace("trials: 4", "trials: 1")
    .replace(">= 0.7", ">= 0.5")
    .replace("[0.0625, 0.125, 0.25]", "0.25")
)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clips of 0.5 s at 8 kHz, and a study of them that goes by their length."""
    folder = tmp_path_factory.mktemp("lengths")
    spec = DatasetSpec("synthetic", ("stop", "go"), clip_length_in_s=0.5, parameters=CLEAR)
    for path in locate(spec).rglob("*.wav"):
        copy = folder / "clips" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(copy, read_whole(path, RATE // 2), RATE // 2)
    done = sweep("run", space_file(folder, TEXT), "--workers", 1, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "12 clips of 0.5 s, speaker-disjoint" in done.stderr + done.stdout
    done = sweep("export", "words", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_what_is_exported_takes_clips_of_that_length(swept: Path) -> None:
    metadata = json.loads((swept / "out/metadata.json").read_text())
    assert metadata["clip"] == {"length_in_s": 0.5, "samples": 8000}
    assert metadata["tensors"]["frontend.tflite"]["input"]["shape"] == [1, 8000]


def test_of_a_longer_recording_the_loudest_part_of_that_length_counts(swept: Path) -> None:
    word = read_whole(next(swept.glob("clips/go/*")), RATE)
    padded = np.pad(word, (7000, 20000)) + 1e-4
    soundfile.write(swept / "long.wav", padded, RATE)
    soundfile.write(swept / "part.wav", loudest_part([padded], 8000), RATE)
    told = json.loads(sweep("predict", "out", "long.wav", "part.wav", "--json", cwd=swept).stdout)
    assert told[0]["probabilities"] == pytest.approx(told[1]["probabilities"], abs=0.01)


def test_a_study_keeps_the_length_it_began_with(
    swept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(swept)
    monkeypatch.setattr(dataset, "typical_length", lambda lengths: 0.7)
    run(Path("words.yaml"), workers=1)
    assert StudyFolder(Path("results"), "words").record().space.clip_length_in_s == 0.5


def test_a_study_does_not_go_on_with_another_length(swept: Path) -> None:
    file = space_file(swept, TEXT.replace("auto", "0.6"), "longer.yaml")
    line = refused("run", file, "--study", "words", "--workers", 1, cwd=swept, code=1)
    assert "made with dataset.clip_length_in_s = 0.5, now it is 0.6" in line
