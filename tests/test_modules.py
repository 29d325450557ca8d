"""Imports run one way, and every module says what it is."""

from graphlib import CycleError, TopologicalSorter

import pytest

from .modules import graph, graph_of_parts, importers, meaning, modules


def test_no_module_imports_what_imports_it() -> None:
    TopologicalSorter(graph()).prepare()


def test_neither_does_a_folder() -> None:
    TopologicalSorter(graph_of_parts()).prepare()


def test_an_import_that_runs_back_would_be_found() -> None:
    backwards = graph_of_parts()
    backwards["sweep.errors"].add("sweep.cli")
    with pytest.raises(CycleError, match="sweep.cli"):
        TopologicalSorter(backwards).prepare()


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("tensorflow", {"sweep.frontends", "sweep.networks"}),
        ("distributed", {"sweep.study"}),
        ("plotly", {"sweep.report"}),
        ("flask", {"sweep.report"}),
    ],
)
def test_a_large_library_is_imported_in_its_rooms_only(library: str, rooms: set[str]) -> None:
    assert importers(library) == rooms


@pytest.mark.parametrize("name", modules())
def test_a_module_says_in_a_line_what_it_is(name: str) -> None:
    assert meaning(modules()[name])
