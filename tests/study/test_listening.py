"""What a finalist detects in a stream, as it is kept."""

import json
from dataclasses import asdict, replace

import pytest

from sweep.detection import THRESHOLDS
from sweep.detector import Event
from sweep.study.listening import Listening, curve_of

from ..report.fake_streams import KEYWORDS, POINT, fake_scores

SCORES = fake_scores(seed=3, skill=0.95)


@pytest.fixture(scope="module")
def found() -> Listening:
    return Listening.of(SCORES, POINT)


def test_events_and_words_are_those_of_the_detection(found: Listening) -> None:
    expected = SCORES.at(POINT)
    false = [event for event, false in zip(found.events, found.false, strict=True) if false]
    assert tuple(false) == expected.false_alarms and len(false) > 2
    assert len(found.events) == len(expected.hits) + len(false)
    missed = [word for word, missed in zip(found.spoken, found.missed, strict=True) if missed]
    assert tuple(missed) == expected.misses and len(missed) > 2
    assert found.spoken == SCORES.stream.spoken


def test_scores_stand_at_their_times(found: Listening) -> None:
    for event in found.events:
        place = round((event.time_in_s - found.first_in_s) / found.stride_in_s)
        assert found.scores[place] == round(100 * event.score)


def test_no_more_than_an_hour_is_kept() -> None:
    long = Listening.of(fake_scores(seed=3, skill=0.95, hours=1.1), POINT)
    assert long.hours == pytest.approx(1.1)
    assert len(long.scores) == 36000
    for last in (long.spoken[-1].end_in_s, long.events[-1].time_in_s):
        assert 3500 < last <= 3600


def test_it_is_read_as_it_was_written(found: Listening) -> None:
    record = json.loads(json.dumps(asdict(found)))
    assert Listening.from_json(record) == found
    with pytest.raises(ValueError, match="threshold"):
        Listening.from_json(record | {"threshold": "high"})


def test_an_event_is_during_the_word_spoken_last_unless_that_is_over(found: Listening) -> None:
    word = found.spoken[4]
    for after, expected in ((-0.1, word), (found.latest_in_s + 0.1, None)):
        assert found.during(Event(word.end_in_s + after, "go", 0.9)) == expected
    assert found.during(Event(0.5, "go", 0.9)) is None
    alone = replace(found, spoken=(), missed=())
    assert alone.during(Event(9.0, "go", 0.9)) is None


def test_a_curve_has_a_point_at_each_threshold() -> None:
    curve = curve_of(SCORES)
    assert len(curve) == len(THRESHOLDS)
    middle = SCORES.at(SCORES.point(THRESHOLDS[30]))
    assert curve[30] == (middle.miss_rate, middle.false_alarms_per_hour)
    said = sum(word.label in KEYWORDS for word in SCORES.stream.spoken)
    assert middle.keywords == said
