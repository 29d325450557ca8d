from collections import Counter

import numpy as np
import pytest

from sweep.audio.dataset import open_dataset, read_splits
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.folds import deal, hold_out
from sweep.audio.layout import label_of

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


def folds_of(dataset, count):
    return [hold_out(dataset, held) for held in deal(dataset, count)]


def who(names):
    return {name.split("/")[1].split("_nohash_")[0] for name in names}


def test_every_clip_but_those_for_testing_is_held_out_once(spoken):
    held = [name for without in folds_of(spoken, 4) for name in without.names("validation")]
    assert Counter(held) == Counter(spoken.names("training") + spoken.names("validation"))


def test_nobody_is_on_both_sides_and_nothing_is_lost(spoken):
    for without in folds_of(spoken, 4):
        sides = [without.names(split) for split in ("training", "validation")]
        assert not who(sides[0]) & who(sides[1])
        assert sum(map(len, sides)) == spoken.counts["training"] + spoken.counts["validation"]
        assert without.listed["testing"] == spoken.listed["testing"]
        assert "testing" not in without.readings


def test_folds_are_about_as_large_as_each_other(spoken):
    counts = [without.counts["validation"] for without in folds_of(spoken, 4)]
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

    without = folds_of(spoken, 3)[1]
    assert sounds(without) == sounds(spoken)
    assert all(WORDS[target] == label_of(name) for name, (_, target) in sounds(without).items())


def test_what_is_computed_of_one_fold_is_not_taken_for_that_of_another(spoken):
    prints = {without.fingerprint for without in folds_of(spoken, 4)}
    assert len(prints | {spoken.fingerprint}) == 5


def test_the_speakers_of_a_fold_do_not_depend_on_the_split_they_come_from(spoken):
    turned = folds_of(spoken, 4)[2]
    assert [sorted(held) for held in deal(turned, 4)] == [sorted(held) for held in deal(spoken, 4)]


def test_with_fewer_speakers_than_folds_each_is_left_out_once(spoken):
    dealt = deal(spoken, 30)
    assert len(dealt) == 11 and all(len(who(held)) == 1 for held in dealt)


def test_there_are_only_as_many_folds_as_can_have_every_word(spoken):
    named = {split: spoken.names(split) for split in ("training", "validation")}
    few = [name for name in named["training"] if label_of(name) == "stop"][:2]
    kept = [name for name in named["training"] if label_of(name) == "go"] + few
    listed = {
        "training": kept,
        "validation": named["validation"],
        "testing": spoken.listed["testing"],
    }
    # Two speakers of training say "stop", and both of validation.
    assert len(deal(read_splits(spoken.spec, listed), 30)) == 4


def test_the_recordings_of_a_single_speaker_are_dealt(tmp_path):
    for i in range(10):
        for k, word in enumerate(WORDS):
            write(tmp_path / word / f"anna_nohash_{i}.wav", tone(hz=200 + 20 * i + 7 * k))
    dataset = open_dataset(DatasetSpec(str(tmp_path), WORDS))
    dealt = deal(dataset, 3)
    assert len(dealt) == 3 and sorted(name for held in dealt for name in held) == sorted(
        dataset.names("training") + dataset.names("validation")
    )


def test_two_recordings_of_each_word_are_enough_for_two_folds(tmp_path):
    for split, name in (("training", "x"), ("validation", "y"), ("testing", "z")):
        for k, word in enumerate(WORDS):
            write(tmp_path / split / word / f"{name}{k}.wav", tone(hz=200 + len(name) + 7 * k))
    dataset = open_dataset(DatasetSpec(str(tmp_path), WORDS, "folders"))
    assert [len(held) for held in deal(dataset, 5)] == [2, 2]


def test_the_real_recordings_are_dealt_by_speaker(speech_commands):
    spoken = open_dataset(DatasetSpec(str(speech_commands), ("stop", "go")))
    without = hold_out(spoken, deal(spoken, 5)[0])
    assert sum(without.counts[split] for split in ("training", "validation")) == 1788
    assert without.counts["validation"] == pytest.approx(1788 / 5, rel=0.1)
