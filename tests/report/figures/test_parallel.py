import math
from dataclasses import replace

import pytest

from sweep.report.figures.parallel import SHOWN, draw_parallel, parallel
from sweep.study.table import table

from ..fake_studies import make_record


@pytest.fixture(scope="module")
def record():
    return make_record(300, seed=6)


@pytest.fixture(scope="module")
def frame(record):
    return table(record)


def axes_of(lines):
    return {axis.name: axis for axis in lines.axes}


@pytest.mark.parametrize("show", SHOWN)
def test_lines_are_the_trials_asked_for(record, frame, show):
    lines = parallel(record, frame, show)
    expected = [t.number for t in record.trials if t.evaluation.outcome in SHOWN[show]]
    assert lines.trials == expected
    assert all(len(axis.positions) == len(expected) for axis in lines.axes)


def test_every_varying_parameter_metric_and_limit_has_an_axis(record, frame):
    names = [axis.name for axis in parallel(record, frame, "all").axes]
    metrics = ["accuracy", "latency_ms", "size_kb", "worst_recall"]
    assert names == [*record.space.distributions, "variant", *metrics]


def test_log_parameters_have_log_axes_with_readable_ticks(record, frame):
    alpha = axes_of(parallel(record, frame, "all"))["alpha"]
    assert alpha.scale == "log"
    assert alpha.positions[3] == pytest.approx(math.log10(record.trials[3].candidate.network.alpha))
    assert alpha.texts[0] == "0.08" and alpha.texts[-1] == "1"


def test_choices_are_labelled(record, frame):
    axes = axes_of(parallel(record, frame, "all"))
    assert axes["frontend"].texts == ["mfcc", "log_mel"]
    assert axes["noise_snr_db"].texts == ["none", "0", "10"]
    noise = [t.candidate.augmentation.noise_snr_db for t in record.trials]
    assert axes["noise_snr_db"].positions == [{None: 0, 0: 1, 10: 2}[value] for value in noise]


def test_the_preset_ranges_keep_exactly_the_feasible_trials(record, frame):
    for show in SHOWN:
        trace = draw_parallel(parallel(record, frame, show)).data[0]
        values = {dimension.name: dimension["values"] for dimension in trace.dimensions}
        kept = [
            number
            for i, number in enumerate(trace.customdata)
            if all(lo <= values[m][i] <= hi for m, (lo, hi) in trace.meta["limits"].items())
        ]
        outcomes = {t.number: t.evaluation.outcome for t in record.trials}
        assert kept == [n for n in trace.customdata if outcomes[n] == "feasible"]


def test_what_was_not_measured_lies_below_the_axis(record, frame):
    trace = draw_parallel(parallel(record, frame, "all")).data[0]
    accuracy = next(d for d in trace.dimensions if d.name == "accuracy")
    nowhere = trace.meta["missing"]["accuracy"]
    measured = frame["accuracy"].notna().tolist()
    assert [value > nowhere for value in accuracy["values"]] == measured
    assert accuracy.ticktext[accuracy.tickvals.index(nowhere)] == "none"
    assert len(set(accuracy.ticktext)) == len(accuracy.ticktext)


def test_the_trace_names_its_logarithmic_axes_and_colours_by_plain_numbers(record, frame):
    lines = parallel(record, frame, "all")
    figure = draw_parallel(lines)
    assert set(figure.data[0].meta["log"]) >= {"alpha", "size_kb"}
    assert "accuracy" not in figure.data[0].meta["log"]
    size = replace(lines, colours=axes_of(lines)["size_kb"])
    bar = draw_parallel(size).layout.coloraxis.colorbar
    assert [float(f"{10**at:.3g}") for at in bar.tickvals] == [float(text) for text in bar.ticktext]


def test_the_published_view_is_front_end_against_accuracy(record, frame):
    trace = draw_parallel(parallel(record, frame, "all")).data[0]
    assert trace.meta["frontend"] == [
        "frontend",
        "frame_length_in_s",
        "frame_step_in_s",
        "num_mel_bins",
        "upper_frequency",
        "num_coefficients",
        "accuracy",
    ]
