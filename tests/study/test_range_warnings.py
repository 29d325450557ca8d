import pytest

from sweep.study.range_warnings import range_warnings
from sweep.study.summary import feasible_front
from sweep.study.table import table

from ..report.fake_studies import SPACE, make_record


def found(parameter, value, trials=40, space=SPACE):
    """The warnings of a study whose feasible trials all have one value of one parameter."""
    record = make_record(trials, seed=8, space=space)
    frame = table(record)
    frame = frame[frame["accuracy"].notna()].assign(outcome="feasible", **{parameter: value})
    best = feasible_front(record, frame)
    return [one for one in range_warnings(record.space, best) if one.parameter == parameter]


@pytest.mark.parametrize(
    ("parameter", "value", "line"),
    [
        ("alpha", 1.0, "alpha: {low: 0.08, high: 2, log: true}"),
        ("alpha", 0.082, "alpha: {low: 0.04, high: 1, log: true}"),
        ("num_mel_bins", 40, "num_mel_bins: {low: 8, high: 56, step: 4}"),
        ("num_mel_bins", 8, "num_mel_bins: {low: 4, high: 40, step: 4}"),
        ("blocks", 4, "blocks: {low: 1, high: 5}"),
        ("blocks", 1, "blocks: {low: 0, high: 4}"),
        ("final_sparsity", 0.9, "final_sparsity: {low: 0, high: 0.99}"),
    ],
)
def test_an_end_that_holds_the_best_is_named_with_the_line_to_change(parameter, value, line):
    (warning,) = found(parameter, value)
    assert warning.line == line
    assert warning.near == warning.best >= 3


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("alpha", 0.3), ("num_mel_bins", 24), ("final_sparsity", 0.0), ("frontend", "mfcc")],
)
def test_the_middle_an_end_that_cannot_move_and_a_choice_are_left_alone(parameter, value):
    assert found(parameter, value) == []


def test_what_was_searched_remains_so_to_the_last_digit():
    space = SPACE.replace(
        "{low: 0.08, high: 1.0, log: true}", "{low: 0.0123456, high: 1, log: true}"
    )
    (warning,) = found("alpha", 1.0, space=space)
    assert warning.line == "alpha: {low: 0.0123456, high: 2, log: true}"
    wide = "upper_frequency: {low: 4000, high: 11025}\n  downsampling_rate: 22050"
    space = SPACE.replace("upper_frequency: [2000, 4000, 8000]", wide)
    assert found("upper_frequency", 11025, space=space) == []


def test_an_end_less_than_a_step_from_the_last_that_may_be_is_left_alone():
    space = SPACE.replace("{low: 0.0, high: 0.9}", "{low: 0.0, high: 0.9, step: 0.1}")
    assert found("final_sparsity", 0.9, space=space) == []


@pytest.mark.parametrize(
    ("rates", "high", "line"),
    [
        ("16000", 8000, None),
        ("16000", 7000, "upper_frequency: {low: 1000, high: 8000}"),
        ("[8000, 44100]", 8000, "upper_frequency: {low: 1000, high: 11500}"),
    ],
)
def test_a_frequency_ends_at_half_the_highest_sampling_rate(rates, high, line):
    wanted = f"upper_frequency: {{low: 1000, high: {high}}}\n  downsampling_rate: {rates}"
    space = SPACE.replace("upper_frequency: [2000, 4000, 8000]", wanted)
    assert [one.line for one in found("upper_frequency", high, space=space)] == (
        [] if line is None else [line]
    )


def test_few_trials_warn_of_nothing():
    record = make_record(2)
    assert range_warnings(record.space, feasible_front(record, table(record))) == []
