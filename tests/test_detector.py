"""From probabilities to events."""

import numpy as np
import pytest

from sweep.detector import Decisions, Event, OperatingPoint

LABELS, KEYWORDS = ("go", "stop", "_unknown_"), ("go", "stop")
POINT = OperatingPoint(stride=800, smoothing=3, threshold=0.6, refractory=4)


def decide(probabilities, point=POINT, cuts=()):
    """Return the events of probabilities that come in parts."""
    decisions = Decisions(LABELS, KEYWORDS, point, window=8000, rate=8000)
    parts = np.split(np.asarray(probabilities, np.float32), list(cuts))
    return [event for part in parts for event in decisions.feed(part)]


def by_the_definition(probabilities, point):
    """The docstring of ``OperatingPoint``, stride by stride, as a device would."""
    found, last = [], None
    for t in range(len(probabilities)):
        scores = []
        for k in range(len(KEYWORDS)):
            total = np.float32(0)
            for i in range(t - point.smoothing + 1, t + 1):
                total += np.float32(probabilities[i][k] if i >= 0 else 0)
            scores.append(total / np.float32(point.smoothing))
        best = int(np.argmax(scores))
        rested = last is None or t - last > point.refractory
        if rested and scores[best] >= np.float32(point.threshold):
            found.append((KEYWORDS[best], t, float(scores[best])))
            last = t
    return found


def some(rows, seed=0):
    """Return probabilities that wander, so that some cross the threshold for a while."""
    rng = np.random.default_rng(seed)
    odds = np.exp(
        np.repeat(rng.normal(0, 2, (rows // 5, 3)), 5, axis=0) + rng.normal(size=(rows, 3))
    )
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("smoothing", [1, 2, 5])
@pytest.mark.parametrize("refractory", [0, 7])
def test_events_are_those_of_the_definition(smoothing, refractory):
    point = OperatingPoint(800, smoothing, 0.5, refractory)
    probabilities = some(300)
    expected = by_the_definition(probabilities, point)
    found = decide(probabilities, point)
    assert [(e.keyword, round((e.time_in_s - 1) * 10), e.score) for e in found] == expected
    assert len(expected) > 5 and {label for label, *_ in expected} == set(KEYWORDS)


@pytest.mark.parametrize("seed", range(5))
def test_cutting_into_blocks_changes_nothing(seed):
    probabilities = some(200, seed)
    cuts = np.sort(np.random.default_rng(seed).integers(0, 200, 30))
    assert decide(probabilities, cuts=cuts) == decide(probabilities) != []


def test_an_event_is_told_at_the_end_of_its_window():
    probabilities = np.zeros((10, 3))
    probabilities[5:8, 1] = 1.0
    (event,) = decide(probabilities)
    assert event == Event(0.6 + 1.0, "stop", pytest.approx(2 / 3))


def test_what_is_no_keyword_is_never_detected():
    assert not decide(np.tile([0.0, 0.0, 1.0], (20, 1)))


def test_a_score_that_stays_is_detected_again_after_the_refractory_time():
    times = [event.time_in_s for event in decide(np.tile([1.0, 0.0, 0.0], (12, 1)))]
    assert times == pytest.approx([1.1, 1.6, 2.1])


def test_no_strides_are_no_events():
    assert decide(np.zeros((0, 3))) == []
