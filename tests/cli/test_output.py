"""Output that cannot be written costs nothing."""

import subprocess
from pathlib import Path

import pytest

from .shell import SWEEP, refused, sweep


@pytest.mark.parametrize("encoding", ["latin-1", "gbk"])
def test_a_sign_that_the_terminal_lacks_costs_the_sign_alone(
    encoding: str, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = sweep("trials", "words", cwd=finished).stdout
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = subprocess.run([str(SWEEP), "trials", "words"], cwd=finished, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == plain.encode(encoding, errors="replace")


def test_a_run_ends_with_its_page_though_nobody_can_be_told(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    page = finished / "results/words/report.html"
    command = [str(SWEEP), "run", "words.yaml", "--workers", "1"]
    for reader in (["true"], ["cat"]):
        page.unlink()
        run = subprocess.Popen(
            command, cwd=finished, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        subprocess.run(reader, stdin=run.stdout, check=True, stdout=subprocess.DEVNULL)
        assert run.stdout is not None
        run.stdout.close()
        assert run.wait(120) == 0
        assert page.is_file()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_cost_nothing(closed: str, tmp_path: Path) -> None:
    done = subprocess.run(f"{SWEEP} parameters {closed}", shell=True, cwd=tmp_path)
    assert done.returncode == 0


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{SWEEP} parameters > /dev/full", shell=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == ("sweep: standard output cannot be written: No space left on device\n")


def test_a_mistake_keeps_its_exit_code_though_nobody_can_be_told(tmp_path: Path) -> None:
    refused("check", "none.yaml", cwd=tmp_path, code=2)
    for nowhere in ("2> /dev/full", "2>&1 > /dev/null | true; exit ${PIPESTATUS[0]}"):
        command = f"{SWEEP} check none.yaml {nowhere}"
        assert subprocess.run(["bash", "-c", command], cwd=tmp_path).returncode == 2
