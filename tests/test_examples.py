from pathlib import Path

import numpy as np
import pytest

import sweep
from sweep.arrays import to_float
from sweep.frontends.compute import compute_features, convert_frontend
from sweep.litert import Model
from sweep.networks.conversion import convert
from sweep.networks.keras import multiply_adds

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_networks_from_outside_are_searched_in_workers_and_found_again(tmp_path):
    path = EXAMPLES / "own_networks.yaml"
    study = sweep.run(path, study="own", workers=1, results=tmp_path)
    trials = study.trials
    assert trials["network"].tolist() == ["tc_resnet:DeepTCResNet", "keras_model:build", "temporal"]
    assert trials["frontend"].tolist() == ["pcen:PCEN", "mfcc", "mfcc"]
    assert trials["normalization"].notna().tolist() == [False, True, True]
    assert set(trials["outcome"]) <= {"feasible", "infeasible"}, trials["reason"].tolist()
    assert trials["size_kb"].between(1, 25).all()
    assert trials["depth"].notna().tolist() == [True, False, False]
    assert trials["units"].notna().tolist() == [False, True, False]
    again = sweep.load("own", results=tmp_path)
    assert again.trials["network"].tolist() == trials["network"].tolist()
    number = int(trials.loc[trials["outcome"] == "feasible", "trial"].iloc[0])
    study.export(number, tmp_path / "out")
    assert sweep.Classifier(tmp_path / "out").labels == ("stop", "go")


@pytest.fixture
def candidates():
    space = sweep.Space.load(EXAMPLES / "own_networks.yaml")
    networks = space.distributions["network"].choices
    others = {"frontend": "pcen:PCEN", "channels": 6, "depth": 2, "units": 8}
    return [space.candidate(others | {"network": name}) for name in networks]


def test_their_layers_and_models_are_counted_alike(candidates):
    for candidate in candidates:
        architecture = candidate.network.architecture(candidate.frontend.shape, 2)
        content = convert(architecture, architecture.initial_weights(0))
        assert architecture.multiply_adds() == multiply_adds(content) > 1000
        assert architecture.parameters() > 100


def test_a_front_end_from_outside_computes_what_it_deploys(candidates, spoken):
    frontend = candidates[0].frontend
    assert candidates[0].chosen("frontend") == "pcen:PCEN"
    clips = spoken.waveforms("validation", 16000)[:5]
    deployed = Model(convert_frontend(frontend)).run_each(to_float(clips))[..., 0]
    np.testing.assert_allclose(deployed, next(compute_features(clips, frontend)), atol=1e-3)


def test_what_one_network_alone_has_is_no_matter_to_another(candidates):
    space = sweep.Space.load(EXAMPLES / "own_networks.yaml")
    other = {"frontend": "pcen:PCEN", "network": "temporal", "channels": 8, "depth": 1, "units": 12}
    assert space.candidate(other).key() == candidates[-1].key()
    other["network"] = "tc_resnet:DeepTCResNet"
    assert space.candidate(other).key() != candidates[0].key()
