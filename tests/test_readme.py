"""The README is true: its commands parse, its files exist, its lists are complete."""

import configparser
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import sweep
from sweep.cli import app

from .cli.shell import SPACE, space_file

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TYPED = re.findall(r"^\$ (.+?)(?:  +#.*)?$", README, re.MULTILINE)
QUOTED = [one.replace("\\|", "|") for one in re.findall(r"`([^`\n]+)`", README)]
FILE = re.compile(r"\b[\w./-]+\.(?:py|yaml|json)\b")


def warnings_as_errors() -> str:
    """Return Python that raises every warning, but for those that all tests here excuse."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = setup["tool:pytest"]["filterwarnings"].split("\n")
    excused = [line.split(":")[1:] for line in lines if line.startswith("ignore:")]
    filters = [f"warnings.filterwarnings('ignore', {text!r}, {kind})" for text, kind in excused]
    return "\n".join(["import warnings", "warnings.simplefilter('error')", *filters, ""])


def section(title: str) -> str:
    """Return what stands under a heading of the README."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def resolve(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that words begin with, and the words that are left for it."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def every_command(command: Any = None, name: str = "sweep") -> dict[str, Any]:
    command = command or typer.main.get_command(app)
    found = {name: command}
    for below, one in getattr(command, "commands", {}).items():
        found |= every_command(one, f"{name} {below}")
    return found


def options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("line", [line for line in TYPED if line.startswith("sweep ")])
def test_a_command_of_the_readme_parses(line: str) -> None:
    command, rest = resolve(shlex.split(line)[1:])
    command.make_context("sweep", rest)


def test_a_command_that_is_wrong_does_not_parse() -> None:
    command, rest = resolve(["run", "file.yaml", "--trails", "3"])
    with pytest.raises(Exception, match="No such option: --trails"):
        command.make_context("sweep", rest)


@pytest.mark.parametrize("line", [line for line in TYPED if line.startswith("make ")])
def test_a_make_target_of_the_readme_exists(line: str) -> None:
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_only_known_programs_are_typed() -> None:
    assert {line.split()[0] for line in TYPED} == {"sweep", "make", "cp"}


def test_commands_in_the_text_have_the_options_they_are_given() -> None:
    quoted = [one for one in QUOTED if one.startswith("sweep ")]
    assert len(quoted) > 10
    for one in quoted:
        words = [word.split("|")[0].strip("[]") for word in one.split()[1:]]
        command, rest = resolve(words)
        given = {word for word in rest if word.startswith("--")}
        assert given <= options_of(command), one


def test_the_table_of_commands_is_complete_and_its_options_exist() -> None:
    listed = set()
    for row in re.findall(r"^\| `sweep .*$", section("The commands"), re.MULTILINE):
        name, *cells = re.split(r"(?<!\\)\|", row.strip("|"))
        words = name.strip(" `").split()[1:]
        group = every_command()["sweep"].commands[words[0]]
        below = words[1].split("\\|") if hasattr(group, "commands") else [""]
        listed |= {f"sweep {words[0]} {one}".strip() for one in below}
        given = set(re.findall(r"`(--[\w-]+)", "".join(cells)))
        assert given <= options_of(group), row
    assert listed == {n for n, one in every_command().items() if not hasattr(one, "commands")}


def test_every_file_it_names_exists() -> None:
    made = {line.split()[2] for line in TYPED if line.startswith("cp ")}
    named = set(FILE.findall(README)) - made
    assert len(named) > 15 and len(made) == 1
    places = (ROOT, ROOT / "search_spaces", ROOT / "benchmarks", ROOT / "sweep/stages")
    lost = {name for name in named if not any((place / name).is_file() for place in places)}
    assert lost == set()


def test_every_search_space_is_in_its_table() -> None:
    spaces = {file.name for file in (ROOT / "search_spaces").glob("*.yaml")}
    assert set(re.findall(r"^\| `(\w+\.yaml)` \|", section("The file"), re.MULTILINE)) == spaces


def test_every_module_is_in_the_list_of_modules() -> None:
    listed = re.findall(r"^    sweep/(\S+)", section("Finding your way in the code"), re.MULTILINE)
    there = {file.name for file in (ROOT / "sweep").glob("[!_]*.py")}
    there |= {f"{file.parent.name}/" for file in (ROOT / "sweep").glob("*/__init__.py")}
    assert sorted(listed) == sorted(there)


def test_imports_run_one_way_from_the_top_of_that_list_to_its_end() -> None:
    listed = re.findall(r"^    sweep/(\S+)", section("Finding your way in the code"), re.MULTILINE)
    place = {name.removesuffix(".py").rstrip("/"): at for at, name in enumerate(listed)}
    backwards = [
        f"{file.relative_to(ROOT)} imports {imported}"
        for file in (ROOT / "sweep").rglob("*.py")
        if (part := file.relative_to(ROOT / "sweep").parts[0].removesuffix(".py")) in place
        for imported in re.findall(r"^ *from sweep\.(\w+)", file.read_text("utf-8"), re.MULTILINE)
        if place[imported] > place[part]
    ]
    assert backwards == []


def test_every_benchmark_it_measures_with_exists() -> None:
    named = set(re.findall(r"`(\w+\.py)", section("Measured")))
    assert named and all((ROOT / "benchmarks" / name).is_file() for name in named)


@pytest.mark.parametrize("name", every_command())
def test_every_command_and_option_has_help(name: str) -> None:
    command = every_command()[name]
    assert command.help
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name}"


class TestFromPython:
    def test_the_public_names_are_the_documented_ones(self) -> None:
        rows = re.findall(r"^\| (`\w+`.*?) \|", section("From Python"), re.MULTILINE)
        assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(sweep.__all__)

    def test_each_name_is_there_and_explains_itself(self) -> None:
        assert set(sweep.__all__) <= set(dir(sweep))
        assert all(getattr(sweep, name).__doc__ for name in sweep.__all__)
        with pytest.raises(AttributeError, match="no attribute 'lunch'"):
            sweep.lunch

    def test_importing_sweep_imports_none_of_the_big_ones(self) -> None:
        big = "('tensorflow', 'optuna', 'pandas', 'numpy', 'distributed', 'plotly')"
        script = f"import sys, sweep; sys.exit(str([b for b in {big} if b in sys.modules] or ''))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.stderr.strip() == ""

    def test_the_example_runs(self, tmp_path: Path) -> None:
        code = section("From Python").partition("```python\n")[2].partition("```")[0]
        code = code.replace("search_spaces/quickstart.yaml", str(space_file(tmp_path, SPACE)))
        code = warnings_as_errors() + code.replace("trials=10", "trials=4")
        (tmp_path / "example.py").write_text(code)
        command = [sys.executable, "example.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "('stop', 'go')" in done.stdout
        assert (tmp_path / "go-stop/model.tflite").is_file()
