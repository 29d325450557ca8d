from dataclasses import replace

import pytest

from sweep.evaluation import Evaluation
from sweep.metrics import METRICS
from sweep.space import Space
from sweep.study.finalist import Finalist
from sweep.study.picks import pick
from sweep.study.summary import (
    caution,
    effort,
    feasible_front,
    finalists_verdict,
    goals,
    headline,
    limit_counts,
    nearest_misses,
    picks,
    warnings,
)
from sweep.study.table import table

from ..report.fake_studies import SPACE, SPOTTER, again, make_record, with_finalists


@pytest.fixture(scope="module")
def record():
    return make_record(300, seed=9)


@pytest.fixture(scope="module")
def hopeless():
    return make_record(120, seed=9, offset=-0.1)


def test_headline_names_the_smallest_and_counts_what_could_be_tried(record):
    counted = sum(trial.evaluation.outcome != "invalid" for trial in record.trials)
    assert 0 < counted < 300
    trials = [trial for trial in record.trials if trial.evaluation.outcome == "feasible"]
    best = min(trials, key=lambda trial: trial.evaluation.result["size_kb"])
    smallest = best.evaluation.result
    assert headline(record, table(record)) == (
        f"{len(trials)} of {counted} trials meet the limits; the smallest, trial {best.number}, "
        f"takes {smallest['size_kb']:.2f}\u00a0KB at {smallest['accuracy']:.3f}."
    )


def test_headline_names_the_smallest_that_holds_where_some_were_trained_again(record):
    sizes = {
        trial.number: trial.evaluation.result["size_kb"]
        for trial in record.trials
        if trial.evaluation.outcome == "feasible"
    }
    refuted, holding = sorted(sizes, key=sizes.__getitem__)[:2]
    finalists = tuple(
        Finalist(
            number, {"accuracy": 0.98}, (again(1, heard, sizes[number]),), 200, {"accuracy": 200}
        )
        for number, heard in ((refuted, 0.9), (holding, 0.99))
    )
    told = headline(replace(record, finalists=finalists), table(record))
    which = f"the smallest finalist that holds, trial {holding}"
    size = f"{sizes[holding]:.2f}\u00a0KB"
    assert f"; {which}, takes {size} at 0.990 on the test clips." in told


def test_headline_without_feasible_trials_says_what_binds_and_by_how_much(hopeless):
    frame = table(hopeless)
    best, counted = frame["accuracy"].max(), (frame["outcome"] != "invalid").sum()
    assert headline(hopeless, frame) == (
        f"None of {counted} trials meets the limits. The limit accuracy >= 0.97 binds: the best "
        f"trial has {best:.3f}, {0.97 - best:.3f} away."
    )


def test_headline_of_trials_at_a_limit_itself_names_no_gap(hopeless):
    best = table(hopeless)["accuracy"].max()
    file = hopeless.space.file.model_copy(update={"limits": {"accuracy": f"> {best}"}})
    record = replace(hopeless, space=Space(file, "space.yaml"))
    assert headline(record, table(record)).endswith(
        f"binds: the best trial has exactly {best:.3f}."
    )


def test_headline_names_the_most_common_reason_where_every_trial_failed():
    record = make_record(20, seed=9)
    rows = [
        replace(
            trial, evaluation=Evaluation("failed", "no disk" if trial.number % 3 else "no luck")
        )
        for trial in record.trials
    ]
    record = replace(record, trials=tuple(rows))
    assert headline(record, table(record)) == (
        "None of 20 trials meets the limits. "
        "Every trial failed; the most common reason, 13 times: no disk"
    )


def test_headline_of_an_empty_study():
    record = make_record(0)
    assert headline(record, table(record)) == "No trial has finished yet."
    assert caution(record, table(record)) == ""
    assert picks(record, table(record)) == []


def test_limits_are_counted_one_by_one(record):
    for count in limit_counts(record):
        metric, results = count.limit.metric, [t.evaluation.result for t in record.trials]
        values = [r[metric] for r in results if r and r[metric] is not None]
        assert count.measured == len(values)
        assert count.failed == sum(count.limit.violation(value) > 0 for value in values)
        assert count.alone <= count.failed
        assert count.alone == sum(
            r.outcome in ("feasible", "infeasible", "stopped")
            and {m for m, v in r.result.violations.items() if v > 0} == {metric}
            for r in (trial.evaluation for trial in record.trials)
            if r.result
        )
    assert [c.limit.metric for c in limit_counts(record) if c.binds] == ["accuracy"]


def test_picks_are_the_extremes(record):
    frame = table(record)
    feasible = frame[frame["outcome"] == "feasible"].set_index("trial")
    trials = {pick.word: pick.trial for pick in picks(record, frame)}
    assert feasible["size_kb"][trials["smallest"]] == feasible["size_kb"].min()
    assert feasible["latency_ms"][trials["fastest"]] == feasible["latency_ms"].min()
    assert feasible["accuracy"][trials["most-accurate"]] == feasible["accuracy"].max()


def test_of_finalists_only_those_that_hold_are_picked_as_export_does(record):
    judged = with_finalists(record, 4)
    frame = table(judged)
    assert 0 < len(judged.confirmed()) < 4
    for one in picks(judged, frame):
        assert one.trial in judged.confirmed()
        assert one.trial == pick(frame, one.word, judged.space, judged.confirmed())["trial"]


