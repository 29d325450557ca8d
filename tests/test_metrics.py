import numpy as np
import pytest

from sweep.errors import PluginError, SpecError
from sweep.metrics import (
    METRICS,
    Limit,
    Measured,
    Metric,
    added_to_front,
    costs,
    front,
    goal,
    metrics_named,
    total_violation,
    violations,
)
from sweep.space import Space


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
    with pytest.raises(ValueError, match="size_kb is always above 0, not"):
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


class TestMetricsOfPredictions:
    """60 clips of a rare word beside 900 others, and a network that always predicts the others."""

    DEAF = Measured({}, ((0, 60), (0, 900)))
    NEARLY = Measured({}, ((30, 30), (9, 891)))

    def test_a_rare_word_that_is_never_recognised_hides_in_the_accuracy(self):
        assert self.DEAF["accuracy"] == 0.9375
        assert self.DEAF["balanced_accuracy"] == 0.5
        assert self.DEAF["worst_recall"] == 0.0

    def test_they_are_the_shares_that_counting_gives(self):
        truth = np.repeat([0, 1], [60, 900])
        predicted = np.concatenate([np.repeat([0, 1], [30, 30]), np.repeat([0, 1], [9, 891])])
        recalls = [np.mean(predicted[truth == label] == label) for label in (0, 1)]
        assert self.NEARLY["accuracy"] == np.mean(truth == predicted)
        assert self.NEARLY["balanced_accuracy"] == pytest.approx(np.mean(recalls))
        assert self.NEARLY["worst_recall"] == min(recalls)

    def test_a_recall_rests_on_the_clips_of_its_word(self):
        assert self.NEARLY.exposures() == {
            "accuracy": 960,
            "balanced_accuracy": pytest.approx(4 / (1 / 60 + 1 / 900)),
            "worst_recall": 60,
        }

    def test_a_mean_recall_is_as_sure_as_its_exposure_says(self):
        rng = np.random.default_rng(0)
        drawn = (rng.binomial(60, 0.9, 20_000) / 60 + rng.binomial(900, 0.9, 20_000) / 900) / 2
        clips = self.NEARLY.exposures()["balanced_accuracy"]
        assert drawn.var() == pytest.approx(0.9 * 0.1 / clips, rel=0.03)

    def test_a_word_without_clips_has_no_recall(self):
        assert Measured({}, ((9, 1, 0), (0, 10, 0), (0, 0, 0)))["worst_recall"] == 0.9

    def test_before_training_they_are_not_known(self):
        found = Measured({"preprocessing_latency_ms": 0.25, "model_latency_ms": 0.5}).values()
        assert found["accuracy"] is found["worst_recall"] is found["size_kb"] is None
        assert found["latency_ms"] == 0.75


class TestFalseAcceptRate:
    LABELS = ("go", "stop", "_unknown_", "_silence_")
    COUNTS = ((40, 5, 5, 0), (5, 45, 0, 0), (6, 2, 28, 4), (1, 0, 1, 18))

    def test_is_the_share_of_others_that_are_classified_as_a_keyword(self):
        found = Measured({}, self.COUNTS, labels=self.LABELS)
        assert found["false_accept_rate"] == 8 / 40
        assert found.exposures()["false_accept_rate"] == 40

    def test_is_that_of_the_label_where_it_is_higher(self):
        counts = (*self.COUNTS[:3], (5, 5, 0, 10))
        found = Measured({}, counts, labels=self.LABELS)
        assert (found["false_accept_rate"], found.exposures()["false_accept_rate"]) == (0.5, 20)

    def test_does_not_depend_on_which_of_the_two_others_is_predicted(self):
        swapped = (*self.COUNTS[:2], (6, 2, 4, 28), (1, 0, 18, 1))
        found = [Measured({}, one, labels=self.LABELS) for one in (self.COUNTS, swapped)]
        assert found[0]["false_accept_rate"] == found[1]["false_accept_rate"]

    def test_is_unknown_where_everything_is_a_keyword(self):
        found = Measured({}, ((9, 1), (0, 10)), labels=("go", "stop"))
        assert found.values()["false_accept_rate"] is None
        assert "false_accept_rate" not in found.exposures()

    def test_is_no_goal_that_size_is_bought_with(self):
        assert goal(["false_accept_rate", "size_kb"], METRICS) is METRICS["accuracy"]
        assert goal(["false_accept_rate", "worst_recall"], METRICS) is METRICS["worst_recall"]

    @pytest.mark.parametrize(
        ("section", "line"),
        [
            ("limits", "false_accept_rate: '<= 0.1'"),
            ("objectives", "false_accept_rate: minimize"),
        ],
    )
    def test_can_be_named_where_something_is_no_keyword(self, section, line):
        space = "dataset: {{labels: [go, stop]{}}}\n" + f"{section}: {{{{{line}}}}}"
        for others in (", unknown: {}", ", silence: {}"):
            found = Space.parse(space.format(others), "x.yaml")
            assert "false_accept_rate" in found.named_metrics
        told = f"{section}.false_accept_rate: needs dataset.unknown or dataset.silence"
        with pytest.raises(SpecError, match=told):
            Space.parse(space.format(""), "x.yaml")


