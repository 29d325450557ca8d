from dataclasses import dataclass, replace

import pytest

from sweep import registry
from sweep.candidate import (
    CHOSEN,
    DOMAINS,
    GROUPS,
    PARAMETERS,
    Candidate,
    TrainingParams,
    digest,
    domains_of,
    parameter_facts,
    parameters_of,
)
from sweep.errors import PluginError
from sweep.frontends.log_mel import LogMel
from sweep.frontends.mfcc import MFCC
from sweep.networks.base import Network
from sweep.networks.bc_resnet import BCResNet
from sweep.networks.ds_cnn import DSCNN
from sweep.parameters import defaults, domains, parameter


def test_the_defaults_are_the_published_winner():
    parameters = Candidate().parameters()
    assert Candidate().frontend.shape == (31, 10)
    assert Candidate().network.width == 64
    published = {
        "downsampling_rate": 16000,
        "frame_length_in_s": 0.032,
        "frame_step_in_s": 0.032,
        "num_mel_bins": 10,
        "lower_frequency": 20,
        "upper_frequency": 8000,
        "num_coefficients": 10,
        "filters": 128,
        "alpha": 0.5,
        "final_sparsity": 0.7,
        "batch_size": 20,
        "initial_learning_rate": 0.01,
        "end_learning_rate": 1e-5,
        "epochs": 10,
    }
    assert {name: parameters[name] for name in published} == published


def test_no_parameter_stands_in_two_groups():
    names = [name for kind in (*GROUPS.values(), MFCC, DSCNN) for name in defaults(kind)]
    names += CHOSEN
    assert len(names) == len(set(names))
    assert list(parameters_of({})) == list(Candidate().parameters())
    assert sorted(names) == sorted(Candidate().parameters())
    assert set(names) <= set(PARAMETERS)


def test_parameters_are_those_of_the_network_that_is_named():
    candidate = Candidate.from_parameters({"network": "bc_resnet", "width": 0.5})
    assert candidate.network == BCResNet(width=0.5, bands=5)
    parameters = candidate.parameters()
    assert parameters["network"] == "bc_resnet" and parameters["bands"] == 5
    assert "alpha" not in parameters
    assert Candidate.from_parameters(parameters) == candidate
    with pytest.raises(KeyError, match="alpha"):
        Candidate.from_parameters({"network": "bc_resnet", "alpha": 0.5})


def test_networks_may_share_a_parameter_but_not_differ_about_it(monkeypatch):
    assert domains_of({"network": ["tc_resnet", "bc_resnet"]})["width"].high == 4

    class Other(Network):
        width: int = parameter(8, low=1, high=64, meaning="channels")

    monkeypatch.setitem(registry._registered, ("network", "other"), Other)
    with pytest.raises(PluginError, match="other: width may be something else in another network"):
        domains_of({"network": ["tc_resnet", "other"]})


def test_a_network_cannot_take_the_name_of_another_parameter(monkeypatch):
    class Greedy(Network):
        epochs: int = parameter(8, low=1, high=64, meaning="layers")

    monkeypatch.setitem(registry._registered, ("network", "greedy"), Greedy)
    with pytest.raises(PluginError, match="its parameter epochs has the name of another"):
        Candidate.from_parameters({"network": "greedy"})


def test_flat_parameters_make_the_candidate_they_came_from():
    candidate = Candidate.from_parameters(
        {"alpha": 0.25, "noise_snr_db": 5, "frontend": "log_mel", "quantization": ("int8",)}, seed=7
    )
    assert candidate.network.alpha == 0.25
    assert candidate.seed == 7
    assert Candidate.from_parameters(candidate.parameters(), seed=7) == candidate


def test_a_name_that_is_no_parameter_is_refused():
    with pytest.raises(KeyError, match="alfa"):
        Candidate.from_parameters({"alfa": 1})


def test_numbers_take_the_type_of_their_parameter():
    candidate = Candidate.from_parameters({"lower_frequency": 20, "epochs": 10.0})
    assert isinstance(candidate.frontend.lower_frequency, float)
    assert isinstance(candidate.training.epochs, int)
    assert candidate == Candidate()
    assert candidate.key() == Candidate().key()


def test_the_absence_of_noise_stays_none():
    assert Candidate.from_parameters({"noise_snr_db": None}).augmentation.noise_snr_db is None
    assert Candidate.from_parameters({"noise_snr_db": 5}).augmentation.noise_snr_db == 5.0


