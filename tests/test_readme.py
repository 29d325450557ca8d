"""README and docs are true: their commands run, their files exist, their lists are complete."""

import configparser
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import sweep
from sweep.cli import app

from .cli.shell import SPACE, SWEEP, clips, space_file
from .signals import heed_ctrl_c

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
EVERYTHING = "\n".join(TEXT.values())
TYPED = {
    name: re.findall(r"^\$ (.+?)(?:  +# *(.*))?$", text, re.MULTILINE)
    for name, text in TEXT.items()
}
QUOTED = [one.replace("\\|", "|") for one in re.findall(r"`([^`\n]+)`", EVERYTHING)]
FILE = re.compile(r"\b[\w./-]+\.(?:py|yaml|json)\b")
QUICKLY = {
    "run": ["--workers", "1"],
    "finalists": ["--top", "1", "--seeds", "1", "--folds", "0", "--workers", "1"],
}
"""What a command is given besides, so that running it takes seconds."""


def warnings_as_errors() -> str:
    """Return Python that raises every warning, but for those that all tests here excuse."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = setup["tool:pytest"]["filterwarnings"].split("\n")
    excused = [line.split(":")[1:] for line in lines if line.startswith("ignore:")]
    filters = [f"warnings.filterwarnings('ignore', {text!r}, {kind})" for text, kind in excused]
    return "\n".join(["import warnings", "warnings.simplefilter('error')", *filters, ""])


def resolve(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that words begin with, and the words that are left for it."""
    command: Any = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    return command, words


def every_command(command: Any = None, name: str = "sweep") -> dict[str, Any]:
    command = command or typer.main.get_command(app)
    found = {name: command}
    for below, one in getattr(command, "commands", {}).items():
        found |= every_command(one, f"{name} {below}")
    return found


def without_figures(output: str) -> list[str]:
    """Return the lines that are the same in every run, without their alignment."""
    return [" ".join(line.split()) for line in output.splitlines() if not re.search(r"\d", line)]


def options_of(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


@pytest.fixture(scope="module")
def desk(finished: Path, spotter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands can be typed: a study, recordings, search spaces, a clip."""
    here = tmp_path_factory.mktemp("desk")
    shutil.copytree(ROOT / "search_spaces", here / "search_spaces")
    shutil.copytree(finished / "results/words", here / "results/quickstart")
    heard = [Path(clip) for split in ("training", "validation", "testing") for clip in clips(split)]
    for clip in heard:
        word = here / "recordings" / {"stop": "yes", "go": "no"}[clip.parent.name]
        word.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, word / clip.name)
    shutil.copy(heard[0], here / "recordings/yes/anna_nohash_0.wav")
    shutil.copytree(spotter, here / "spotter")
    (here / "talks").mkdir()
    for name in ("CLIP.wav", "RECORDING.wav", "talks/monday.wav"):
        shutil.copy(heard[0], here / name)
    return here


@pytest.mark.parametrize("page", [name for name in TYPED if TYPED[name]])
def test_its_commands_run(page: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.chdir(desk)
    for line, comment in TYPED[page]:
        words = shlex.split(line)
        if words[0] == "make":
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE)
        elif words[0] == "cp":
            assert Path(words[1]).is_file()
            labels = re.search(r"labels: \[.*\]", comment)
            assert labels
            Path(words[2]).write_text(SPACE.replace("labels: [stop, go]", labels[0]))
        elif words[:2] == ["sweep", "serve"]:
            with subprocess.Popen(
                [SWEEP, *words[1:]],
                stdout=subprocess.PIPE,
                text=True,
                preexec_fn=heed_ctrl_c,
            ) as page_:
                assert page_.stdout and "http://127.0.0.1:" in page_.stdout.readline()
                page_.send_signal(signal.SIGINT)
        else:
            assert words[0] == "sweep"
            command = [SWEEP, *words[1:], *QUICKLY.get(words[1], [])]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"{line}: {done.stderr}"


def test_the_output_it_shows_is_that_of_today(finished: Path, shared: Path) -> None:
    shown = TEXT["README.md"].partition("```text\n")[2].partition("```")[0]
    told = (shared / "finished.txt").read_text(encoding="utf-8").replace("words", "quickstart")
    assert without_figures(shown) == without_figures(told) != []


def test_a_command_that_is_wrong_does_not_parse() -> None:
    command, rest = resolve(["run", "file.yaml", "--trails", "3"])
    with pytest.raises(Exception, match="No such option: --trails"):
        command.make_context("sweep", rest)


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
    for row in re.findall(r"^\| `sweep .*$", TEXT["commands.md"], re.MULTILINE):
        name, *cells = re.split(r"(?<!\\)\|", row.strip("|"))
        words = name.strip(" `").split()[1:]
        group = every_command()["sweep"].commands[words[0]]
        below = words[1].split("\\|") if hasattr(group, "commands") else [""]
        listed |= {f"sweep {words[0]} {one}".strip() for one in below}
        given = set(re.findall(r"`(--[\w-]+)", "".join(cells)))
        assert given <= options_of(group), row
    assert listed == {n for n, one in every_command().items() if not hasattr(one, "commands")}


def test_every_file_it_names_exists() -> None:
    typed = [line for lines in TYPED.values() for line, _ in lines]
    made = {line.split()[2] for line in typed if line.startswith("cp ")} | {"metadata.json"}
    named = set(FILE.findall(EVERYTHING)) - made
    assert len(named) > 15 and len(made) == 2
    places = [ROOT / f for f in (".", "search_spaces", "benchmarks", "examples", "sweep/stages")]
    lost = {name for name in named if not any((place / name).is_file() for place in places)}
    assert lost == set()


def test_every_search_space_is_in_its_table() -> None:
    spaces = {file.name for file in (ROOT / "search_spaces").glob("*.yaml")}
    assert set(re.findall(r"^\| `(\w+\.yaml)` \|", TEXT["search_space.md"], re.MULTILINE)) == spaces


@pytest.mark.parametrize("page", ["README.md", "search_space.md"])
def test_the_search_space_it_shows_can_be_searched(page: str) -> None:
    shown = TEXT[page].partition("```yaml\ndataset:")[2].partition("```")[0]
    sweep.Space.parse("dataset:" + shown, page).check()


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https://)([^)#]+)\)", text):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


def test_every_page_of_the_docs_is_listed_in_the_readme() -> None:
    assert set(re.findall(r"\(docs/([\w.]+)\)", TEXT["README.md"])) == set(TEXT) - {"README.md"}


def test_the_readme_is_short() -> None:
    assert len(TEXT["README.md"].splitlines()) < 200


def test_every_benchmark_it_measures_with_exists() -> None:
    measured = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+\.py)", measured))
    assert named and all((ROOT / "benchmarks" / name).is_file() for name in named)


@pytest.mark.parametrize("name", every_command())
def test_every_command_and_option_has_help(name: str) -> None:
    command = every_command()[name]
    assert command.help
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name}"


class TestFromPython:
    def test_the_public_names_are_the_documented_ones(self) -> None:
        rows = re.findall(r"^\| (`\w+`.*?) \|", TEXT["python.md"], re.MULTILINE)
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
        code = TEXT["python.md"].partition("```python\n")[2].partition("```")[0]
        code = code.replace("search_spaces/quickstart.yaml", str(space_file(tmp_path, SPACE)))
        code = warnings_as_errors() + code.replace("trials=10", "trials=4")
        (tmp_path / "example.py").write_text(code)
        command = [sys.executable, "example.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "('stop', 'go')" in done.stdout
        assert (tmp_path / "go-stop/model.tflite").is_file()
