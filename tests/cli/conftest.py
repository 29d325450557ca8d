"""A sweep to look at, run once."""

from pathlib import Path

import pytest
from filelock import FileLock

from .shell import space_file, sweep


@pytest.fixture(scope="session")
def finished(shared: Path) -> Path:
    """A folder in which a small sweep has been run to its end, by whichever process came first."""
    folder = shared / "finished"
    with FileLock(shared / "finished.lock"):
        if not (folder / "told").is_file():
            folder.mkdir()
            done = sweep("run", space_file(folder), "--workers", 2, cwd=folder)
            assert done.returncode == 0, done.stderr
            assert "next: sweep report words --open" in done.stdout
            (folder / "told").write_text(done.stdout)
    return folder
