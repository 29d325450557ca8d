import json
from dataclasses import asdict

import pytest

from sweep.audio.speakers import Speakers


def said(**people):
    """Return names of clips: a clip a word of each person named for a split."""
    return {
        split: [
            f"{word}/{who}_nohash_0.wav" for who in people.get(split, "") for word in ("go", "no")
        ]
        for split in ("training", "validation", "testing")
    }


MANY = {"training": "abcdefgh", "validation": "ij", "testing": "klmno"}


def test_speakers_are_counted_in_each_split():
    found = Speakers.of(said(**MANY))
    assert found == Speakers({"training": 8, "validation": 2, "testing": 5}, 0, 7, 0)
    assert found.disjoint and found.caution == ""


def test_where_everybody_is_in_training_other_speakers_were_not_tried():
    found = Speakers.of(said(training="ab", validation="ab", testing="ab"))
    assert (found.shared, found.new) == (2, 0) and not found.disjoint
    assert found.caution.startswith("Other speakers were not tried")


def test_where_some_are_in_training_too_they_are_counted():
    found = Speakers.of(said(**MANY | {"testing": "abmno"}))
    assert "2 are in training too and 5 are not" in found.caution and not found.disjoint


def test_a_clip_that_names_no_speaker_may_be_by_anybody():
    names = said(**MANY)
    names["testing"].append("go/17.wav")
    found = Speakers.of(names)
    assert found.unnamed == 1 and not found.disjoint
    assert found.caution.startswith("Whether other speakers were tried is not known")
    assert found.caution.endswith(": 1")


@pytest.mark.parametrize(("who", "told"), [("k", "1 speaker only"), ("kl", "2 speakers only")])
def test_few_speakers_in_testing_are_told(who, told):
    assert told in Speakers.of(said(**MANY | {"testing": who})).caution


def test_the_record_survives_json():
    found = Speakers.of(said(**MANY))
    assert Speakers.from_json(json.loads(json.dumps(asdict(found)))) == found
