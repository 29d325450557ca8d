"""What each extra brings is enough: commands in environments that hold nothing else."""

import os
import re
import shutil
import signal
import subprocess
import urllib.request
import venv
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from ..signals import heed_ctrl_c
from ..test_packaging import BASE, EXTRAS, ROOT, names
from .shell import clips, sweep

REPORT = BASE | names(EXTRAS["report"])
SERVE = REPORT | names(EXTRAS["serve"])


def with_dependencies(wanted: Iterable[str]) -> set[str]:
    """Return distributions and all that they require."""
    found: set[str] = set()
    left = set(wanted)
    while left:
        name = left.pop()
        try:
            required = distribution(name).requires or []
        except PackageNotFoundError:  # for another system or Python
            continue
        found.add(name)
        plain = {re.split(r"[^\w.-]", one)[0] for one in required if "extra ==" not in one}
        left |= plain - found
    return found


def environment(folder: Path, wanted: Iterable[str]) -> Path:
    """Return the Python of a new environment: this package and links to some distributions."""
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "sweep").symlink_to(ROOT / "sweep")
    for one in map(distribution, with_dependencies(wanted)):
        for top in {file.parts[0] for file in one.files or []} - {"..", "__pycache__"}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(one.locate_file(top))))
    return folder / "bin/python"


def run(python: Path, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python without what the environment variables of the tests add."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def exported(finished: Path) -> Path:
    """An export of the small sweep."""
    assert sweep("export", "words", "--out", "slim", cwd=finished).returncode == 0
    return finished / "slim"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with NumPy and LiteRT alone."""
    return environment(tmp_path_factory.mktemp("bare"), ["numpy", "ai-edge-litert"])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with what ``pip install tinysweep`` brings."""
    return environment(tmp_path_factory.mktemp("base"), BASE)


class TestNumpyAndLitertAlone:
    def test_predict_hears_the_same(self, bare: Path, exported: Path) -> None:
        heard = clips("validation")[:5]
        slim = run(bare, "-m", "sweep", "predict", exported, *heard, cwd=exported)
        assert slim.stderr == ""
        assert slim.stdout == sweep("predict", exported, *heard, cwd=exported).stdout

    def test_so_does_a_program(self, bare: Path, exported: Path) -> None:
        heard = clips("validation")[0]
        program = f"import sweep; print(sweep.Classifier('.').predict({heard!r}))"
        slim = run(bare, "-c", program, cwd=exported)
        assert slim.stdout == sweep("predict", exported, heard, cwd=exported).stdout

    def test_a_clip_that_cannot_be_read_is_told(self, bare: Path, exported: Path) -> None:
        slim = run(bare, "-m", "sweep", "predict", exported, "none.wav", cwd=exported)
        assert slim.returncode == 1
        assert slim.stderr.startswith("sweep: none.wav: cannot be read")

    @pytest.mark.parametrize("arguments", [[], ["predict", "slim"], ["run", "quickstart"]])
    def test_the_other_commands_tell_what_is_missing(
        self, bare: Path, exported: Path, arguments: list[str]
    ) -> None:
        slim = run(bare, "-m", "sweep", *arguments, cwd=exported)
        assert slim.returncode == 1 and "Traceback" not in slim.stderr
        assert slim.stderr.endswith("pip install 'tinysweep[train,serve]' brings every command\n")


class TestTheBase:
    def test_predict_hears_the_same(self, base: Path, exported: Path) -> None:
        ask = ["predict", exported, *clips("validation")[:5], "--json"]
        slim = run(base, "-m", "sweep", *ask, cwd=exported)
        assert slim.stdout == sweep(*ask, cwd=exported).stdout

    def test_a_search_tells_what_is_missing(self, base: Path, tmp_path: Path) -> None:
        slim = run(base, "-m", "sweep", "run", "quickstart", cwd=tmp_path)
        assert slim.returncode == 1 and "Traceback" not in slim.stderr
        assert "is not installed; pip install 'tinysweep[train,serve]'" in slim.stderr


def test_a_study_is_read_without_what_trains(finished: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "report", REPORT)
    shutil.copytree(finished, tmp_path / "here")
    for ask in (["check", "words.yaml"], ["status", "words"], ["report", "words"]):
        done = run(python, "-m", "sweep", *ask, cwd=tmp_path / "here")
        assert done.returncode == 0, done.stderr


def test_the_page_is_served_without_what_trains(finished: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "serve", SERVE)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    serve = [str(python), "-m", "sweep", "serve", "words", "--port", "0"]
    with subprocess.Popen(
        serve, cwd=finished, env=kept, stdout=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c
    ) as page:
        assert page.stdout is not None
        address = page.stdout.readline().split()[0]
        with urllib.request.urlopen(address, timeout=30) as answer:
            assert b"words" in answer.read()
        page.send_signal(signal.SIGINT)
