"""A sweep to look at, run once."""

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from .shell import space_file, sweep


@pytest.fixture(scope="session")
def finished(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a small sweep has been run to its end.

    Whichever process comes first runs it; each has a copy of its own.
    """
    once, told = shared / "finished", shared / "finished.txt"
    with FileLock(shared / "finished.lock"):
        if not told.is_file():
            once.mkdir()
            done = sweep("run", space_file(once), "--workers", 1, cwd=once)
            assert done.returncode == 0, done.stderr
            assert "next: sweep report words --open" in done.stdout
            told.write_text(done.stdout)
        return Path(shutil.copytree(once, tmp_path_factory.mktemp("cli") / "finished"))
