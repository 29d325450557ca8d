import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sweep.scratch import Scratch

HOLD = """
from sweep.scratch import Scratch
held = Scratch()
(held.path / "file").write_text("held")
print(held.path, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> Path:
    """The folder of temporary files of this process and those that it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def other():
    """Another process that holds a folder, and the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_a_folder_is_gone_in_the_end_with_all_that_is_in_it(temporary):
    with Scratch() as scratch:
        (scratch.path / "below").mkdir()
        (scratch.path / "below/file").touch()
        assert scratch.path.parent == temporary
        assert scratch.path.stat().st_mode & 0o777 == 0o700
    assert list(temporary.iterdir()) == []


def test_it_is_gone_where_nobody_removes_it(temporary):
    Scratch()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next(other, temporary):
    process, folder = other
    process.kill()
    process.wait()
    assert (folder / "file").exists()
    with Scratch() as scratch:
        assert list(temporary.iterdir()) == [scratch.path]


def test_what_another_process_holds_stays(other):
    _, folder = other
    with Scratch():
        assert (folder / "file").read_text() == "held"


def test_a_link_to_a_folder_and_its_content_stay(temporary):
    precious = temporary / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (temporary / "tinysweep-link").symlink_to(precious)
    Scratch().remove()
    assert (precious / "file").exists() and (temporary / "tinysweep-link").is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what is another user's")
def test_what_is_of_another_user_stays(temporary):
    theirs = temporary / "tinysweep-theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    Scratch().remove()
    assert theirs.is_dir()
