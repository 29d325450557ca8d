"""The JSON schema of a search-space file, by which editors complete and check it."""

import json
from typing import Any

from sweep import registry
from sweep.audio.sources.lookup import PLUGIN, source_owner
from sweep.audio.splits import SPLITS
from sweep.candidate import CHOSEN, DOMAINS
from sweep.dataset_section import DEFAULT_SOURCE
from sweep.metrics import METRICS, Metric
from sweep.parameters import Domain, domains
from sweep.registry import BUILT_IN
from sweep.spec import SpaceFile

_NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def schema() -> dict[str, Any]:
    """Return the schema: of every key its type, of every parameter its values."""
    whole = SpaceFile.model_json_schema()
    properties = whole["properties"]
    for key, known in (
        ("parameters", {name: _parameter(name, domain) for name, domain in DOMAINS.items()}),
        ("limits", {name: _limit(metric) for name, metric in METRICS.items()}),
        ("objectives", {name: _objective(metric) for name, metric in METRICS.items()}),
    ):
        properties[key]["properties"] = known
        properties[key]["additionalProperties"] = False
    properties["parameters"] |= _open_to_plugins()
    dataset = whole["$defs"]["DatasetSection"]
    dataset |= _open_to_sources(dataset["properties"])
    for way in dataset["properties"]["split"]["anyOf"]:
        if way["type"] == "object":
            lists = {split: {"type": "string"} for split in SPLITS}
            way |= {"properties": lists, "required": list(SPLITS[1:])}
            way["additionalProperties"] = False
    sampler = whole["$defs"]["SearchSection"]["properties"]["sampler"]
    sampler["anyOf"] = [{"enum": list(registry.BUILT_IN["sampler"])}, {"pattern": ":"}]
    del whole["$defs"]["Range"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | whole


def _open_to_plugins() -> dict[str, Any]:
    """Return what allows any parameter where a plugin that is not known here may have it."""
    known = {}
    for kind in CHOSEN:
        own = {"enum": list(BUILT_IN[kind])}
        known[kind] = {"anyOf": [own, {"type": "array", "items": own}]}
    return {
        "additionalProperties": True,
        "if": {"properties": known},
        "then": {"propertyNames": {"enum": list(DOMAINS)}},
    }


def _open_to_sources(common: dict[str, Any]) -> dict[str, Any]:
    """Return what allows beside the common keys of ``dataset`` the parameters of its source."""
    every = {source: domains(source_owner(source)) for source in BUILT_IN["source"]}
    having = {source: own for source, own in every.items() if own}
    known: dict[str, Any] = {}
    ways: list[dict[str, Any]] = []
    for source, own in having.items():
        known |= {n: {"description": d.meaning} | _value(d) for n, d in own.items()}
        ways.append(_when({"const": source}, [*common, *own], source == DEFAULT_SOURCE))
    others = {"not": {"anyOf": [{"enum": list(having)}, {"pattern": PLUGIN.pattern}]}}
    ways.append(_when(others, list(common)))
    return {"properties": common | known, "additionalProperties": True, "allOf": ways}


def _when(source: dict[str, Any], keys: list[str], is_default: bool = False) -> dict[str, Any]:
    """Return what allows these keys only where the source is so."""
    when: dict[str, Any] = {"properties": {"source": source}}
    when |= {} if is_default else {"required": ["source"]}
    return {"if": when, "then": {"propertyNames": {"enum": keys}}}


def _parameter(name: str, domain: Domain) -> dict[str, Any]:
    """Return the schema of a value, a choice of values, or a range of numbers."""
    value = _value(domain)
    if name in CHOSEN:
        value = {
            "anyOf": [
                {"enum": list(BUILT_IN[name])},
                {"type": "string", "pattern": r"^[\w.]+:[\w.]+$"},
            ]
        }
    unique = {} if name == "quantization" else {"uniqueItems": True}
    ways = [value, {"type": "array", "items": value, "minItems": 1} | unique]
    if domain.kind in (int, float):
        ways.append(_range(domain))
    return {"description": domain.meaning, "anyOf": ways}


def _value(domain: Domain) -> dict[str, Any]:
    if domain.choices:
        return {"enum": list(domain.choices)}
    found: dict[str, Any] = {"type": _TYPES[domain.kind]}
    found |= {} if domain.low is None else {"minimum": domain.low}
    found |= {} if domain.high is None else {"maximum": domain.high}
    return {"anyOf": [found, {"type": "null"}]} if domain.optional else found


def _range(domain: Domain) -> dict[str, Any]:
    end: dict[str, Any] = {"type": _TYPES[domain.kind]}
    end |= {} if domain.low is None else {"minimum": domain.low}
    end |= {} if domain.high is None else {"maximum": domain.high}
    ends = {"low": end, "high": end}
    log = {
        "properties": {"low": {"exclusiveMinimum": 0}, "step": {"type": "null"}},
    }
    return {
        "type": "object",
        "properties": ends
        | {
            "step": {"type": [_TYPES[domain.kind], "null"], "exclusiveMinimum": 0},
            "log": {"type": "boolean"},
        },
        "required": ["low", "high"],
        "additionalProperties": False,
        "if": {"properties": {"log": {"const": True}}, "required": ["log"]},
        "then": log,
    }


def _limit(metric: Metric) -> dict[str, Any]:
    operators = ">=?" if metric.better == "higher" else "<=?"
    pattern = rf"^\s*{operators}\s*{_NUMBER}\s*$"
    return {"description": metric.meaning, "type": "string", "pattern": pattern}


def _objective(metric: Metric) -> dict[str, Any]:
    return {"description": metric.meaning, "const": metric.direction}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
