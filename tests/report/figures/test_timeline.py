"""A stream in time, computed and drawn."""

from dataclasses import replace

import pytest

from sweep.report.figures.timeline import draw_timeline, timeline
from sweep.study.listening import Listening

from ..fake_streams import KEYWORDS, POINT, fake_scores


@pytest.fixture(scope="module")
def found():
    return Listening.of(fake_scores(seed=3, skill=0.95), POINT)


@pytest.fixture(scope="module")
def line(found):
    return timeline(found, KEYWORDS)


def test_words_are_in_the_lanes_of_their_labels(found, line):
    assert line.lanes == ("_unknown_", "stop", "go")
    for word, said, missed in zip(line.words, found.spoken, found.missed, strict=True):
        assert (word.lane, word.text) == (said.label, said.clip.split("/")[0])
        other = said.label not in KEYWORDS
        assert word.kind == ("other words" if other else "missed" if missed else "detected")


def test_false_alarms_and_misses_are_moments_in_order(found, line):
    times = [moment.time_in_s for moment in line.false_alarms]
    assert times == sorted(times) == [event.time_in_s for event in line.false] and len(times) > 2
    for moment, event in zip(line.false_alarms, line.false, strict=True):
        word = moment.clip.split("/")[0]
        assert moment.text == f"{event.keyword} {event.score:.2f} during {word}"
    missed = [word for word, one in zip(found.spoken, found.missed, strict=True) if one]
    assert [(m.clip, m.time_in_s) for m in line.misses] == [(w.clip, w.end_in_s) for w in missed]


def test_the_first_view_has_the_first_false_alarm(line):
    figure = draw_timeline(line)
    low, high = figure.layout.xaxis.range
    assert low < line.false_alarms[0].time_in_s < high and high - low == figure.layout.meta["shown"]


def test_the_score_is_drawn_at_its_times(line):
    (score,) = (trace for trace in draw_timeline(line).data if trace.name == "score")
    for event in (*line.hits, *line.false):
        place = round((event.time_in_s - score.x0) / score.dx)
        assert score.y[place] == pytest.approx(event.score, abs=0.006)


def test_what_a_clip_is_called_is_no_markup(found):
    evil = replace(found, spoken=(replace(found.spoken[1], clip="<b>/1_nohash_0.wav"),))
    figure = draw_timeline(timeline(replace(evil, missed=(False,)), KEYWORDS))
    assert [text for trace in figure.data if trace.type == "bar" for text in trace.text] == [
        "&lt;b&gt;"
    ]
