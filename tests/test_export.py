"""Clips of a study that are looked for when it is exported."""

from pathlib import Path

import pytest

from sweep.errors import DataError
from sweep.export import same_clips
from sweep.study.records import StudyRecord

from .study.fake_workers import make_space


def test_recordings_that_have_moved_are_told_with_the_option_that_helps(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    record = StudyRecord("words", make_space(), (), {"source": str(gone), "fingerprint": "abc"})
    with pytest.raises(DataError, match=f"^{gone}: the recordings of words .* say with --data"):
        same_clips(record, None)
