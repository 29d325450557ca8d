"""The formats of a listing that other programs read: JSON and CSV."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sweep.errors import SpecError


def refuse_both(as_json: bool, as_csv: bool) -> None:
    """Refuse to print in two formats at once.

    Raises:
        SpecError: if both are asked for.
    """
    if as_json and as_csv:
        raise SpecError("--json and --csv: name one of them")


def printed(facts: Any, as_json: bool, as_csv: bool) -> bool:
    """Print facts as JSON or CSV if either is asked for; tell whether it was.

    A list of mappings gives a CSV row for each. A mapping gives a row for each value, with the
    names that lead to it, ``funnel.feasible``. A list inside either is JSON in a cell.
    """
    if as_json:
        print(json.dumps(facts, indent=2))
    elif as_csv:
        rows = facts if isinstance(facts, list) else list(_pairs(facts))
        print_csv(list(rows[0]) if rows else [], (row.values() for row in rows))
    return as_json or as_csv


def print_csv(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print rows as CSV, each as soon as it is there."""
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
