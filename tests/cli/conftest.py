"""A sweep to look at, run once."""

from pathlib import Path

import pytest

from .shell import space_file, sweep


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a small sweep has been run to its end."""
    folder = tmp_path_factory.mktemp("finished")
    done = sweep("run", space_file(folder), "--workers", 2, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "next: sweep report words --open" in done.stdout
    return folder
