"""Commands that explain themselves, and quickly."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from .shell import clips, sweep


class TestHelp:
    @pytest.mark.parametrize(
        "command",
        [
            "parameters",
            "check",
            "run",
            "status",
            "trials",
            "report",
            "serve",
            "finalists",
            "export",
            "predict",
            "detect",
            "worker",
            "data",
            "cluster",
        ],
    )
    def test_every_command_explains_itself_in_less_than_a_second(
        self, command: str, tmp_path: Path
    ) -> None:
        begin = children_s()
        done = sweep(command, "--help", cwd=tmp_path)
        assert done.returncode == 0 and "Usage: sweep" in done.stdout
        assert children_s() - begin < 1

    def test_the_version_is_that_of_the_distribution(self, tmp_path: Path) -> None:
        done = sweep("--version", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, f"tinysweep {version('tinysweep')}\n")

    def test_no_command_but_run_imports_tensorflow(self, finished: Path) -> None:
        out = finished / "light"
        commands = [
            ["parameters"],
            ["check", "words.yaml"],
            ["status", "words"],
            ["trials", "words", "--csv"],
            ["report", "words"],
            ["export", "words", "--out", str(out)],
            ["predict", str(out), clips("validation")[0]],
            ["data", "list"],
        ]
        script = (
            "import sys\n"
            "from sweep.cli import app\n"
            f"for command in {commands!r}:\n"
            "    app(command, standalone_mode=False)\n"
            "    assert 'tensorflow' not in sys.modules, command\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=finished, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def children_s() -> float:
    """Return the seconds of processor time that ended processes took; other tests do not count."""
    spent = os.times()
    return spent.children_user + spent.children_system
