from dataclasses import replace

import numpy as np
import pytest

from sweep.metrics import ACCURACY, METRICS
from sweep.report.figures.fronts import draw_space, draw_tradeoff
from sweep.report.figures.tradeoff import prices, tradeoff
from sweep.statistics import wilson
from sweep.study.table import table

from ..fake_studies import SPACE, make_record, with_finalists

SIZE, LATENCY = METRICS["size_kb"], METRICS["latency_ms"]


@pytest.fixture(scope="module")
def record():
    return make_record(400, seed=5)


@pytest.fixture(scope="module")
def frame(record):
    return table(record)


def feasible_points(record):
    return {
        trial.number: trial.evaluation.result
        for trial in record.trials
        if trial.evaluation.outcome == "feasible"
    }


def test_every_measured_trial_is_in_one_group(record, frame):
    picture = tradeoff(record, frame, SIZE, ACCURACY)
    groups = [set(rows["trial"]) for rows in (picture.front, picture.feasible, picture.infeasible)]
    assert groups[0] | groups[1] == set(feasible_points(record))
    assert sum(map(len, groups)) == len(set.union(*groups)) == frame["accuracy"].notna().sum()


def test_steps_are_the_best_so_far(record, frame):
    picture = tradeoff(record, frame, SIZE, ACCURACY)
    points = feasible_points(record).values()
    for size, accuracy in picture.steps:
        assert accuracy == max(p["accuracy"] for p in points if p["size_kb"] <= size)
    assert picture.steps[-1][1] == max(p["accuracy"] for p in points)


def test_prices_agree_with_brute_force(record, frame):
    found = prices(record, frame)
    points = feasible_points(record)
    assert found.head == ("accuracy at least", "lowest size (KB)", "lowest latency (ms)")
    assert found.rows[0][0] == "0.97" and len(found.rows) > 3
    for least, *cells in found.rows:
        enough = {n: p for n, p in points.items() if p["accuracy"] >= float(least) - 1e-12}
        for metric, cell in zip((SIZE, LATENCY), cells, strict=True):
            cheapest = min(enough, key=lambda n: enough[n][metric.name])
            assert cell == f"{metric.text(points[cheapest][metric.name])} (trial\u00a0{cheapest})"


def test_a_far_limit_does_not_squeeze_the_picture(frame):
    far = make_record(1, space=SPACE.replace('"<= 0.6"', '"<= 8"'))
    picture = tradeoff(far, frame, LATENCY, ACCURACY)
    assert picture.x_range[1] < 2
    texts = [a.text for a in draw_tradeoff(picture).layout.annotations]
    assert "≤ 8 →" in texts


def test_a_picture_in_which_every_trial_is_far_below_the_limit_shows_them():
    record = make_record(120, seed=9, offset=-0.1)
    picture = tradeoff(record, table(record), SIZE, ACCURACY)
    assert picture.below == 0
    assert picture.y_range[1] > 0.97


def test_the_space_leaves_out_what_was_not_measured_on_both_costs(record, frame):
    frame = frame.copy()
    frame.loc[frame["accuracy"].notna().idxmax(), "latency_ms"] = float("nan")
    pictures = [tradeoff(record, frame, cost, ACCURACY) for cost in (SIZE, LATENCY)]
    drawn = draw_space(*pictures)
    assert all(np.isfinite(np.array(trace.y, float)).all() for trace in drawn.data if trace.name)


def test_each_point_carries_its_trial(record, frame):
    figure = draw_tradeoff(tradeoff(record, frame, SIZE, ACCURACY))
    drawn = [number for trace in figure.data for number in trace.customdata or ()]
    assert sorted(drawn) == sorted(frame["trial"][frame["accuracy"].notna()])
    assert figure.layout.xaxis.type == "log"
    symbols = {trace.marker.symbol for trace in figure.data[:2]}
    assert len(symbols) == 2


@pytest.mark.parametrize("trials", [0, 1])
def test_few_trials_are_drawn_too(trials):
    few = make_record(trials)
    picture = tradeoff(few, table(few), SIZE, ACCURACY)
    assert draw_tradeoff(picture).layout.yaxis.range[1] > 1
    assert prices(few, table(few)) is None


def test_finalists_are_marked_at_their_means_on_the_test_clips():
    record = with_finalists(make_record(200, seed=5), 3)
    picture = tradeoff(record, table(record), SIZE, ACCURACY)
    assert [mark.finalist for mark in picture.finalists] == list(record.finalists)
    for mark in picture.finalists:
        each = mark.finalist.retrainings
        assert mark.x == pytest.approx(sum(one.test["size_kb"] for one in each) / 3)
        mean = sum(one.test["accuracy"] for one in each) / 3
        assert mark.y == pytest.approx(mean)
        assert mark.interval == wilson(mark.y, 212)
        assert mark.holds == (mean >= 0.97 and mark.x < 12)
        assert mark.searched == (
            mark.finalist.searched["size_kb"],
            mark.finalist.searched["accuracy"],
        )
        assert picture.x_range[0] < mark.x < picture.x_range[1]


def test_finalists_are_told_apart_by_shape_and_carry_their_intervals():
    record = with_finalists(make_record(200, seed=5), 4)
    picture = tradeoff(record, table(record), LATENCY, ACCURACY)
    assert {mark.holds for mark in picture.finalists} == {True, False}
    drawn = {trace.name: trace for trace in draw_tradeoff(picture).data if trace.name}
    named = {"breaks a limit", "meets every limit", "on the front"}
    named |= {"finalist, holds", "finalist, fails"}
    assert named < drawn.keys()
    assert len({drawn[name].marker.symbol for name in named}) == 5
    stars = drawn["finalist, holds"]
    for i, number in enumerate(stars.customdata):
        mark = next(one for one in picture.finalists if one.finalist.trial == number)
        low, high = mark.interval
        assert stars.y[i] + stars.error_y.array[i] == pytest.approx(high)
        assert stars.y[i] - stars.error_y.arrayminus[i] == pytest.approx(low)
    assert stars.meta == "finalist"


def test_what_lies_below_the_picture_is_counted_on_its_axis(record, frame):
    picture = tradeoff(record, frame, SIZE, ACCURACY)
    low = picture.y_range[0]
    accuracies = [t.evaluation.result["accuracy"] for t in record.trials if t.evaluation.result]
    below = sum(accuracy is not None and accuracy < low for accuracy in accuracies)
    assert picture.below == below > 0
    heading = draw_tradeoff(picture).layout.yaxis.title.text
    assert heading == f"accuracy ({below} trials below)"


def test_a_finalist_below_the_picture_is_no_trial_below_it(record, frame):
    picture = tradeoff(record, frame, SIZE, ACCURACY)
    poor = with_finalists(record, 1)
    again = tuple(
        replace(one, test={**one.test, "accuracy": 0.5}) for one in poor.finalists[0].retrainings
    )
    poor = replace(poor, finalists=(replace(poor.finalists[0], retrainings=again),))
    assert tradeoff(poor, frame, SIZE, ACCURACY).below == picture.below