def test_a_metric_made_of_others_is_known_where_they_are():
    energy = Metric(
        "energy_uj", "made up", lambda m: 2 * m["multiply_adds"] + m["ram_kb"], unit="uJ"
    )
    metrics = {**METRICS, "energy_uj": energy}
    facts = {"multiply_adds": 3.0, "ram_kb": 4.0}
    assert Measured(facts, metrics=metrics)["energy_uj"] == 10
    assert Measured({"ram_kb": 4.0}, metrics=metrics).values()["energy_uj"] is None


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("accuracy", 0.9751, "0.975"),
        ("latency_ms", 0.25, "0.250\u00a0ms"),
        ("size_kb", 12.345, "12.35\u00a0KB"),
        ("multiply_adds", 1234567.0, "1,234,567"),
        ("accuracy", None, "–"),
        ("ram_kb", float("nan"), "–"),
    ],
)
def test_a_value_is_told_with_its_unit(metric, value, text):
    assert METRICS[metric].text(value) == text


def test_a_share_is_told_with_its_interval():
    assert METRICS["accuracy"].text(0.975, (0.95, 0.99)) == "0.975 (0.950–0.990)"
    assert METRICS["accuracy"].text(0.975, (float("nan"), float("nan"))) == "0.975"


def points(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 6, (40, 3)).astype(float)


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    return all(one <= other) and any(one < other)


@pytest.mark.parametrize("seed", range(5))
def test_the_front_is_what_no_other_point_dominates(seed):
    every = points(seed)
    expected = [not any(dominates(other, one) for other in every) for one in every]
    assert front(every).tolist() == expected


@pytest.mark.parametrize("seed", range(5))
def test_a_front_that_grows_point_by_point_is_the_front_of_all(seed):
    growing = np.empty((0, 3))
    for one in points(seed):
        staying = added_to_front(growing, one)
        if staying is not None:
            growing = np.vstack([growing[staying], one])
    every = points(seed)
    assert {tuple(p) for p in growing} == {tuple(p) for p in every[front(every)]}
    assert len(growing) == len({tuple(p) for p in growing})


def test_what_is_to_be_maximized_costs_its_negative_and_the_unknown_costs_infinitely_much():
    rows = [{"accuracy": 0.9, "size_kb": 3.0}, {"accuracy": None, "size_kb": 2.0}]
    found = costs(rows, {"accuracy": "maximize", "size_kb": "minimize"})
    assert found.tolist() == [[-0.9, 3.0], [np.inf, 2.0]]


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (["size_kb", "balanced_accuracy", "accuracy"], "balanced_accuracy"),
        (["size_kb", "worst_recall"], "worst_recall"),
        (["size_kb"], "accuracy"),
    ],
)
def test_the_goal_is_the_first_share_that_only_training_shows(named, expected):
    assert goal(named, METRICS).name == expected


class TestMetricsFromOutside:
    FIVE_LINES = """
import sweep

HEADROOM = sweep.Metric(
    "headroom_kb", "RAM left of 8 KB", lambda m: 8 - m["ram_kb"], unit="KB", better="higher"
)
WRONG = sweep.Metric("doubled", "fails", lambda m: m["ram_kb"] / 0)
TAKEN = sweep.Metric("size_kb", "another")
NUMBER = 3
"""

    @pytest.fixture
    def module(self, tmp_path, monkeypatch) -> str:
        name = f"metrics_{tmp_path.name}".replace("-", "_")
        (tmp_path / f"{name}.py").write_text(self.FIVE_LINES)
        monkeypatch.syspath_prepend(tmp_path)
        return name

    def space(self, module: str, text: str = "") -> Space:
        file = f"dataset: {{labels: [stop, go]}}\nmetrics: ['{module}:HEADROOM']\n{text}"
        return Space.parse(file, "x.yaml")

    def test_are_limits_and_objectives_like_any_other(self, module):
        wanted = (
            "limits: {headroom_kb: '>= 2'}\nobjectives: {accuracy: maximize, headroom_kb: maximize}"
        )
        found = self.space(module, wanted)
        assert found.limits[0] == Limit("headroom_kb", ">=", 2.0)
        values = Measured({"ram_kb": 7.0}, metrics=found.metrics).values()
        assert values["headroom_kb"] == 1
        assert violations(found.limits, values) == {"headroom_kb": 0.5}
        assert found.metrics["headroom_kb"].text(1.0) == "1.00\u00a0KB"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("limits: {headroom_kb: '<= 2'}", "limits.headroom_kb: headroom_kb is limited by >="),
            ("objectives: {headroom_kb: minimize}", "objectives.headroom_kb: must be maximize"),
            ("limits: {headroom: '>= 2'}", "limits.headroom: unknown metric; did you mean"),
        ],
    )
    def test_and_checked_like_any_other(self, module, text, message):
        with pytest.raises(SpecError) as refused:
            self.space(module, text)
        assert str(refused.value).startswith(f"x.yaml: {message}")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("NUMBER", "is no sweep.Metric, but int"),
            ("TAKEN", "there is a metric size_kb already; rename it"),
            ("HEAD", "has no HEAD"),
        ],
    )
    def test_what_is_none_is_told_where_the_file_names_it(self, module, name, message):
        with pytest.raises(SpecError, match=message) as refused:
            Space.parse(f"dataset: {{labels: [stop, go]}}\nmetrics: ['{module}:{name}']", "x.yaml")
        assert str(refused.value).startswith("x.yaml: metrics.0: ")

    def test_one_that_fails_is_told_with_its_file_and_line(self, module):
        metrics = {**METRICS, **metrics_named([f"{module}:WRONG"])}
        with pytest.raises(PluginError, match=rf"{module}\.py:7: ZeroDivisionError"):
            Measured({"ram_kb": 1.0}, metrics=metrics)["doubled"]
        assert Measured({}, metrics=metrics).values()["doubled"] is None
