import json
from pathlib import Path

import numpy as np
import pytest

import sweep
from sweep.arrays import to_float
from sweep.audio.splits import SPLITS
from sweep.frontends.compute import compute_features, convert_frontend
from sweep.litert import Model
from sweep.networks.conversion import convert
from sweep.networks.keras import multiply_adds

from .cli.shell import clips
from .cli.shell import sweep as shell

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


def test_all_six_from_outside_run_report_export_and_predict(tmp_path, monkeypatch):
    listed(tmp_path / "clips.csv")
    monkeypatch.chdir(tmp_path)
    path = EXAMPLES / "from_outside.yaml"
    checked = shell("data", "check", path, "--json", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert [word["clips"] for word in json.loads(checked.stdout)["labels"]] == [60, 60]
    study = sweep.run(path, study="own", workers=1, results=tmp_path)
    trials = study.trials
    assert len(trials) == 3 and set(trials["outcome"]) <= {"feasible", "infeasible"}
    assert set(trials["network"]) <= {"tc_resnet:DeepTCResNet", "keras_model:build"}
    assert set(trials["frontend"]) == {"pcen:PCEN"}
    assert trials["energy_uj"].between(0.1, 60).any()
    page = study.report().read_text()
    assert "energy_uj" in page and "pcen:PCEN" in page
    monkeypatch.chdir("/")  # The study knows where its clips are.
    study = sweep.load("own", results=tmp_path)
    feasible = trials[trials["outcome"] == "feasible"]
    best = feasible.sort_values("accuracy").iloc[-1]
    told = study.export(int(best["trial"]), tmp_path / "out")
    assert told["frontend"]["frontend"] == "pcen:PCEN"
    assert told["metrics"]["energy_uj"]["value"] == pytest.approx(best["energy_uj"])
    with pytest.raises(sweep.SweepError, match="pcen:PCEN has no C source"):
        study.export(int(best["trial"]), tmp_path / "c", with_c=True)
    classifier = sweep.Classifier(tmp_path / "out")
    right = [classifier.predict(c).label == Path(c).parent.name for c in clips("validation")]
    assert np.mean(right) == pytest.approx(best["accuracy"], abs=0.1)


def listed(file: Path) -> None:
    """List synthetic words of several voices, in the splits of their data set."""
    rows = ["path,label,split,speaker"]
    for split in SPLITS:
        for clip in map(Path, clips(split)):
            rows.append(f"{clip},{clip.parent.name},{split},{clip.name.split('_nohash_')[0]}")
    file.write_text("\n".join(rows), encoding="utf-8")


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
