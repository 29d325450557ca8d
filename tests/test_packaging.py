"""What is installed: every import is declared, and the wheel is whole."""

import ast
import configparser
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
EXTRAS = SETUP["options.extras_require"]
UNIMPORTED = {
    "setuptools": "tensorflow-model-optimization imports its distutils",
    "kaleido": "plotly writes pictures with it",
    "psycopg": "sqlalchemy speaks to PostgreSQL with it",
    "torch": "optuna's sampler gp computes with it",
}
BESIDE_THE_CODE = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE")


def names(requirements: str) -> set[str]:
    """Return the distributions of a list of requirements, one a line; none of this project."""
    lines = (line.strip() for line in requirements.splitlines())
    found = {normal(re.split(r"[<>=\[]", line)[0]) for line in lines if line and line[0] != "#"}
    return found - {"tinysweep"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(folders: list[str]) -> set[str]:
    """Return the distributions that the Python files of folders import."""
    own = {"sweep", "tests"} | {file.stem for file in (ROOT / "benchmarks").glob("*.py")}
    providers = packages_distributions()
    found = set()
    for file in (file for folder in folders for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            tops = {module.partition(".")[0] for module in modules}
            found |= tops - own - sys.stdlib_module_names
    return {normal(providers.get(top, [top])[0]) for top in found}


BASE = names(SETUP["options"]["install_requires"])
OPTIONAL = set().union(*(names(EXTRAS[name]) for name in EXTRAS if name != "test"))


def test_every_import_is_declared() -> None:
    assert imported(["sweep"]) - BASE - OPTIONAL == set()


def test_what_only_tests_and_benchmarks_import_is_declared_for_them() -> None:
    assert imported(["tests", "benchmarks"]) - BASE - OPTIONAL - names(EXTRAS["test"]) == set()


def test_nothing_is_declared_that_nobody_imports() -> None:
    assert (BASE | OPTIONAL) - imported(["sweep"]) == set(UNIMPORTED)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy of the checkout without network."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in BESIDE_THE_CODE:
        shutil.copy(ROOT / name, copy)
    for folder in ("sweep", "search_spaces", "tests", "benchmarks", "results"):
        without = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=without)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*build, "--wheel-dir", out, copy], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(*out.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: zipfile.ZipFile) -> None:
    code = {file for file in (ROOT / "sweep").rglob("*") if file.is_file()}
    spaces = {file for file in (ROOT / "sweep/search_spaces").iterdir()}
    files = {str(file.relative_to(ROOT)) for file in code | spaces}
    expected = {name for name in files if "__pycache__" not in name}
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == expected
    assert {"sweep/py.typed", "sweep/search_spaces/schema.json"} < held


def test_the_wheel_holds_the_licence(wheel: zipfile.ZipFile) -> None:
    (licence,) = [name for name in wheel.namelist() if name.endswith("/LICENSE")]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
