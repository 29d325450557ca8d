"""Other words and silence as labels of a data set."""

from dataclasses import replace

import numpy as np
import pytest

from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.folds import with_folds
from sweep.audio.layout import label_of
from sweep.audio.open_set import SilenceSpec, UnknownSpec
from sweep.audio.splits import SPLITS
from sweep.errors import DataError

from .recordings import OTHERS, write_words


@pytest.fixture
def spec(open_set):
    return open_set


def words(dataset, split):
    found = (name for name in dataset.names(split) if dataset.spec.clip(name).label == "_unknown_")
    return {label_of(name) for name in found}


def test_the_two_labels_come_last(spec):
    assert open_dataset(spec).labels == ("go", "stop", "_unknown_", "_silence_")
    assert open_dataset(replace(spec, unknown=None)).labels == ("go", "stop", "_silence_")
    assert open_dataset(replace(spec, silence=None)).labels == ("go", "stop", "_unknown_")


def test_shares_are_of_the_clips_of_the_keywords(spec):
    dataset = open_dataset(spec)
    assert dataset.balance("training").clips == {
        "go": 8,
        "stop": 8,
        "_unknown_": 16,
        "_silence_": 8,
    }
    assert set(dataset.balance("validation").clips.values()) == {2}
    for split in SPLITS:
        assert len(dataset.waveforms(split, 8000)) == len(dataset.targets(split))


@pytest.mark.parametrize(
    ("held_out", "told"),
    [
        (("a",), ""),
        (("a", "b"), "_unknown_: 2 words for training; use at least 3"),
        (("a", "b", "c"), "_unknown_: 1 word for training; use at least 3"),
    ],
)
def test_a_caution_says_that_other_words_for_training_are_too_few(held_out, told):
    unknown = UnknownSpec(words=("a", "b", "c", "d"), held_out=held_out)
    assert unknown.caution.startswith(told) and bool(unknown.caution) == bool(told)


def test_words_held_out_are_never_trained_on_and_each_is_for_one_other_split(spec):
    dataset = open_dataset(spec)
    assert words(dataset, "training") == {"down", "right"}
    assert words(dataset, "validation") == {"up"}
    assert words(dataset, "testing") == {"left"}


def test_a_single_one_is_for_both_and_without_any_all_words_are_everywhere(spec):
    for held, expected in ((("up",), {"up"}), (0, set(OTHERS))):
        dataset = open_dataset(replace(spec, unknown=replace(spec.unknown, held_out=held, share=9)))
        assert words(dataset, "validation") == words(dataset, "testing") == expected


def test_a_number_or_share_of_words_is_drawn_by_seed(spec):
    def drawn(held_out, seed=0):
        one = replace(spec.unknown, held_out=held_out).settled(spec.labels, OTHERS, seed)
        return one.held_out

    assert drawn(2) == drawn(0.5) == drawn(0.3) and len(drawn(2)) == 2
    assert len({drawn(1, seed) for seed in range(20)}) > 1


def test_no_speaker_is_in_training_and_in_another_split(spec):
    found = open_dataset(spec).speakers
    assert found.disjoint and found.counts == {"training": 8, "validation": 2, "testing": 2}


def test_the_same_spec_gives_the_same_clips_and_another_seed_others(spec):
    one, other = open_dataset(spec), open_dataset(replace(spec, seed=1))
    assert open_dataset(spec).fingerprint == one.fingerprint != other.fingerprint


def test_other_words_of_the_source_need_no_folder(spec, tmp_path):
    write_words(tmp_path / "keywords", ("left", "yes"), 2000)
    own = UnknownSpec(held_out=0, share=1)
    dataset = open_dataset(replace(spec, unknown=own, silence=None))
    assert words(dataset, "training") == {"left", "yes"}
    named = replace(own, words=("yes",))
    assert words(open_dataset(replace(spec, unknown=named)), "training") == {"yes"}


def test_other_words_are_spoken_too():
    unknown = UnknownSpec(words=("left", "right"), held_out=("left",))
    spec = DatasetSpec(
        "synthetic", ("stop", "go"), parameters={"clips_per_label": 20}, unknown=unknown
    )
    dataset = open_dataset(replace(spec, silence=SilenceSpec()))
    assert words(dataset, "training") == {"right"} and words(dataset, "testing") == {"left"}
    with pytest.raises(DataError, match="name the words to synthesize"):
        open_dataset(replace(spec, unknown=UnknownSpec()))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"words": ("sit",)}, "no clips of sit; there are: down, left, right, up"),
        ({"held_out": ("sit",)}, "sit: not among the words"),
        ({"held_out": 4}, "leaves none of"),
        ({"folder": "/nowhere"}, "/nowhere: no such folder"),
    ],
)
def test_what_does_not_fit_is_told(spec, change, told):
    with pytest.raises(DataError, match=f"dataset.unknown.*{told}"):
        open_dataset(replace(spec, unknown=replace(spec.unknown, **change)))


def test_a_folder_of_other_words_needs_speakers_and_folders_of_words(spec):
    for rule in ({"split": "folders"}, {"label_from": "name"}):
        with pytest.raises(DataError, match="put the words into the source"):
            open_dataset(replace(spec, **rule))


class TestSilence:
    def test_its_slices_are_of_parts_of_their_own(self, spec):
        dataset = open_dataset(spec)
        blocks = {
            split: {
                name.split("_nohash_")[0].rsplit("-", 1)[1]
                for name in dataset.names(split)
                if name.startswith("_silence_")
            }
            for split in SPLITS
        }
        assert blocks["validation"] == {"8"} and blocks["testing"] == {"9"}
        assert blocks["training"] <= set("01234567")

    def test_the_background_of_training_clips_is_of_the_part_for_training(self, spec):
        assert len(open_dataset(spec).noise(16000)) == 16000 * (30 * 8 // 10 + 2)
        assert len(open_dataset(replace(spec, silence=None)).noise(16000)) == 16000 * 32

    def test_levels_go_down_to_the_last_bit(self, spec):
        dataset = open_dataset(replace(spec, silence=SilenceSpec(share=5.0)))
        clips = dataset.waveforms("training", 16000)[dataset.targets("training") == 3]
        levels = 20 * np.log10(np.sqrt(np.mean(np.square(clips, dtype=float), axis=1)) / 32768)
        assert min(levels) < -85 and -50 < np.median(levels) < -30 and max(levels) > -28

    def test_short_recordings_are_refused_where_there_are_no_others(self, spec):
        with pytest.raises(DataError, match="a background recording of 35 s or more"):
            open_dataset(replace(spec, clip_length_in_s=3.5))


class TestFolds:
    def test_words_held_out_stay_out_of_training_and_others_are_not_validated(self, spec):
        dataset = with_folds(open_dataset(spec), 2)
        for fold in dataset.folds:
            assert words(fold, "training") == {"down", "right"}
            assert words(fold, "validation") == {"up"}

    def test_a_block_of_background_is_on_one_side(self, spec):
        for fold in with_folds(open_dataset(spec), 2).folds:
            sides = [
                {n.split("_nohash_")[0] for n in fold.names(split) if n.startswith("_silence_")}
                for split in ("training", "validation")
            ]
            assert all(sides) and not sides[0] & sides[1]
