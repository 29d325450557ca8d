import json
from pathlib import Path

import numpy as np
import pytest

from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.folds import with_folds
from sweep.audio.open_set import SilenceSpec, StreamSpec, UnknownSpec
from sweep.candidate import QUANTIZATIONS, Candidate
from sweep.deployed import measure_files
from sweep.evaluation import Evaluation
from sweep.limits import Limit
from sweep.litert import Model, zipped_kb
from sweep.metrics import METRICS, OF_STREAMS
from sweep.space import Space
from sweep.stages import evaluate as story
from sweep.stages.evaluate import evaluate
from sweep.statistics import confusion, mistakes
from sweep.stopping import Experience

from ..cli.shell import CLEAR
from .conftest import LONG, SMALL

EASY = [Limit.parse(METRICS["accuracy"], ">= 0.85"), Limit.parse(METRICS["size_kb"], "< 25")]
ALL = {"quantization": QUANTIZATIONS, "container": "stripped"}
SLOW = {"initial_learning_rate": 2e-5, "batch_size": 1}
"""Hardly learns anything in the steps after which a training may be stopped."""


def limits(**texts: str) -> list[Limit]:
    return [Limit.parse(METRICS[metric], text) for metric, text in texts.items()]


@pytest.fixture(scope="module")
def candidate() -> Candidate:
    return Candidate.from_parameters(SMALL | LONG | ALL)


@pytest.fixture(scope="module")
def evaluated(candidate, spoken) -> tuple[Evaluation, dict[str, bytes]]:
    return evaluate(candidate, spoken, EASY)


@pytest.fixture
def no_training(monkeypatch):
    monkeypatch.setattr(story, "fit", lambda *given, **named: pytest.fail("it was trained"))


def test_a_feasible_candidate_hands_over_what_was_measured(evaluated, spoken):
    evaluation, files = evaluated
    assert evaluation.outcome == "feasible" and evaluation.reason == ""
    assert set(files) == {"frontend.tflite", "model.tflite"}
    result = evaluation.result
    assert result["size_kb"] == zipped_kb(files["model.tflite"])
    clips = spoken.waveforms("validation", 16000).astype(np.float32) / 32768
    features = Model(files["frontend.tflite"]).run_each(clips)
    heard = Model(files["model.tflite"]).run_each(features).argmax(axis=1)
    assert np.mean(heard == spoken.targets("validation")) == result["accuracy"]


def test_every_variant_is_measured_and_the_smallest_that_holds_is_chosen(evaluated):
    evaluation, _ = evaluated
    assert [variant.quantization for variant in evaluation.variants] == list(QUANTIZATIONS)
    held = [v for v in evaluation.variants if max(v.violations.values()) <= 0]
    assert evaluation.result == min(held, key=lambda variant: variant["size_kb"])


def test_the_evaluation_tells_the_whole_story(evaluated, candidate, spoken):
    evaluation, _ = evaluated
    clips = spoken.counts["validation"]
    assert evaluation.clips == clips == sum(sum(row) for row in evaluation.confusion)
    right = sum(evaluation.confusion[i][i] for i in range(2))
    assert evaluation.result["accuracy"] == pytest.approx(right / clips)
    assert len(evaluation.mistakes) == clips - right
    assert set(evaluation.mistakes) <= set(spoken.names("validation"))
    assert len(evaluation.losses) == len(evaluation.accuracies) == candidate.training.epochs
    assert evaluation.original_accuracy == evaluation.accuracies[-1]
    assert evaluation.original_size_kb == evaluation.result["parameters"] * 4 / 1024
    assert 0.35 < evaluation.sparsity < 0.5
    stages = ["gate", "features", "training", "compression", "measurement"]
    assert list(evaluation.seconds) == stages
    assert all(seconds > 0 for seconds in evaluation.seconds.values())


