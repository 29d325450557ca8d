"""The model card of an export."""

import json
from pathlib import Path

import pytest

from sweep.metrics import METRICS
from sweep.model_card import CARD, model_card


@pytest.fixture(scope="module")
def metadata(spotter: Path) -> dict:
    return json.loads((spotter / "metadata.json").read_text())


def test_it_stands_in_the_folder_and_tells_every_metric_with_its_interval(spotter, metadata):
    card = (spotter / CARD).read_text()
    assert card == model_card(metadata, METRICS)
    for name, one in metadata["metrics"].items():
        text = METRICS[name].text(one["value"], one.get("interval"))
        assert f"| {name} | {text} | {one['definition']} |" in card.splitlines()
    assert all(f"- {limit}" in card.splitlines() for limit in metadata["limits"])
    assert metadata["none_of_these"]
    assert all(f"- {line}" in card.splitlines() for line in metadata["none_of_these"])


def test_it_says_whether_it_was_tested(metadata) -> None:
    assert "has not been retrained and measured on test clips" in model_card(metadata, METRICS)
    finalist = {
        "definition": "means over other trainings",
        "test": {"accuracy": {"mean": 0.975, "interval": [0.95, 0.99]}},
        "tested_on": "test clips",
        "test_clips": 212,
        "holds": False,
    }
    card = model_card(metadata | {"finalist": finalist}, METRICS)
    assert "On 212 test clips: not every limit holds. Means over other trainings." in card
    assert "| accuracy | 0.975 (0.950–0.990) |" in card


def test_it_says_what_it_is_for_and_what_to_beware_of(metadata) -> None:
    changed = {"target": "cortex-m4", "none_of_these": [], "cautions": ["few | speakers"]}
    card = model_card(metadata | changed, METRICS)
    assert "It is for a cortex-m4." in card and "takes any other sound for one of them" in card
    assert "- few | speakers" in card
    timed = changed | {"clock_mhz": 64.0, "milliseconds": [28.9, 57.8]}
    card = model_card(metadata | timed, METRICS)
    assert "It is for a cortex-m4 at 64 MHz: 28.9 to 57.8 ms for a clip." in card
