"""Commands that explain themselves, and quickly."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from .shell import clips, sweep


class TestHelp:
    @pytest.mark.parametrize(
        "command",
        [
            "check",
            "run",
            "status",
            "trials",
            "report",
            "serve",
            "finalists",
            "export",
            "predict",
            "worker",
            "data",
        ],
    )
    def test_every_command_explains_itself_within_a_second(
        self, command: str, tmp_path: Path
    ) -> None:
        begin = time.monotonic()
        done = sweep(command, "--help", cwd=tmp_path)
        assert done.returncode == 0 and "Usage: sweep" in done.stdout
        assert time.monotonic() - begin < 1

    def test_no_command_but_run_imports_tensorflow(self, finished: Path) -> None:
        out = finished / "light"
        commands = [
            ["check", "words.yaml"],
            ["status", "words"],
            ["trials", "words", "--csv"],
            ["report", "words"],
            ["export", "words", "--out", str(out)],
            ["predict", str(out), clips("validation")[0]],
            ["data", "list"],
        ]
        for command in commands:
            script = (
                "import sys; from sweep.cli import app; "
                f"app({command!r}, standalone_mode=False); "
                "sys.exit('tensorflow' in sys.modules)"
            )
            done = subprocess.run(
                [sys.executable, "-c", script], cwd=finished, capture_output=True, text=True
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