def test_the_most_confident_mistake_comes_first():
    names, truth = ["a", "b", "c", "d"], np.array([0, 0, 1, 1])
    answers = np.array([[0.4, 0.6], [0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    assert mistakes(names, truth, answers) == ("c", "a")
    assert confusion(truth, answers) == ((1, 1), (1, 1))


def test_no_more_mistakes_are_listed_than_anybody_looks_at():
    truth, sure = np.zeros(1000, int), np.linspace(0.5, 1, 1000)
    listed = mistakes([str(i) for i in range(1000)], truth, np.stack([1 - sure, sure], 1))
    assert listed == tuple(str(i) for i in range(999, 799, -1))


def test_an_evaluation_survives_json(evaluated):
    evaluation, _ = evaluated
    assert Evaluation.from_json(json.loads(json.dumps(evaluation.to_json()))) == evaluation


def test_an_infeasible_candidate_keeps_its_figures_but_no_files(spoken):
    # A margin is left to the gate: an expected size so little beyond the limit is tried.
    quick = Candidate.from_parameters(SMALL | {"epochs": 1})
    size_kb = evaluate(quick, spoken, [])[0].result["size_kb"]
    limit = Limit("size_kb", "<", round(size_kb / 1.04, 2))
    evaluation, files = evaluate(quick, spoken, [limit])
    assert evaluation.outcome == "infeasible" and files == {}
    assert evaluation.reason == f"{size_kb:.4g} misses {limit}"
    assert evaluation.result["accuracy"] is not None
    assert evaluation.result.violations["size_kb"] == pytest.approx(0.04, abs=0.01)


def test_without_limits_everything_is_feasible(spoken):
    quick = Candidate.from_parameters(SMALL | {"epochs": 1})
    assert evaluate(quick, spoken, [])[0].outcome == "feasible"


@pytest.mark.usefixtures("no_training")
def test_a_gated_candidate_is_never_trained(candidate, spoken):
    evaluation, files = evaluate(candidate, spoken, limits(accuracy=">= 0.9", size_kb="< 1"))
    assert evaluation.outcome == "gated" and files == {}
    assert evaluation.reason.endswith("misses size_kb < 1")
    assert evaluation.result["accuracy"] is None
    assert set(evaluation.result.violations) == {"size_kb"}
    assert list(evaluation.seconds) == ["gate"]
    smallest = min(evaluation.variants, key=lambda variant: variant["size_kb"])
    assert evaluation.result == smallest
    assert Evaluation.from_json(json.loads(json.dumps(evaluation.to_json()))) == evaluation


def test_a_stopped_candidate_says_how_far_it_came(spoken):
    slow = Candidate.from_parameters(SMALL | SLOW | ALL | {"epochs": 20})
    strict = limits(accuracy=">= 1", size_kb="< 25")
    evaluation, files = evaluate(slow, spoken, strict, Experience(strict).rules(20))
    assert evaluation.outcome == "stopped" and files == {}
    epochs = len(evaluation.accuracies)
    assert 4 <= epochs < 20 and f"after {epochs} of 20 epochs" in evaluation.reason
    assert evaluation.reason.endswith("accuracy >= 1 is out of reach")
    assert len(evaluation.losses) == epochs
    assert evaluation.result["accuracy"] == evaluation.accuracies[-1]
    assert evaluation.result.violations["accuracy"] > 0
    assert Evaluation.from_json(json.loads(json.dumps(evaluation.to_json()))) == evaluation


def test_a_candidate_that_reaches_the_limit_is_not_stopped(spoken):
    quick = Candidate.from_parameters(SMALL | {"epochs": 10, "batch_size": 2})
    finished, _ = evaluate(quick, spoken, [])
    limit = Limit("accuracy", ">=", finished.result["accuracy"])
    again, _ = evaluate(quick, spoken, [limit], Experience([limit]).rules(10))
    assert again.outcome == "feasible"
    assert again.accuracies == finished.accuracies


def test_a_stopped_candidate_weighs_what_it_would_have_weighed(spoken):
    slow = Candidate.from_parameters(SMALL | SLOW | ALL | {"epochs": 5})
    strict = limits(accuracy=">= 1")
    told = [evaluate(slow, spoken, strict, rules)[0] for rules in (Experience(strict).rules(5), ())]
    assert [evaluation.outcome for evaluation in told] == ["stopped", "infeasible"]
    stopped, finished = (evaluation.result for evaluation in told)
    assert stopped.quantization == finished.quantization != "float32"
    assert stopped["size_kb"] == pytest.approx(finished["size_kb"], rel=0.05)


def test_testing_clips_are_never_read(candidate, spoken, monkeypatch):
    read = []
    for method in ("waveforms", "names", "targets"):
        monkeypatch.setattr(Dataset, method, refuse_testing(getattr(Dataset, method), read))
    afresh = Candidate.from_parameters(candidate.parameters() | {"num_mel_bins": 14, "epochs": 2})
    evaluate(afresh, spoken, [])
    assert {"training", "validation"} == set(read)


def refuse_testing(method, read: list[str]):
    def guarded(self, split, *rest):
        if split == "testing":
            pytest.fail("the testing clips were read")
        read.append(split)
        return method(self, split, *rest)

    return guarded


@pytest.fixture(scope="module")
def published(recordings: Path) -> Dataset:
    """Go and stop as the course split them in 2022."""
    lists = recordings.with_name("speech_commands_splits")
    splits = ("training", "validation", "testing")
    files = {split: str(lists / f"polito2022_{split}_list.txt") for split in splits}
    return open_dataset(DatasetSpec(str(recordings), ("stop", "go"), files))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_published_winner_measures_as_published(published, seed):
    evaluation, _ = evaluate(Candidate(seed=seed), published, [])
    result = evaluation.result
    assert 44.0 <= result["tflite_size_kb"] <= 44.4
    assert 20.2 <= result["size_kb"] <= 21.2
    assert 0.95 <= result["accuracy"] <= 0.995
    assert result["parameters"] == 10_818
    assert evaluation.sparsity == pytest.approx(0.62, abs=0.01)
    assert evaluation.clips == published.counts["validation"] == 197


BRIEF = Candidate.from_parameters(SMALL | {"epochs": 20} | ALL)


@pytest.fixture(scope="module")
def folded(spoken) -> Dataset:
    return with_folds(spoken, 2)


@pytest.fixture(scope="module")
def judged(folded) -> tuple[Evaluation, dict[str, bytes]]:
    return evaluate(BRIEF, folded, [])


class TestFolds:
    """A candidate judged by cross-validation."""

    def test_its_accuracy_counts_every_clip_once(self, judged, folded) -> None:
        evaluation, _ = judged
        clips = folded.counts["training"] + folded.counts["validation"]
        assert evaluation.clips == clips == sum(sum(row) for row in evaluation.confusion)
        right = sum(evaluation.confusion[i][i] for i in range(2))
        assert evaluation.result["accuracy"] == right / clips
        assert len(set(evaluation.mistakes)) == len(evaluation.mistakes) == clips - right
        held = {name for fold in folded.folds for name in fold.names("validation")}
        assert set(evaluation.mistakes) <= held

    def test_its_accuracy_is_that_of_a_training_for_each_fold(self, judged, folded) -> None:
        evaluation, _ = judged
        each = [evaluate(BRIEF, fold, [])[0] for fold in folded.folds]
        for i, variant in enumerate(evaluation.variants):
            right = sum(one.variants[i]["accuracy"] * one.clips for one in each)
            assert variant["accuracy"] == pytest.approx(right / evaluation.clips)

    def test_what_it_hands_over_is_trained_as_without_folds(self, judged, spoken) -> None:
        evaluation, files = judged
        alone, same = evaluate(BRIEF, spoken, [])
        assert files == same
        assert evaluation.losses == alone.losses and evaluation.accuracies == alone.accuracies

    def test_it_ends_when_the_clips_left_cannot_make_up(self, folded) -> None:
        slow = Candidate.from_parameters(SMALL | {"epochs": 1, "initial_learning_rate": 2e-5})
        evaluation, files = evaluate(slow, folded, limits(accuracy=">= 0.97"))
        assert evaluation.outcome == "stopped" and files == {}
        assert evaluation.reason.endswith("after 1 of 2 folds; accuracy >= 0.97 is out of reach")
        assert evaluation.result["accuracy"] < 0.9
        finished, _ = evaluate(slow, folded, limits(accuracy=">= 0.3"))
        assert finished.outcome in ("feasible", "infeasible")


@pytest.mark.parametrize("folds", [0, 2])
def test_false_accepts_are_counted_and_limited_where_something_is_no_keyword(folds):
    unknown = UnknownSpec(words=("left", "house"), share=1.0, held_out=("house",))
    dataset = open_dataset(
        DatasetSpec(
            "synthetic",
            ("stop", "go"),
            parameters=CLEAR,
            unknown=unknown,
            silence=SilenceSpec(),
        )
    )
    dataset = with_folds(dataset, folds)
    quick = Candidate.from_parameters(SMALL | {"epochs": 5})
    evaluation, _ = evaluate(quick, dataset, limits(false_accept_rate="<= 1"))
    counts = np.array(evaluation.confusion)
    rejected = counts[2:, 2:].sum(axis=1)
    worst = max(1 - rejected / counts[2:].sum(axis=1))
    assert evaluation.result["false_accept_rate"] == pytest.approx(worst)
    assert evaluation.result.violations["false_accept_rate"] == pytest.approx(worst - 1)
    assert counts.sum() == evaluation.clips and counts[2].sum() > 0


@pytest.fixture(scope="module")
def streamed() -> Dataset:
    unknown = UnknownSpec(words=("left", "house"), share=1.0, held_out=("house",))
    spec = DatasetSpec(
        "synthetic",
        ("stop", "go"),
        parameters=CLEAR,
        unknown=unknown,
        streams=StreamSpec(hours=0.05, snr_db=(10.0, 30.0)),
    )
    return open_dataset(spec)


class TestStreams:
    """Detection in a stream of the validation split, where the data set asks for it."""

    def test_every_variant_has_an_operating_point_within_the_limit(self, streamed):
        for bound in (20, 400):
            variants = {"quantization": ("float32", "int8")}
            candidate = Candidate.from_parameters(SMALL | variants | {"epochs": 20})
            allowed = limits(false_alarms_per_hour=f"<= {bound}", miss_rate="<= 1")
            evaluation, files = evaluate(candidate, streamed, allowed)
            assert evaluation.outcome == "feasible" and files
            for variant in evaluation.variants:
                assert variant.point is not None and 0 < variant.point.threshold <= 1
                assert variant["false_alarms_per_hour"] <= bound
                assert 0 <= variant["miss_rate"] < 1
                assert variant.exposures["false_alarms_per_hour"] == pytest.approx(0.05)
            assert Evaluation.from_json(json.loads(json.dumps(evaluation.to_json()))) == evaluation

    def test_files_measure_in_the_stream_what_the_search_did(self, streamed):
        candidate = Candidate.from_parameters(SMALL | {"epochs": 20, "quantization": ("int8",)})
        evaluation, files = evaluate(candidate, streamed, [])
        result = evaluation.result
        space = Space.parse(
            "dataset: {labels: [stop, go], unknown: {}, streams: {}}\n"
            "latency: {command: \"sh -c 'echo 2.5' {model}\"}"
        )
        measured = measure_files(
            files, streamed, "validation", candidate.frontend, result.point, {}, space
        ).measured
        for name in OF_STREAMS:
            assert measured[name] == result[name]
        assert measured.detected.keywords > 5
        assert measured["latency_ms"] == 5.0

    def test_the_testing_split_is_not_looked_at(self, streamed, monkeypatch):
        read = []
        waveforms = Dataset.waveforms
        monkeypatch.setattr(
            Dataset,
            "waveforms",
            lambda self, split, rate: read.append(split) or waveforms(self, split, rate),
        )
        evaluate(Candidate.from_parameters(SMALL | {"epochs": 2}), streamed, [])
        assert "validation" in read and "testing" not in read
