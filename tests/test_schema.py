import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from sweep.candidate import DOMAINS
from sweep.errors import SpecError
from sweep.schema import schema
from sweep.space import Space

from . import test_space, test_spec

SEARCH_SPACES = Path(__file__).parents[1] / "search_spaces"
EDITOR = jsonschema.Draft202012Validator(schema())
DATA = "dataset: {labels: [stop, go]}\n"

MISTAKES = [text for text, _ in test_spec.MISTAKES]
MISTAKES += [DATA + text for text, _ in test_space.MISTAKES]

BEYOND_A_SCHEMA = (
    "add it to parameters.network",
    "there is no module",
    "is above",  # compares two values
    "is below",
    "stands twice",  # 1 and 1.0
    "duplicate key",
    "not YAML",
    "can never be taken",
    "is allowed",
    "require.",
    "search.enqueue",
    "search.goal",
    "search.promotion",
    "search.timeout",
    "latency.timeout",
    "cannot be split into words",
    "cannot name a folder",
    "no accuracy is above 1",
    "is a share from 0 to 1",
    "is limited by a number above 0",
    "a label is no other word",
    "needs clip_length_in_s in seconds",
    "needs unknown or silence",
    "is measured in streams",
    "are too few to count misses",
    "the lower ratio comes first",
)
"""What the messages say of mistakes that compare keys, or follow a grammar of their own."""


def message(text: str) -> str:
    with pytest.raises(SpecError) as refused:
        Space.parse(text, "x.yaml").check()
    return str(refused.value)


def editor_accepts(text: str) -> bool:
    return EDITOR.is_valid(yaml.safe_load(text))


def test_the_stored_schema_is_up_to_date():
    stored = (SEARCH_SPACES / "schema.json").read_text()
    assert stored == json.dumps(schema(), indent=2) + "\n"


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_it_knows_every_parameter_by_its_meaning():
    parameters = schema()["properties"]["parameters"]
    described = {name: value["description"] for name, value in parameters["properties"].items()}
    assert described == {name: domain.meaning for name, domain in DOMAINS.items()}


def test_a_network_from_outside_has_parameters_that_it_does_not_know():
    assert editor_accepts(DATA + "parameters: {network: 'my_net:Mine', depth: 3}")
    assert editor_accepts(DATA + "parameters: {network: ['my_net:Mine', temporal], depth: [3, 4]}")
    assert not editor_accepts(DATA + "parameters: {network: temporal, depth: 3}")
    assert not editor_accepts(DATA + "parameters: {network: temporl}")


@pytest.mark.parametrize("text", MISTAKES)
def test_an_editor_refuses_what_the_check_refuses(text):
    told = message(text)
    if not any(reason in told for reason in BEYOND_A_SCHEMA):
        assert not editor_accepts(text), told


@pytest.mark.parametrize("path", sorted(SEARCH_SPACES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_editor_accepts_every_file_that_comes_along(path):
    assert editor_accepts(path.read_text())


@pytest.mark.parametrize(
    "text",
    [
        "parameters: {alpha: 0.5, epochs: [10, 20], noise_snr_db: [null, 5]}",
        "parameters: {alpha: {low: 0.1, high: 1, log: true}, blocks: {low: 1, high: 3, step: 1}}",
        "parameters: {frontend: log_mel, quantization: [int8, float32], container: stripped}",
        "limits: {accuracy: '>=0.93', size_kb: ' < 25 ', worst_recall: '> 0.5'}",
        "objectives: {balanced_accuracy: maximize, arena_kb: minimize}",
    ],
)
def test_both_accept_what_is_sound(text):
    Space.parse(DATA + text, "x.yaml").check()
    assert editor_accepts(DATA + text)


@pytest.mark.parametrize(
    "text",
    [
        "parameters: {alpha: {low: 0.1, high: 99}}",
        "parameters: {alpha: 17}",
        "parameters: {learning_rate_decay: [linear, step]}",
        "parameters: {epochs: {low: 1, high: 10, step: 0.5}}",
        "parameters: {prune_depthwise: 1}",
        "limits: {accuracy: '<= 0.97'}",
        "limits: {size_kb: '>= 3'}",
        "objectives: {worst_recall: minimize}",
    ],
)
def test_neither_accepts_what_is_out_of_bounds(text):
    message(DATA + text)
    assert not editor_accepts(DATA + text)
