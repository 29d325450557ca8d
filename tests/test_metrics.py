import numpy as np
import pytest

from sweep.audio.streams import Spoken
from sweep.detection import Detection
from sweep.detector import Event
from sweep.errors import PluginError, SpecError
from sweep.limits import Limit, violations
from sweep.metrics import (
    METRICS,
    OF_STREAMS,
    Measured,
    Metric,
    goal,
    in_unit,
    metrics_named,
    metrics_of,
)
from sweep.space import Space


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
        "energy_uj", "made up", lambda m: 2 * m["multiply_adds"] + m["arena_kb"], unit="uJ"
    )
    metrics = {**METRICS, "energy_uj": energy}
    facts = {"multiply_adds": 3.0, "arena_kb": 4.0}
    assert Measured(facts, metrics=metrics)["energy_uj"] == 10
    assert Measured({"arena_kb": 4.0}, metrics=metrics).values()["energy_uj"] is None


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("accuracy", 0.9751, "0.975"),
        ("latency_ms", 0.25, "0.250\u00a0ms"),
        ("size_kb", 12.345, "12.35\u00a0KB"),
        ("multiply_adds", 1234567.0, "1,234,567"),
        ("accuracy", None, "–"),
        ("arena_kb", float("nan"), "–"),
    ],
)
def test_a_value_is_told_with_its_unit(metric, value, text):
    assert METRICS[metric].text(value) == text


def test_a_share_is_told_with_its_interval():
    assert METRICS["accuracy"].text(0.975, (0.95, 0.99)) == "0.975 (0.950–0.990)"
    assert METRICS["accuracy"].text(0.975, (float("nan"), float("nan"))) == "0.975"


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


class TestMetricsOfStreams:
    WORDS = tuple(Spoken("go", f"{i}.wav", 10.0 * i, 10.0 * i + 0.5, 10.0) for i in range(4))
    HITS = tuple((word, Event(word.end_in_s + 0.25, "go", 0.9)) for word in WORDS[:3])
    FOUND = Detection(2.0, 0.75, HITS, WORDS[3:], (Event(99.0, "stop", 0.8),) * 3)

    def test_they_are_counts_of_what_was_detected(self):
        measured = Measured({}, detection=self.FOUND)
        assert measured["false_alarms_per_hour"] == 1.5
        assert measured["miss_rate"] == 0.25
        assert measured["detection_delay_ms"] == pytest.approx(250)
        exposures = measured.exposures()
        assert exposures == {"false_alarms_per_hour": 2.0, "miss_rate": 4}

    def test_without_a_stream_they_are_unknown(self):
        values = Measured({}, ((1, 0), (0, 1))).values()
        assert {values[name] for name in OF_STREAMS} == {None}

    def test_a_data_set_without_streams_has_none(self):
        assert not set(OF_STREAMS) & metrics_of(("go", "_unknown_")).keys()
        assert set(OF_STREAMS) <= metrics_of(("go", "_unknown_"), object()).keys()

    def test_alarms_are_told_with_their_poisson_interval(self):
        alarms = METRICS["false_alarms_per_hour"]
        ends = alarms.interval(1.5, 2.0)
        assert alarms.text(1.5, ends) == "1.50 (0.31–4.38)\u00a0per hour"

    def test_the_fastest_is_not_the_one_that_detects_first(self):
        names = ["detection_delay_ms", "model_latency_ms"]
        assert in_unit("ms", names, METRICS, "latency_ms") == "model_latency_ms"


class TestMetricsFromOutside:
    FIVE_LINES = """
import sweep

HEADROOM = sweep.Metric(
    "headroom_kb", "RAM left of 8 KB", lambda m: 8 - m["arena_kb"], unit="KB", better="higher"
)
WRONG = sweep.Metric("doubled", "fails", lambda m: m["arena_kb"] / 0)
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
        values = Measured({"arena_kb": 7.0}, metrics=found.metrics).values()
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
            Measured({"arena_kb": 1.0}, metrics=metrics)["doubled"]
        assert Measured({}, metrics=metrics).values()["doubled"] is None
