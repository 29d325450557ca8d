"""A dataset with more clips of what is no keyword."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.enlarged import Enlarged
from sweep.audio.layout import UNKNOWN
from sweep.errors import DataError
from sweep.space import Space

from ..cli.shell import SPOTTER


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_dataset(Space.parse(SPOTTER).file.dataset.spec())


@pytest.fixture
def clips(tmp_path: Path) -> list[str]:
    """Two clips, and a file that is none."""
    for i, name in enumerate(("a.wav", "b.wav")):
        soundfile.write(tmp_path / name, np.full(16000, 0.25 * (i + 1)), 16000)
    (tmp_path / "c.wav").write_text("no sound")
    return ["a.wav", "b.wav", "c.wav"]


def test_training_has_them_last_as_unknown_and_nothing_else_changes(dataset, clips, tmp_path):
    more = Enlarged.of(dataset, tmp_path, clips)
    for split in ("training", "validation"):
        extra = 2 if split == "training" else 0
        targets, waveforms = more.targets(split), more.waveforms(split, 8000)
        known = dataset.waveforms(split, 8000)
        assert len(targets) == len(waveforms) == len(known) + extra
        np.testing.assert_array_equal(waveforms[: len(known)], known)
        np.testing.assert_array_equal(targets[: len(known)], dataset.targets(split))
        assert set(targets[len(known) :]) <= {dataset.labels.index(UNKNOWN)}
    assert abs(more.waveforms("training", 16000)[-1, 8000] / 2**15 - 0.5) < 0.01
    assert more.fingerprint != dataset.fingerprint


def test_other_clips_are_another_dataset(dataset, clips, tmp_path):
    one = Enlarged.of(dataset, tmp_path, clips[:1])
    assert one.fingerprint != Enlarged.of(dataset, tmp_path, clips).fingerprint


def test_without_a_clip_or_the_label_it_is_refused(dataset, spoken, clips, tmp_path):
    with pytest.raises(DataError, match="has no clip that can be used"):
        Enlarged.of(dataset, tmp_path, clips[2:])
    with pytest.raises(DataError, match="has no _unknown_, which more clips could be of"):
        Enlarged.of(spoken, tmp_path, clips)
