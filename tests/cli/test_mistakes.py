"""What people get wrong, and what they are told."""

import shutil
from pathlib import Path

import pytest

from .shell import SPACE, clips, refused, small_disk, space_file


class TestMistakes:
    """Each with one line that names the place, and nothing written."""

    def test_an_unknown_parameter(self, tmp_path: Path) -> None:
        file = space_file(tmp_path, SPACE.replace("alpha:", "alfa:"))
        line = refused("run", file, cwd=tmp_path, code=2)
        assert line.endswith("parameters.alfa: unknown parameter; did you mean alpha?")
        assert not (tmp_path / "results").exists()

    def test_a_grid_without_end(self, tmp_path: Path) -> None:
        text = SPACE.replace("{trials: 4", "{sampler: grid, trials: 4")
        line = refused("check", space_file(tmp_path, text), cwd=tmp_path, code=2)
        assert "search.sampler: grid needs a finite space" in line

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        assert "none.yaml: cannot be read" in refused("check", "none.yaml", cwd=tmp_path, code=2)

    def test_one_fold_that_holds_everybody_out(self, finished: Path) -> None:
        line = refused("finalists", "words", "--folds", 1, cwd=finished, code=2)
        assert "--folds: 1 leaves nobody to train on" in line

    def test_a_label_the_data_does_not_have(self, tmp_path: Path, finished: Path) -> None:
        folder = Path(clips("validation")[0]).parent.parent
        file = space_file(tmp_path, SPACE.replace("[stop, go]", "[stop, left]"))
        line = refused("run", file, "--data", folder, cwd=tmp_path, code=1)
        assert "no clips of left; there are: go, stop" in line
        assert not (tmp_path / "results").exists()

    def test_an_empty_folder_of_recordings(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        line = refused("run", space_file(tmp_path), "--data", "empty", cwd=tmp_path, code=1)
        assert "empty" in line

    @pytest.mark.parametrize("name", ["../x", ""])
    def test_a_name_that_cannot_name_a_study(self, name: str, tmp_path: Path) -> None:
        line = refused("run", space_file(tmp_path), "--study", name, cwd=tmp_path, code=2)
        assert f"{name!r} cannot name a study" in line
        assert not (tmp_path.parent / "x").exists() and not (tmp_path / "results").exists()

    def test_a_results_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        line = refused(
            "run", space_file(tmp_path), "--results", "file/results", cwd=tmp_path, code=1
        )
        assert "cannot be written" in line

    def test_a_study_that_is_not_there(self, finished: Path) -> None:
        line = refused("status", "wrods", cwd=finished, code=1)
        assert "no study at results/wrods; results holds words" in line

    def test_a_study_made_for_another_space(self, finished: Path) -> None:
        file = space_file(finished, SPACE.replace("< 25", "< 20"), "other.yaml")
        before = (finished / "results/words/study.db").read_bytes()
        line = refused("run", file, "--study", "words", cwd=finished, code=1)
        assert (finished / "results/words/study.db").read_bytes() == before
        assert "made with limits.size_kb = '< 25', now it is '< 20'" in line

    def test_a_timeout_that_is_no_duration(self, tmp_path: Path) -> None:
        line = refused("run", space_file(tmp_path), "--timeout", "soon", cwd=tmp_path, code=2)
        assert "--timeout: 'soon' is no duration" in line and "90s, 30m or 1h30m" in line

    def test_a_disk_full_of_trials(self, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk") as disk:
            file, budget = space_file(tmp_path), ("--trials", 40, "--workers", 1)
            line = refused("run", file, "--results", disk, *budget, cwd=tmp_path, code=1)
            assert "full" in line or "space" in line

    def test_a_disk_too_full_for_the_report_keeps_the_old_one(
        self, finished: Path, tmp_path: Path
    ) -> None:
        with small_disk(tmp_path / "disk") as disk:
            study = disk / "words"
            study.mkdir()
            shutil.copy(finished / "results/words/study.db", study)
            (study / "report.html").write_text("the old one")
            line = refused("report", study, cwd=tmp_path, code=1)
            assert "report.html: cannot be written: No space left on device" in line
            assert (study / "report.html").read_text() == "the old one"

    def test_a_disk_too_full_for_the_cache(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with small_disk(tmp_path / "disk") as disk:
            monkeypatch.setenv("SWEEP_CACHE", str(disk))
            line = refused("run", space_file(tmp_path), cwd=tmp_path, code=1)
            assert "cannot write the cache (No space left on device)" in line
            assert not list(disk.rglob("*.wav"))
