from collections import Counter

import numpy as np
import pytest

from sweep.audio.dataset import DatasetSpec, open_dataset
from sweep.audio.folds import hold_out
from sweep.audio.layout import label_of
from sweep.errors import DataError

from .recordings import speakers, tone, write

WORDS = ("go", "stop")


@pytest.fixture
def spoken(tmp_path):
    """A data set of nine speakers for training, two for validation and two for testing."""
    for split, count in (("training", 9), ("validation", 2), ("testing", 2)):
        for i, speaker in enumerate(speakers(split, count)):
            for k, word in enumerate(WORDS):
                pitch = 200.0 + 40 * i + 400 * k + len(split)
                write(tmp_path / word / f"{speaker}_nohash_{k}.wav", tone(hz=pitch))
    return open_dataset(DatasetSpec(str(tmp_path), WORDS))


def test_every_clip_but_those_for_testing_is_held_out_once(spoken):
    held = [name for fold in range(4) for name in hold_out(spoken, fold, 4).names("validation")]
    assert Counter(held) == Counter(spoken.names("training") + spoken.names("validation"))


def test_nobody_is_heard_on_both_sides_and_nothing_is_lost(spoken):
    for fold in range(4):
        without = hold_out(spoken, fold, 4)
        sides = [without.names(split) for split in ("training", "validation")]
        who = [{name.split("/")[1].split("_nohash_")[0] for name in side} for side in sides]
        assert not who[0] & who[1]
        assert sum(map(len, sides)) == spoken.counts["training"] + spoken.counts["validation"]
        assert without.listed["testing"] == spoken.listed["testing"]
        assert "testing" not in without.readings


def test_folds_are_about_as_large_as_each_other(spoken):
    counts = [hold_out(spoken, fold, 4).counts["validation"] for fold in range(4)]
    assert max(counts) - min(counts) <= len(WORDS)


def test_a_clip_sounds_and_is_labelled_as_before(spoken):
    def sounds(dataset):
        return {
            name: (waveform.tobytes(), int(target))
            for split in ("training", "validation")
            for name, waveform, target in zip(
                dataset.names(split),
                np.asarray(dataset.waveforms(split, 8000)),
                dataset.targets(split),
                strict=True,
            )
        }

    without = hold_out(spoken, 1, 3)
    assert sounds(without) == sounds(spoken)
    assert all(WORDS[target] == label_of(name) for name, (_, target) in sounds(without).items())


def test_what_is_computed_of_one_fold_is_not_taken_for_that_of_another(spoken):
    prints = {hold_out(spoken, fold, 4).fingerprint for fold in range(4)}
    assert len(prints | {spoken.fingerprint}) == 5


def test_the_speakers_of_a_fold_do_not_depend_on_the_split_they_come_from(spoken):
    turned = hold_out(hold_out(spoken, 2, 4), 0, 4)
    assert turned.names("validation") and set(turned.names("validation")) == set(
        hold_out(spoken, 0, 4).names("validation")
    )


def test_too_few_speakers_for_so_many_folds_are_told(spoken):
    with pytest.raises(DataError, match="11 speakers are too few for 12 folds.*--folds 0"):
        hold_out(spoken, 11, 12)


def test_the_real_recordings_are_dealt_by_speaker(speech_commands):
    spoken = open_dataset(DatasetSpec(str(speech_commands), ("stop", "go")))
    without = hold_out(spoken, 0, 5)
    assert sum(without.counts[split] for split in ("training", "validation")) == 1788
    assert without.counts["validation"] == pytest.approx(1788 / 5, rel=0.1)
