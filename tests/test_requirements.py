import pytest

from sweep.candidate import PARAMETERS, Candidate
from sweep.requirements import broken_rule, requirement

KNOWN = f"; known: {', '.join(PARAMETERS)}"


BROKEN = [
    ({"upper_frequency": 8001}, "upper_frequency", "8001 Hz is above the Nyquist frequency of"),
    (
        {"lower_frequency": 4000, "upper_frequency": 4000},
        "lower_frequency",
        "4000 Hz is not below upper_frequency (4000 Hz)",
    ),
    (
        {"frame_length_in_s": 0.016, "num_mel_bins": 129},
        "num_mel_bins",
        "129 is too many for a frame of 0.016 s, which has 128 frequency bins",
    ),
    ({"num_coefficients": 11}, "num_coefficients", "11 is more than num_mel_bins (10)"),
    (
        {"frame_step_in_s": 0.5},
        "frame_step_in_s",
        "0.5 leaves 2 frames of a clip of 1 s; stem needs 3 frames",
    ),
    (
        {"frame_length_in_s": 0.5, "clip_length_in_s": 0.4},
        "frame_length_in_s",
        "0.5 s is longer than a clip (0.4 s)",
    ),
    (
        {"time_shift_ms": 400, "clip_length_in_s": 0.4},
        "time_shift_ms",
        "400 ms is not below the length of a clip (0.4 s)",
    ),
    (
        {"num_coefficients": 2},
        "num_coefficients",
        "2 leaves 2 coefficients of a clip of 1 s; stem needs 3 coefficients",
    ),
    (
        {"streaming": True, "normalization": "per_clip"},
        "streaming",
        "a stream needs features that depend on one frame alone; those of this front end (mfcc) do",
    ),
    (
        {"streaming": True, "network": "tc_resnet"},
        "frame_step_in_s",
        "0.032 leaves 31 frames of a clip of 1 s; block_2_first needs 9 frames, and gets 3",
    ),
    ({"filters": 1, "alpha": 0.5}, "network", "int(filters * alpha) is 0; nothing is left"),
]
KEPT = [
    {"upper_frequency": 8000},
    {"lower_frequency": 3999, "upper_frequency": 4000},
    {"frame_length_in_s": 0.016, "num_mel_bins": 128},
    {"num_coefficients": 10},
    {"frame_step_in_s": 0.48},
    {"frame_length_in_s": 0.4, "frame_step_in_s": 0.1, "clip_length_in_s": 0.6},
    {"time_shift_ms": 399, "clip_length_in_s": 0.4},
    {"frame_step_in_s": 0.5, "clip_length_in_s": 1.04},
    {"num_coefficients": 3},
    {"filters": 2, "alpha": 0.5},
    {"streaming": True, "normalization": "per_coefficient"},
    {"streaming": True, "network": "tc_resnet", "kernel_frames": 2},
]


def candidate(parameters):
    length = parameters.pop("clip_length_in_s", 1.0)
    return Candidate.from_parameters(parameters, clip_length_in_s=length)


@pytest.mark.parametrize(("parameters", "name", "message"), BROKEN)
def test_a_rule_fires(parameters, name, message):
    broken = broken_rule(candidate(parameters))
    assert broken.parameter == name
    assert broken.message.startswith(message)


@pytest.mark.parametrize("parameters", KEPT)
def test_a_rule_stays_silent_at_its_edge(parameters):
    assert broken_rule(candidate(parameters)) is None


def test_log_mel_features_have_no_coefficients_to_fit():
    assert broken_rule(candidate({"frontend": "log_mel", "num_mel_bins": 8})) is None
    broken = broken_rule(candidate({"frontend": "log_mel", "num_mel_bins": 2}))
    assert broken.parameter == "num_mel_bins"


VALUES = dict(PARAMETERS, num_coefficients=13, num_mel_bins=10, alpha=2.0, frontend="mfcc")


@pytest.mark.parametrize(
    "text",
    [
        "num_coefficients <= num_mel_bins",
        "num_coefficients - 4 <= num_mel_bins",
        "num_mel_bins < num_coefficients < 20",
        "num_mel_bins > num_coefficients or alpha * 2 == 4",
        "not (alpha > 1 and frontend == 'mfcc')",
        "frame_step_in_s / frame_length_in_s >= 0.5",
        "frontend != 'log_mel' and -alpha < 0",
        "prune_depthwise or epochs + 1 > 10",
        "num_mel_bins == 11 or num_mel_bins == 10 and alpha == 1",
        " not prune_depthwise and network == 'depthwise_separable' ",
    ],
)
def test_a_requirement_means_what_it_means_in_python(text):
    assert requirement(text)(VALUES) is bool(eval(text.strip(), {}, dict(VALUES)))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("xyz <= 3", f"'xyz <= 3' names 'xyz', which is no parameter{KNOWN}"),
        (
            "num_mels < 9",
            "'num_mels < 9' names 'num_mels', which is no parameter; did you mean num_mel_bins?",
        ),
        ("1 < 2", "'1 < 2' names no parameter"),
        ("", "'' is not a comparison of parameters"),
        ("alpha <", "'alpha <' is not a comparison of parameters"),
        ("import os", "'import os' is not a comparison of parameters"),
        ("alpha.real > 1", "'alpha.real > 1' is not a comparison of parameters"),
        ("alpha ** 99 > 1", "'alpha ** 99 > 1' is not a comparison of parameters"),
        ("(lambda: alpha)()", "'(lambda: alpha)()' is not a comparison of parameters"),
        ("alpha in [1]", "'alpha in [1]' is not a comparison of parameters"),
        ("alpha > None", "'alpha > None' is not a comparison of parameters"),
        ("alpha - 1", "'alpha - 1' is not a comparison of parameters"),
        ("alpha <= 0.4 or 1", "'alpha <= 0.4 or 1' is not a comparison of parameters"),
        ("not frontend", "'not frontend' is not a comparison of parameters"),
        ("-" * 3000 + "alpha < 1", f"'{'-' * 3000}alpha < 1' is not a comparison of parameters"),
        (
            "'log_mell' != frontend",
            "\"'log_mell' != frontend\": frontend: 'log_mell' is no frontend;"
            " did you mean log_mel?",
        ),
        ("blocks == 'two'", "\"blocks == 'two'\": blocks: 'two' is not a whole number"),
        (
            "__import__('os')",
            f"\"__import__('os')\" names '__import__', which is no parameter{KNOWN}",
        ),
    ],
)
def test_a_requirement_is_never_more_than_a_comparison(text, problem):
    with pytest.raises(ValueError) as refused:
        requirement(text)
    assert str(refused.value) == problem