def test_of_finalists_that_hold_the_most_accurate_is_so_on_the_test_clips(record):
    judged = with_finalists(record, 6)
    held = judged.confirmed().values()
    best = max(held, key=lambda one: one.mean("accuracy"))
    most = max(held, key=lambda one: one.searched["accuracy"])
    assert best.trial != most.trial
    card = {one.word: one for one in picks(judged, table(judged))}["most-accurate"]
    assert card.trial == best.trial
    low, high = best.interval("accuracy")
    found = f"{best.mean('accuracy'):.3f}"
    assert card.lead == found
    assert card.rest.startswith(f"accuracy {found} ({low:.3f}–{high:.3f}); latency ")
    assert card.rest.endswith(" – on the test clips")


def test_nearest_misses_are_trained_and_sorted(hopeless):
    misses = nearest_misses(table(hopeless))
    assert misses["accuracy"].notna().all()
    assert misses["violation"].is_monotonic_increasing
    assert len(misses) == 8


def test_effort_counts_what_was_spent_and_what_was_saved(record):
    outcomes = [trial.evaluation.outcome for trial in record.trials]
    spent = effort(record)
    ended = outcomes.count("feasible") + outcomes.count("infeasible")
    assert spent.spent == pytest.approx(6 * ended + 1.5 * outcomes.count("stopped"))
    gated, stopped = outcomes.count("gated"), outcomes.count("stopped")
    assert spent.saved == pytest.approx({"gated": 6 * gated, "stopped": 4.5 * stopped})


def test_a_warning_says_what_is_not_known_of_other_speakers():
    record = make_record(30)
    everybody = {"training": 2, "validation": 2, "testing": 2}
    about = record.about | {"speakers": {"counts": everybody, "shared": 2, "new": 0, "unnamed": 0}}
    assert not any("speakers" in one.text for one in warnings(record, table(record)))
    first, *_ = warnings(replace(record, about=about), table(record))
    assert "Other speakers were not tried" in first.text


def test_goals_follow_objectives_and_limits_the_size_first(record):
    accuracy, latency, size = (METRICS[name] for name in ("accuracy", "latency_ms", "size_kb"))
    assert goals(record.space) == (accuracy, [size, latency])
    other = SPACE + "objectives: {accuracy: maximize, parameters: minimize}\n"
    parameters = METRICS["parameters"]
    assert goals(make_record(0, space=other).space)[1] == [size, parameters, latency]


def test_a_metric_named_alone_is_set_off_by_one_that_is_known_of_gated_trials_too():
    before, _, after = SPACE.partition("limits:")
    limits = "limits: {accuracy: '>= 0.97'}\nobjectives: {accuracy: maximize}\n"
    space = make_record(0, space=before + limits + after.partition("\n")[2]).space
    assert goals(space) == (METRICS["accuracy"], [METRICS["size_kb"]])


def test_the_front_agrees_with_brute_force():
    record = make_record(400, seed=5)
    points = {
        trial.number: trial.evaluation.result
        for trial in record.trials
        if trial.evaluation.outcome == "feasible"
    }

    def beats(one, other):
        a = (-one["accuracy"], one["latency_ms"], one["size_kb"])
        b = (-other["accuracy"], other["latency_ms"], other["size_kb"])
        return all(x <= y for x, y in zip(a, b, strict=True)) and a != b

    unbeaten = {n for n, p in points.items() if not any(beats(q, p) for q in points.values())}
    assert len(unbeaten) > 2
    assert set(feasible_front(record, table(record))["trial"]) == unbeaten


def test_a_range_with_the_best_trials_at_its_end_is_a_warning_with_a_line_to_type():
    record = make_record(160, seed=20)
    (found,) = warnings(record, table(record))
    assert found.text.startswith("num_mel_bins: 2 of the 3 trials on the front lie at its high end")
    assert found.advice == "num_mel_bins: {low: 8, high: 56, step: 4}"


def test_without_trials_there_is_nothing_to_warn_of():
    record = make_record(0)
    assert warnings(record, table(record)) == []


def test_the_verdict_on_finalists_counts_those_that_hold(record):
    judged = with_finalists(record, 4)
    held = len(judged.confirmed())
    assert 1 < held < 4
    assert finalists_verdict(judged) == f"{held} of 4 finalists hold: the means keep every limit."
    refuted = [one for one in judged.finalists if one.trial not in judged.confirmed()]
    told = finalists_verdict(replace(judged, finalists=tuple(refuted)))
    assert told == "None of the finalists holds: search longer, or ease a limit."


def test_the_verdict_says_what_the_hours_can_show():
    assert "an hour" not in finalists_verdict(with_finalists(make_record(80, seed=11), 2))
    space = SPOTTER.replace("<= 20", "<= 500").replace('miss_rate: "<= 0.3', 'miss_rate: "<= 0.9')
    record = with_finalists(make_record(80, seed=11, space=space), 2)
    assert finalists_verdict(record) == (
        "2 of 2 finalists hold: the means keep every limit."
        " No false alarm in 0.25 h is below 12 an hour (95\u00a0%)."
    )


def test_limits_that_the_streams_cannot_show_are_a_warning():
    record = make_record(3, space=SPOTTER.replace("<= 20", "<= 2"))
    (found,) = (one.text for one in warnings(record, table(record)) if "h of sound" in one.text)
    assert found == record.space.facts()["cautions"][0]
    assert found.startswith("0.25 h of sound cannot show false_alarms_per_hour <= 2:")