@pytest.mark.parametrize(
    ("length", "step", "shape"),
    [(0.032, 0.032, (31, 10)), (0.016, 0.016, (62, 10)), (0.032, 0.016, (61, 10))],
)
def test_frames_are_counted_without_padding(length, step, shape):
    frontend = MFCC(frame_length_in_s=length, frame_step_in_s=step)
    starts = range(0, 16000 - frontend.frame_length + 1, frontend.frame_step)
    assert frontend.shape == shape == (len(starts), 10)


@pytest.mark.parametrize(
    ("seconds", "samples", "frames"), [(0.25, 4000, 7), (1.0, 16000, 31), (4.0, 64000, 125)]
)
def test_the_shape_follows_the_length_of_a_clip(seconds, samples, frames):
    frontend = Candidate.from_parameters({}, clip_length_in_s=seconds).frontend
    assert frontend.num_samples == samples
    assert frontend.shape == (frames, 10)


def test_the_length_of_a_clip_is_no_parameter():
    candidate = Candidate.from_parameters({}, clip_length_in_s=0.5)
    assert "clip_length_in_s" not in PARAMETERS | candidate.parameters()
    with pytest.raises(KeyError, match="clip_length_in_s"):
        Candidate.from_parameters({"clip_length_in_s": 0.5})


def test_only_another_length_than_a_second_changes_the_key():
    lengths = (1.0, 0.5, 2.0)
    first, *others = [Candidate.from_parameters({}, clip_length_in_s=n).key() for n in lengths]
    assert first == Candidate().key()
    assert len({first, *others}) == 3


def test_the_transform_is_the_smallest_power_of_two_that_holds_a_frame():
    assert MFCC(frame_length_in_s=0.032).fft_length == 512
    assert MFCC(frame_length_in_s=0.033).fft_length == 1024
    assert MFCC(frame_length_in_s=0.025).fft_length == 512


def test_log_mel_features_are_as_many_as_mel_bins():
    assert LogMel(num_mel_bins=24).shape == (31, 24)
    assert MFCC(num_mel_bins=24).shape == (31, 10)


def test_equal_widths_share_a_key():
    wide = Candidate(network=DSCNN(filters=128, alpha=0.5))
    narrow = Candidate(network=DSCNN(filters=64, alpha=1.0))
    assert wide.key() == narrow.key()
    assert wide.key() != Candidate(network=DSCNN(filters=64, alpha=0.5)).key()


def test_every_candidate_trains_from_a_seed_of_its_own():
    candidates = [Candidate.from_parameters({"blocks": b}, seed) for b in (1, 2) for seed in (1, 2)]
    assert len({candidate.training_seed for candidate in candidates}) == 4
    again = Candidate.from_parameters({"blocks": 2, "filters": 64, "alpha": 1.0}, 2)
    assert again.training_seed == candidates[-1].training_seed


def test_what_changes_nothing_is_not_in_the_key():
    for same, other in (
        ({"final_sparsity": 0.0}, {"prune_depthwise": True}),
        ({"blocks": 0}, {"network": "standard"}),
        ({"blocks": 0, "final_sparsity": 0.5}, {"prune_depthwise": True}),
    ):
        keys = {Candidate.from_parameters(same | more).key() for more in ({}, other)}
        assert len(keys) == 1
    for kept in ({"network": "temporal"}, {"network": "temporal", "blocks": 0}):
        assert Candidate.from_parameters(kept).key() not in {
            Candidate.from_parameters(kept | {"network": other}).key()
            for other in ("depthwise_separable", "standard")
        }
    pruned = {"final_sparsity": 0.5}
    keys = {Candidate.from_parameters(pruned | {"prune_depthwise": p}).key() for p in (False, True)}
    assert len(keys) == 2


def test_parameters_are_those_of_the_front_end_that_is_named():
    candidate = Candidate.from_parameters({"frontend": "log_mel", "num_mel_bins": 20})
    assert candidate.frontend == LogMel(num_mel_bins=20)
    assert candidate.frontend.shape == (31, 20)
    assert candidate.key() != Candidate.from_parameters({"num_mel_bins": 20}).key()
    with pytest.raises(KeyError, match="num_coefficients"):
        Candidate.from_parameters({"frontend": "log_mel", "num_coefficients": 10})


