"""Listings as JSON and CSV."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sweep.errors import SpecError


def refuse_both(as_json: bool, as_csv: bool) -> None:
    """Raise if two formats are requested.

    Raises:
        SpecError: if both are.
    """
    if as_json and as_csv:
        raise SpecError("--json and --csv: name one of them")


def printed(facts: Any, as_json: bool, as_csv: bool) -> bool:
    """Print facts as JSON or CSV if requested; return whether either was.

    In CSV, a list of mappings gives a row per mapping; a mapping gives a row per value, named by
    its path, ``funnel.feasible``. A list inside either is JSON in a cell.
    """
    if as_json:
        print(json.dumps(facts, indent=2))
    elif as_csv:
        rows = facts if isinstance(facts, list) else list(_pairs(facts))
        print_csv(list(rows[0]) if rows else [], (row.values() for row in rows))
    return as_json or as_csv


def print_csv(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print rows as CSV, one by one."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(
            json.dumps(cell) if isinstance(cell, (list, tuple, Mapping)) else cell for cell in row
        )


def _pairs(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            for pair in _pairs(value):
                yield {"name": f"{name}.{pair['name']}", "value": pair["value"]}
        else:
            yield {"name": name, "value": value}
