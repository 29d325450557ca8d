import pytest

from sweep.limits import Limit, alarms_allowed, hours_caution, total_violation, violations
from sweep.metrics import METRICS


@pytest.mark.parametrize(
    ("text", "operator", "bound"),
    [
        ("<=8", "<=", 8.0),
        ("  < 25 ", "<", 25.0),
        ("<= 1.5e-3", "<=", 0.0015),
        ("< .5", "<", 0.5),
    ],
)
def test_a_limit_is_an_operator_and_a_number(text, operator, bound):
    assert Limit.parse(METRICS["size_kb"], text) == Limit("size_kb", operator, bound)


@pytest.mark.parametrize("text", ["", "0.97", ">> 1", "= 1", ">= nan", ">= 1 KB", "<= ", "1 <"])
def test_anything_else_is_no_limit(text):
    with pytest.raises(ValueError, match="is not a limit; write for example '>= 0.97' or '< 25'"):
        Limit.parse(METRICS["accuracy"], text)


def test_a_limit_names_a_metric():
    for metric in METRICS:
        text = ">= 1" if METRICS[metric].better == "higher" else "< 1"
        assert Limit.parse(METRICS[metric], text) == Limit(metric, text[:-2], 1.0)


@pytest.mark.parametrize(
    ("metric", "text", "side"),
    [
        ("accuracy", "<= 0.97", "limited by >= or >, not by <="),
        ("accuracy", "< 0.97", "limited by >= or >, not by <"),
        ("size_kb", ">= 25", "limited by <= or <, not by >="),
        ("latency_ms", "> 8", "limited by <= or <, not by >"),
    ],
)
def test_a_limit_keeps_out_what_is_worse(metric, text, side):
    with pytest.raises(ValueError, match=side):
        Limit.parse(METRICS[metric], text)


@pytest.mark.parametrize("text", [">= 97", "> -0.1", ">= 1.01"])
def test_an_accuracy_is_a_share(text):
    with pytest.raises(ValueError, match="accuracy is a share from 0 to 1, not .*; write 0.97"):
        Limit.parse(METRICS["accuracy"], text)


def test_no_accuracy_is_above_one():
    with pytest.raises(ValueError, match="no accuracy is above 1; write >= 1"):
        Limit.parse(METRICS["accuracy"], "> 1")
    assert Limit.parse(METRICS["accuracy"], ">= 1").violation(1.0) == 0


@pytest.mark.parametrize("text", ["<= 0", "< -2"])
def test_a_size_is_above_nought(text):
    with pytest.raises(ValueError, match="size_kb is limited by a number above 0, not"):
        Limit.parse(METRICS["size_kb"], text)


@pytest.mark.parametrize("operator", [">", ">="])
def test_a_lower_bound_is_broken_from_below(operator):
    limit = Limit("accuracy", operator, 0.8)
    assert limit.violation(0.6) == pytest.approx(0.25)
    assert limit.violation(1.0) == pytest.approx(-0.25)


@pytest.mark.parametrize("operator", ["<", "<="])
def test_an_upper_bound_is_broken_from_above(operator):
    limit = Limit("size_kb", operator, 20.0)
    assert limit.violation(25.0) == pytest.approx(0.25)
    assert limit.violation(15.0) == pytest.approx(-0.25)


@pytest.mark.parametrize("operator", [">", "<"])
def test_touching_a_strict_limit_breaks_it(operator):
    assert 0 < Limit("accuracy", operator, 0.97).violation(0.97) < 1e-6


@pytest.mark.parametrize("operator", [">=", "<="])
def test_touching_another_limit_keeps_it(operator):
    assert Limit("accuracy", operator, 0.97).violation(0.97) == 0


def test_a_bound_of_zero_is_measured_absolutely():
    assert Limit("size_kb", "<=", 0.0).violation(3.0) == 3.0


def test_a_limit_is_written_as_it_is_read():
    limit = Limit.parse(METRICS["accuracy"], ">=0.970")
    assert str(limit) == "accuracy >= 0.97"
    assert Limit.parse(METRICS["accuracy"], str(limit).split(" ", 1)[1]) == limit


def test_violations_leave_out_what_was_not_measured():
    limits = [Limit("accuracy", ">=", 0.5), Limit("size_kb", "<", 10.0)]
    assert violations(limits, {"accuracy": None, "size_kb": 15.0}) == {"size_kb": 0.5}
    assert violations(limits, {"accuracy": 0.5}) == {"accuracy": 0.0}


def test_the_total_counts_only_what_is_broken():
    assert total_violation({"accuracy": 0.5, "size_kb": -3.0, "latency_ms": 0.25}) == 0.75
    assert total_violation({"size_kb": -3.0}) == 0
    assert total_violation({}) == 0


@pytest.mark.parametrize(
    ("texts", "allowed"),
    [
        ({}, [0, 1]),
        ({"accuracy": ">= 0.9"}, [0, 1]),
        ({"false_alarms_per_hour": "<= 3"}, [0, 1, 2, 3]),
        ({"accuracy": ">= 0.9", "false_alarms_per_hour": "< 3"}, [0, 1, 2]),
    ],
)
def test_one_false_alarm_an_hour_is_allowed_where_no_limit_says_otherwise(texts, allowed):
    limits = [Limit.parse(METRICS[metric], text) for metric, text in texts.items()]
    assert [count for count in range(10) if alarms_allowed(limits)(count)] == allowed


@pytest.mark.parametrize(
    ("limits", "hours", "told"),
    [
        ([], 0.1, ""),
        ([Limit("size_kb", "<=", 1.0)], 0.1, ""),
        ([Limit("false_alarms_per_hour", "<=", 3.0)], 1.0, ""),
        ([Limit("false_alarms_per_hour", "<=", 2.9)], 1.0, "below 3 an hour (95 %); it takes 1 h"),
        (
            [Limit("false_alarms_per_hour", "<=", 0.5)],
            2.0,
            "below 1.5 an hour (95 %); it takes 6 h",
        ),
    ],
)
def test_a_limit_of_false_alarms_that_the_hours_cannot_show_is_told(limits, hours, told):
    found = hours_caution(limits, hours)
    assert told in found and bool(found) == bool(told)
