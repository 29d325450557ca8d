"""What it takes to add a parameter, a network, a metric, a sampler or a source."""

import ast
from functools import cache
from pathlib import Path

import pytest

from sweep.candidate import CHOSEN
from sweep.errors import SpecError
from sweep.registry import BUILT_IN, search_in
from sweep.space import Space

from .modules import ROOT, modules

EXAMPLES = ROOT / "examples"
DEFAULTS = {*CHOSEN.values(), "synthetic"}
ONE_OBJECT = {
    "tc_resnet.py": ast.ClassDef,
    "keras_model.py": ast.FunctionDef,
    "pcen.py": ast.ClassDef,
    "energy.py": ast.Assign,
    "local_search.py": ast.ClassDef,
    "csv_source.py": ast.ClassDef,
}
"""What each example defines besides constants of its own."""

NETWORK = """
from sweep.networks.tc_resnet import TCResNet
import sweep

class Mine(TCResNet):
    pass
"""
LINE = "    groups: int = sweep.parameter(2, low=1, high=8, meaning='groups of channels')\n"


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def told() -> dict[str, tuple[set[str], set[str]]]:
    """Return of each module the strings in it, and the names that it uses."""
    nodes = {module: list(ast.walk(tree(file))) for module, file in modules().items()}
    return {
        module: (
            {str(node.value) for node in some if isinstance(node, ast.Constant)},
            {node.id for node in some if isinstance(node, ast.Name)},
        )
        for module, some in nodes.items()
    }


def naming(name: str, owner: str) -> set[str]:
    """Return the modules that hold a name of a search space, or the object that it means."""
    return {m for m, (texts, names) in told().items() if name in texts or owner in names}


@pytest.mark.parametrize("kind", ["network", "source"])
def test_what_is_built_in_is_one_file_and_its_name_in_the_registry(kind: str) -> None:
    for name, place in BUILT_IN[kind].items():
        module, _, owner = place.partition(":")
        if name not in DEFAULTS:
            assert naming(name, owner) <= {module, "sweep.registry"}, name


@pytest.mark.parametrize("file", ONE_OBJECT)
def test_an_example_is_one_object(file: str) -> None:
    helpers = (ast.Import, ast.ImportFrom, ast.Expr)
    body = [node for node in tree(EXAMPLES / file).body if not isinstance(node, helpers)]
    assert [type(node) for node in body[-1:]] == [ONE_OBJECT[file]]
    assert all(isinstance(node, ast.Assign) for node in body[:-1])


def test_the_package_knows_no_example() -> None:
    modules_of_examples = {Path(file).stem for file in ONE_OBJECT} - {"tc_resnet"}
    for texts, _ in told().values():
        assert not {text.partition(":")[0] for text in texts} & modules_of_examples


def test_a_parameter_is_one_line(tmp_path: Path) -> None:
    text = "dataset: {labels: [stop, go]}\nparameters: {network: NAME:Mine, groups: [1, 2]}"
    (tmp_path / "without_groups.py").write_text(NETWORK)
    (tmp_path / "with_groups.py").write_text(NETWORK.replace("    pass\n", LINE))
    search_in(tmp_path)
    space = Space.parse(text.replace("NAME", "with_groups"))
    assert space.distributions["groups"].choices == (1, 2)
    candidate = space.candidate({"groups": 1})
    assert candidate.parameters()["groups"] == 1
    assert candidate.key() != space.candidate({"groups": 2}).key()
    with pytest.raises(SpecError, match="parameters.groups: unknown parameter"):
        Space.parse(text.replace("NAME", "without_groups"))


def test_no_module_but_those_of_networks_knows_a_network_by_its_parts() -> None:
    for name, file in modules().items():
        if not name.startswith("sweep.networks"):
            text = file.read_text(encoding="utf-8")
            assert "convolution ==" not in text and '"stem/' not in text, name
