import re
from dataclasses import replace

import pytest

from sweep.format import duration
from sweep.metrics import METRICS, Metric
from sweep.report.page import to_json
from sweep.report.page.record import study_data
from sweep.study.summary import effort, headline, warnings
from sweep.study.table import table

from ..fake_studies import SPACE, make_record, with_finalists

ENERGY = Metric("energy_uj", "energy of one clip", unit="uJ")
SPEED = Metric("clips_per_s", "clips in a second", unit="1/s", better="higher", known="trained")


@pytest.fixture(scope="module")
def record():
    return make_record(160, seed=11)


def with_metric(record, metric, value):
    """A study whose objectives also name a metric from outside; ``value`` tells it of a variant."""

    def measured(trial):
        variants = tuple(
            replace(one, metrics={**one.metrics, metric.name: value(one)})
            for one in trial.evaluation.variants
        )
        return replace(trial, evaluation=replace(trial.evaluation, variants=variants))

    record.space.metrics = METRICS | {metric.name: metric}
    record.space.file.objectives[metric.name] = metric.direction
    return replace(record, trials=tuple(map(measured, record.trials)))


@pytest.mark.parametrize("trials", [0, 1, 2])
def test_a_study_of_any_size_has_a_record_of_plain_values(trials):
    assert to_json(study_data(make_record(trials))).startswith('{"name":"go_stop"')


def test_page_and_shell_say_the_same_words(record):
    data, frame = study_data(record), table(record)
    assert data["headline"] == headline(record, frame)
    assert [one["text"] for one in data["warnings"]] == [w.text for w in warnings(record, frame)]


def test_a_study_with_every_parameter_fixed_compares_nothing():
    space = re.sub(r"parameters:\n.*?(?=require)", "", SPACE, flags=re.DOTALL)
    data = study_data(make_record(1, space=space))
    assert data["matters"] == [] and "importance" not in data["figures"]


def test_without_feasible_trials_the_nearest_misses_are_listed():
    data = study_data(make_record(80, seed=3, offset=-0.1))
    assert data["picks"] == [] and len(data["misses"]["rows"]) == 8
    assert re.match(r"None of \d+ trials meets the limits", data["headline"])


def test_each_limit_tells_which_share_broke_it(record):
    for told, limit in zip(study_data(record)["limits"], record.space.limits, strict=True):
        results = [t.evaluation.result for t in record.trials if t.evaluation.result]
        known = [one[limit.metric] for one in results if one[limit.metric] is not None]
        failed = sum(limit.violation(value) > 0 for value in known)
        assert told["limit"] == str(limit)
        assert told["text"].startswith(f"{failed} of {len(known)} measured fail")
        assert (f"({failed / len(known):.0%})" in told["text"]) == (failed > 0)


def test_the_funnel_tells_what_was_saved_and_what_was_confirmed(record):
    record = with_finalists(record, 3)
    funnel = {bar["name"]: bar for bar in study_data(record)["funnel"]}
    assert list(funnel)[0] == "suggested" and funnel["suggested"]["count"] == 160
    assert {name: funnel[name]["count"] for name in record.funnel()} == record.funnel()
    assert funnel["confirmed"]["count"] == len(record.confirmed())
    assert funnel["confirmed"]["note"] == "of 3 finalists"
    for outcome, seconds in effort(record).saved.items():
        assert funnel[outcome]["note"] == f"saved about {duration(seconds)}"


def test_finalists_are_looked_at_closely_and_their_clips_played_where_they_are(record):
    judged = with_finalists(record, 2)
    name = next(m for one in judged.finalists for t in one.retrainings for m in t.mistakes)
    playable = {
        clip["name"]: clip["playable"]
        for one in study_data(judged, playable={name})["finalists"]["each"]
        for clip in one["worst"]
    }
    assert [clip for clip, played in playable.items() if played] == [name] and len(playable) > 1
    assert not any(
        clip["playable"] for one in study_data(judged)["finalists"]["each"] for clip in one["worst"]
    )


def test_the_careful_reader_finds_definitions_facts_and_the_space(record):
    data = study_data(record)
    facts = {group["title"]: group["facts"] for group in data["about"]}
    assert facts["This study"]["clips"]["training"] == 1582
    assert "DEFLATE" in facts["Metrics"]["size"]
    assert facts["Limits"]["accuracy"] == ">= 0.97"
    assert "num_mel_bins:" in data["space"]


def test_a_metric_from_outside_is_shown_everywhere():
    record = with_metric(
        make_record(80, seed=11), ENERGY, lambda one: 1e-4 * one["multiply_adds"] + one["size_kb"]
    )
    data = study_data(record)
    assert {"name": "energy_uj", "title": "energy (uJ)"} in data["costs"]
    assert "energy (uJ)" in data["figures"]["front-energy_uj"]["layout"]["xaxis"]["title"]["text"]
    lines = data["figures"]["parallel-all"]["data"][0]
    assert "energy (uJ)" in [axis["label"] for axis in lines["dimensions"]]
    assert "lowest energy (uJ)" in data["prices"]["head"]
    column = next(column for column in data["columns"] if column["name"] == "energy_uj")
    assert column["studied"] and column["unit"] == "uJ"
    for trial, told in zip(record.trials, data["trials"]["energy_uj"], strict=True):
        result = trial.evaluation.result
        assert told == (result and pytest.approx(result["energy_uj"], abs=0.01))
    assert "energy" in data["figures"]["importance"]["data"][0]["x"]
    assert "best energy (uJ)" in [
        note["text"] for note in data["figures"]["progress-trials"]["layout"]["annotations"]
    ]


def test_of_a_metric_that_is_better_higher_the_steps_rise_to_the_left():
    record = with_metric(make_record(80, seed=11), SPEED, lambda one: 1000 / one["latency_ms"])
    front = study_data(record)["figures"]["front-clips_per_s"]
    steps = next(trace for trace in front["data"] if trace.get("mode") == "lines")
    assert list(steps["x"]) == sorted(steps["x"], reverse=True)
    assert list(steps["y"]) == sorted(steps["y"])
    assert "highest clips per s (1/s)" in study_data(record)["prices"]["head"]
