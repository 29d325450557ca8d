"""What was detected against what was said."""

import numpy as np
import pytest

from sweep.audio.spoken import Spoken, Stream
from sweep.detection import Detection, Scores, match
from sweep.detector import Event

RATE, STRIDE, WINDOW = 8000, 800, 8000


def said(label, start, length=0.4):
    return Spoken(label, f"{label}/{start}.wav", start, start + length, 10.0)


def heard(label, time):
    return Event(time, label, 0.9)


def compare(events, wanted):
    return match(events, wanted, hours=0.5, window_in_s=1.0)


def test_a_keyword_is_detected_from_its_start_until_most_of_a_window_after_its_end():
    word = said("go", 10.0)
    for time in (10.0, 10.5, 11.1):
        found = compare([heard("go", time)], [word])
        assert found.hits == ((word, heard("go", time)),)
        assert found.miss_rate == 0 and not found.false_alarms
    for time in (9.9, 11.2):
        found = compare([heard("go", time)], [word])
        assert found.misses == (word,) and len(found.false_alarms) == 1
        assert found.false_alarms_per_hour == 2


def test_another_keyword_is_a_miss_and_a_false_alarm():
    found = compare([heard("stop", 10.6)], [said("go", 10.0)])
    assert found.miss_rate == 1 and found.false_alarms == (heard("stop", 10.6),)


def test_the_second_event_of_a_keyword_is_a_false_alarm_unless_it_was_said_again():
    events = [heard("go", 10.6), heard("go", 11.0)]
    assert len(compare(events, [said("go", 10.0)]).false_alarms) == 1
    found = compare(events, [said("go", 10.0), said("go", 10.8)])
    assert not found.false_alarms and [word.start_in_s for word, _ in found.hits] == [10.0, 10.8]


def test_the_delay_is_the_median_from_the_end_of_the_word():
    words = [said("go", start) for start in (10.0, 20.0, 30.0)]
    events = [heard("go", 10.5), heard("go", 20.6), heard("go", 30.8)]
    assert compare(events, words).delay_ms == pytest.approx(200)
    assert compare([], words).delay_ms == 750


def test_nothing_said_is_nothing_missed():
    found = Detection(1.0, 0.75, (), (), ())
    assert found.miss_rate == 0 and found.keywords == 0


@pytest.fixture
def scores():
    """Twenty keywords with higher and higher scores, and ten other words with middling ones."""
    strides = 3600
    probabilities = np.zeros((strides, 3), np.float32)
    spoken = []
    for i in range(30):
        label = "_unknown_" if i % 3 == 2 else "go"
        stride = 100 + 100 * i
        spoken.append(said(label, stride * 0.1 + 0.3))
        peak = 0.45 + 0.01 * i if label == "_unknown_" else 0.3 + 0.02 * i
        probabilities[stride : stride + 4, 0] = peak
    samples = np.zeros((strides - 1) * STRIDE + WINDOW, np.int16)
    stream = Stream(samples, RATE, tuple(spoken))
    return Scores(stream, probabilities, ("go", "stop", "_unknown_"), ("go", "stop"), 800, WINDOW)


def test_a_higher_threshold_has_more_misses_and_fewer_false_alarms(scores):
    found = [detection for _, detection in scores.curve()]
    misses = [len(one.misses) for one in found]
    alarms = [len(one.false_alarms) for one in found]
    assert misses == sorted(misses) and alarms == sorted(alarms, reverse=True)
    assert (misses[-1], alarms[0]) == (20, 10)


@pytest.mark.parametrize("limit", [0.5, 30.0, 60.0, 1000.0])
def test_the_operating_point_has_the_fewest_misses_within_the_limit(scores, limit):
    point, best = scores.best(lambda per_hour: per_hour <= limit)
    assert best == scores.at(point) and best.false_alarms_per_hour <= limit
    for _, other in scores.curve():
        if other.false_alarms_per_hour <= limit:
            assert len(other.misses) >= len(best.misses)


def test_times_become_whole_strides(scores):
    point = scores.point(0.5)
    assert (point.stride, point.smoothing, point.refractory) == (800, 3, 10)


def test_where_every_threshold_alarms_nothing_is_detected(scores):
    scores.probabilities[50:60, 1] = 1.0
    point, best = scores.best()
    assert point.threshold == 1.0 and best.miss_rate == 1


def test_the_highest_scores_are_those_of_the_events(scores):
    point = scores.point(0.6)
    found, highest = scores.at(point), scores.highest(point)
    events = [*(event for _, event in found.hits), *found.false_alarms]
    assert highest.shape == (3600,) and len(events) > 5
    for event in events:
        stride = round((event.time_in_s * RATE - WINDOW) / STRIDE)
        assert highest[stride] == np.float32(event.score)