def test_a_new_parameter_is_one_line_and_changes_no_key():
    @dataclass(frozen=True)
    class LongerTrainingParams(TrainingParams):
        warmup: int = parameter(0, low=0, high=100, meaning="epochs of a rising learning rate")

    longer = LongerTrainingParams(epochs=20)
    plain = Candidate(training=TrainingParams(epochs=20))
    assert Candidate(training=longer).key() == plain.key()
    assert Candidate(training=replace(longer, warmup=3)).key() != plain.key()
    assert domains(LongerTrainingParams)["warmup"].problem(101) == "101 is outside 0 to 100"


def test_every_other_parameter_and_the_seed_change_the_key():
    base = Candidate()
    others = {n: _other(v) for n, v in base.parameters().items()} | {
        "network": "tc_resnet",
        "frontend": "log_mel",
    }
    changed = [Candidate.from_parameters({n: v}).key() for n, v in others.items()]
    keys = [base.key(), replace(base, seed=1).key(), *changed]
    assert len(set(keys)) == len(keys)


def _other(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value * 2 + 1
    return 3.0 if value is None else ("other",) if isinstance(value, tuple) else "other"


def test_a_digest_is_stable():
    assert digest({"b": 1, "a": [1, 2]}) == digest({"a": (1, 2), "b": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest({})) == 20


def test_without_depthwise_kernels_there_is_none_to_prune():
    for convolution in ("standard", "depthwise_separable"):
        asked, plain = (
            Candidate.from_parameters({"network": convolution, "prune_depthwise": pruned})
            for pruned in (True, False)
        )
        assert (asked.key() == plain.key()) == (convolution == "standard")


def test_the_published_winner_trains_from_the_seed_it_always_had():
    assert Candidate().training_seed == 3572188777


def test_every_parameter_has_a_domain_that_holds_its_default():
    assert list(DOMAINS) == list(PARAMETERS)
    for name, default in PARAMETERS.items():
        values = default if isinstance(default, tuple) else [default]
        assert [DOMAINS[name].problem(value) for value in values] == [None] * len(values)


def test_a_user_is_told_of_every_parameter_what_it_may_be():
    facts = {fact["parameter"]: fact for fact in parameter_facts()}
    assert {name: fact["default"] for name, fact in facts.items()} == PARAMETERS
    assert facts["epochs"]["values"] == "1 to 10000, whole"
    assert facts["noise_snr_db"]["values"] == "-20 to 60, or null"
    assert facts["prune_depthwise"]["values"] == "true, false"
    assert facts["learning_rate_decay"]["values"] == "linear, cosine"
    assert facts["gain_db"]["meaning"] == DOMAINS["gain_db"].meaning


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("epochs", 0, "0 is outside 1 to 10000"),
        ("epochs", 1.5, "1.5 is not a whole number"),
        ("epochs", True, "True is not a whole number"),
        ("epochs", "ten", "'ten' is not a whole number"),
        ("epochs", None, "None is not a whole number"),
        ("epochs", float("nan"), "nan is not a whole number"),
        ("alpha", float("inf"), "inf is not a number"),
        ("alpha", 17, "17 is outside 0.001 to 16"),
        ("alpha", "wide", "'wide' is not a number"),
        ("end_learning_rate", "1e-5", "'1e-5' is not a number; write 1.0e-05"),
        ("downsampling_rate", "44100", "'44100' is not a whole number; write 44100"),
        ("alpha", "0.125", "'0.125' is not a number; write 0.125"),
        ("learning_rate_decay", "square", "'square' is not one of linear, cosine"),
        ("prune_depthwise", 1, "1 is not true or false"),
        ("noise_snr_db", "none", "'none' is not a number"),
    ],
)
def test_a_domain_says_what_is_wrong(name, value, problem):
    assert DOMAINS[name].problem(value) == problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 1),
        ("epochs", 10000),
        ("epochs", 10.0),
        ("alpha", 16),
        ("frontend", "log_mel"),
        ("prune_depthwise", True),
        ("noise_snr_db", None),
        ("noise_snr_db", -20),
    ],
)
def test_a_domain_accepts_its_values_and_both_ends(name, value):
    assert DOMAINS[name].problem(value) is None


def test_a_number_beyond_all_numbers_is_a_mistake_like_any_other():
    assert "is not a number" in (DOMAINS["alpha"].problem(10**400) or "")
