from itertools import product
from math import log2

import pytest

from sweep.report.figures.progress import describe_volume, draw_progress, search_history
from sweep.study.table import table

from ..fake_studies import SPACE, make_record


def covered(gains):
    """The volume of the union of boxes from the origin to each point, cell by cell."""
    if not gains:
        return 0.0
    grid = [sorted({0.0, *(gain[axis] for gain in gains)}) for axis in range(len(gains[0]))]
    total = 0.0
    for cell in product(*(range(1, len(ends)) for ends in grid)):
        far = [ends[i] for ends, i in zip(grid, cell)]
        if any(all(g >= f for g, f in zip(gain, far)) for gain in gains):
            sides = [ends[i] - ends[i - 1] for ends, i in zip(grid, cell)]
            total += sides[0] * sides[1] * (sides[2] if len(sides) > 2 else 1)
    return total


def results(record):
    return [
        t.evaluation.result if t.evaluation.outcome == "feasible" else None for t in record.trials
    ]


def test_the_volume_agrees_with_brute_force_on_log_axes():
    record = make_record(60, seed=7)
    found = search_history(record, table(record))
    assert found.corner == {"accuracy": 0.97, "latency_ms": 0.6, "size_kb": 12.0}
    gains = []
    for i, one in enumerate(results(record)):
        if one is not None and one["accuracy"] > 0.97:
            gains.append(
                (
                    (one["accuracy"] - 0.97) / 0.03,
                    log2(0.6 / one["latency_ms"]),
                    log2(12 / one["size_kb"]),
                )
            )
        assert found.volume[i] == pytest.approx(covered(gains))
    assert len(gains) > 5


def test_a_metric_without_a_limit_is_measured_from_the_worst_feasible_value():
    space = SPACE.replace('latency_ms: "<= 0.6", ', "").replace(
        "search:", "objectives: {latency_ms: minimize, size_kb: minimize}\nsearch:"
    )
    record = make_record(60, seed=7, space=space)
    found = search_history(record, table(record))
    feasible = [one for one in results(record) if one is not None]
    slowest = max(one["latency_ms"] for one in feasible)
    assert found.corner == {"latency_ms": slowest, "size_kb": 12.0}
    gains = [(log2(slowest / one["latency_ms"]), log2(12 / one["size_kb"])) for one in feasible]
    assert found.volume[-1] == pytest.approx(covered(gains))


def test_the_best_values_and_the_clock_are_those_of_the_trials():
    record = make_record(150, seed=7)
    found = search_history(record, table(record))
    feasible = []
    for i, one in enumerate(results(record)):
        feasible += [one] if one is not None else []
        smallest = min((r["size_kb"] for r in feasible), default=None)
        highest = max((r["accuracy"] for r in feasible), default=None)
        assert found.best["size_kb"][i] == pytest.approx(smallest)
        assert found.best["accuracy"][i] == pytest.approx(highest)
    last = record.trials[-1].finished - record.trials[0].started
    assert found.minutes[-1] == pytest.approx(last.total_seconds() / 60, abs=1e-3)
    assert found.minutes == sorted(found.minutes)


def test_the_figure_and_the_page_say_which_axes_are_log():
    record = make_record(30, seed=7)
    found = search_history(record, table(record))
    heading = draw_progress(found, "trials").layout.annotations[0].text
    assert heading == "hypervolume (accuracy linear, latency and size log)"
    words = describe_volume(found)
    assert "corner accuracy 0.97, latency_ms 0.6, size_kb 12" in words
    assert "times the halvings of size" in words


@pytest.mark.parametrize("trials", [0, 1])
@pytest.mark.parametrize("over", ["trials", "minutes"])
def test_without_feasible_trials_there_is_nothing_to_draw_but_axes(trials, over):
    record = make_record(trials)
    found = search_history(record, table(record))
    assert found.volume == [0.0] * trials
    assert set(found.best["size_kb"]) <= {None}
    assert len(draw_progress(found, over).data) == 4
