import pytest

from sweep.candidate import Variant
from sweep.limits import METRICS, Limit, choose, total_violation, violations


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
    assert Limit.parse("size_kb", text) == Limit("size_kb", operator, bound)


@pytest.mark.parametrize("text", ["", "0.97", ">> 1", "= 1", ">= nan", ">= 1 KB", "<= ", "1 <"])
def test_anything_else_is_no_limit(text):
    with pytest.raises(ValueError, match="is not a limit; write for example '>= 0.97' or '< 25'"):
        Limit.parse("accuracy", text)


def test_a_limit_names_a_metric():
    with pytest.raises(ValueError, match="unknown metric 'acc'; known: accuracy"):
        Limit.parse("acc", "> 1")
    for metric in METRICS:
        text = ">= 1" if metric == "accuracy" else "< 1"
        assert Limit.parse(metric, text) == Limit(metric, text[:-2], 1.0)


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
        Limit.parse(metric, text)


@pytest.mark.parametrize("text", [">= 97", "> -0.1", ">= 1.01"])
def test_an_accuracy_is_a_share(text):
    with pytest.raises(ValueError, match="an accuracy is a share from 0 to 1, not .*; write 0.97"):
        Limit.parse("accuracy", text)


def test_no_accuracy_is_above_one():
    with pytest.raises(ValueError, match="no accuracy is above 1; write >= 1"):
        Limit.parse("accuracy", "> 1")
    assert Limit.parse("accuracy", ">= 1").violation(1.0) == 0


@pytest.mark.parametrize("text", ["<= 0", "< -2"])
def test_a_size_is_above_nought(text):
    with pytest.raises(ValueError, match="size_kb is always above 0, not"):
        Limit.parse("size_kb", text)


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
    limit = Limit.parse("accuracy", ">=0.970")
    assert str(limit) == "accuracy >= 0.97"
    assert Limit.parse(*str(limit).split(" ", 1)) == limit


def test_violations_leave_out_what_was_not_measured():
    limits = [Limit("accuracy", ">=", 0.5), Limit("size_kb", "<", 10.0)]
    assert violations(limits, {"accuracy": None, "size_kb": 15.0}) == {"size_kb": 0.5}
    assert violations(limits, {"accuracy": 0.5}) == {"accuracy": 0.0}


def test_the_total_counts_only_what_is_broken():
    assert total_violation({"accuracy": 0.5, "size_kb": -3.0, "latency_ms": 0.25}) == 0.75
    assert total_violation({"size_kb": -3.0}) == 0
    assert total_violation({}) == 0


def variant(name: str, kb: float, **violations: float) -> Variant:
    return Variant(name, 0.9, 1, kb, 0.5, 0.5, 0, kb, 10, 10, kb, violations)


def test_a_small_variant_that_breaks_a_limit_loses_to_a_larger_one_that_keeps_all():
    nearest = variant("float32", 9, accuracy=-0.1, latency_ms=0.005)
    small = variant("int8", 4, accuracy=0.01, latency_ms=-0.3)
    holds = variant("dynamic", 12, accuracy=-0.01, latency_ms=-0.2)
    assert choose([nearest, small, holds]) == 2
    assert choose([small, nearest]) == 1
    assert choose([holds, variant("float16", 11, accuracy=-0.01, latency_ms=0.0)]) == 1
