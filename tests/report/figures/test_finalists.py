from collections import Counter

import pytest

from sweep.report.figures.finalists import draw_confusion, draw_curves, retrained
from sweep.study.finalist import Finalist, Retraining

from ..fake_studies import make_record, with_finalists


@pytest.fixture(scope="module")
def finalists():
    return with_finalists(make_record(80, seed=11), 3, seeds=4).finalists


def test_confusion_adds_up_all_trainings(finalists):
    for one in finalists:
        found = retrained(one)
        assert (found.trial, found.seeds) == (one.trial, 4)
        for row in range(2):
            for column in range(2):
                each = [training.confusion[row][column] for training in one.retrainings]
                assert found.confusion[row][column] == sum(each)
        assert sum(map(sum, found.confusion)) == 4 * one.test_clips


def test_the_worst_clips_are_those_that_most_trainings_hear_wrong(finalists):
    for one in finalists:
        times = Counter(name for training in one.retrainings for name in training.mistakes)
        found = retrained(one).worst
        assert dict(found) == {name: times[name] for name, _ in found}
        assert [count for _, count in found] == sorted(times.values(), reverse=True)[:24]


def test_of_equally_bad_clips_the_most_confident_mistake_comes_first():
    def training(*mistakes):
        return Retraining(0, {}, {}, mistakes=mistakes)

    trainings = (training("a", "b", "c"), training("c", "b"), training("b"))
    found = retrained(Finalist(7, {"accuracy": 0.9}, trainings, 100))
    assert found.worst == (("b", 3), ("c", 2), ("a", 1))


def test_curves_show_each_training_and_the_mean_of_all(finalists):
    found = retrained(finalists[0])
    traces = draw_curves(found.accuracies, found.losses).data
    assert len(traces) == 2 * (4 + 1)
    for curves, drawn in ((found.accuracies, traces[:5]), (found.losses, traces[5:])):
        for curve, trace in zip(curves, drawn, strict=False):
            assert list(trace.y) == pytest.approx(curve, abs=1e-4)
        epochs = zip(*curves, strict=True)
        assert list(drawn[4].y) == pytest.approx([sum(e) / 4 for e in epochs], abs=1e-4)
        assert drawn[4].line.width > drawn[0].line.width


def test_a_single_training_is_one_line_each():
    traces = draw_curves([[0.5, 0.75]], [[1.0, 0.5]]).data
    assert [list(trace.y) for trace in traces] == [[0.5, 0.75], [1.0, 0.5]]


def test_confusion_is_shaded_by_the_share_of_each_row_and_labels_stay_text():
    figure = draw_confusion([[90, 10], [0, 50]], ["<b>stop", "go"])
    (cells,) = figure.data
    assert [list(row) for row in cells.z] == [[0.9, 0.1], [0.0, 1.0]]
    assert cells.text[0][1] == "10<br>10.0%"
    assert figure.layout.xaxis.ticktext == ("&lt;b&gt;stop", "go")


def test_a_training_that_diverged_is_drawn_as_far_as_it_got():
    losses = draw_curves([[0.5, 0.75, 0.5]], [[1.0, float("nan"), float("inf")]]).data[1]
    assert losses.y == (1.0, None, None)
