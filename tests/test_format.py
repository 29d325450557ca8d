import pytest

from sweep.candidate import Candidate
from sweep.format import (
    counted,
    describe_candidate,
    duration,
    metric_title,
    plain,
    short_title,
    title,
)
from sweep.metrics import METRICS, Metric


def test_titles_have_units():
    assert title("frame_step_in_s") == "frame step (s)"
    assert title("time_shift_ms") == "time shift (ms)"
    assert title("alpha") == "alpha"
    assert metric_title(METRICS["size_kb"]) == "size (KB)"
    assert metric_title(METRICS["worst_recall"]) == "worst recall"
    assert metric_title(Metric("energy_uj", "of one clip", unit="uJ")) == "energy (uJ)"


def test_short_titles_have_none():
    assert short_title(METRICS["size_kb"]) == "size"
    assert short_title(METRICS["multiply_adds"]) == "multiply adds"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (float("nan"), "none"),
        (True, "true"),
        (0.0123456, "0.01235"),
        (123456.7, "123457"),
        (["int8", 3], "int8, 3"),
    ],
)
def test_values_of_parameters_are_short(value, text):
    assert plain(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.25, "3.2 s"), (90, "90 s"), (150, "2.5 min"), (9000, "2.5 h")]
)
def test_time_spans_have_the_unit_that_suits_them(seconds, text):
    assert duration(seconds) == text


def test_one_thing_is_not_several():
    assert [counted(n, "clip") for n in (0, 1, 1200)] == ["0 clips", "1 clip", "1,200 clips"]


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"alpha": 0.25}, "32 channels, 2 blocks, 50 % sparse"),
        ({"alpha": 0.25, "streaming": True}, "32 channels, 2 blocks, streaming, 50 % sparse"),
        (
            {"network": "temporal", "blocks": 1, "kernel_frames": 5},
            "64 channels, 1 block, temporal convolutions, kernel_frames 5, 50 % sparse",
        ),
        (
            {"network": "tc_resnet", "width": 0.5},
            "tc_resnet, width 0.5, kernel_frames 9, 50 % sparse",
        ),
    ],
)
def test_a_network_is_described_by_what_is_not_as_usual(parameters, told):
    row = Candidate.from_parameters({"final_sparsity": 0.5} | parameters).parameters()
    assert describe_candidate(row | {"variant": None}).endswith(f"; {told}")
