"""From a trial to a folder that hears."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from .shell import clips, refused, sweep


class TestExport:
    def test_an_exported_folder_hears_what_was_said(self, finished: Path) -> None:
        done = sweep("export", "words", "--pick", "most-accurate", "--out", "out", cwd=finished)
        assert done.returncode == 0, done.stderr
        metadata = json.loads((finished / "out/metadata.json").read_text())
        accuracy = metadata["metrics"]["accuracy"]["value"]
        heard = clips("validation")
        told = json.loads(sweep("predict", "out", *heard, "--json", cwd=finished).stdout)
        right = sum(Path(p["clip"]).parent.name == p["label"] for p in told)
        assert right / len(heard) == pytest.approx(accuracy)
        assert all(sum(p["probabilities"].values()) == pytest.approx(1, abs=0.02) for p in told)

    def test_a_changed_model_is_refused(self, finished: Path) -> None:
        assert sweep("export", "words", "--out", "changed", cwd=finished).returncode == 0
        model = finished / "changed/model.tflite"
        model.write_bytes(model.read_bytes() + b"\0")
        line = refused("predict", "changed", clips("validation")[0], cwd=finished, code=1)
        assert "changed since it was exported" in line

    def test_a_folder_with_other_things_is_left_alone(self, finished: Path) -> None:
        (finished / "mine").mkdir()
        (finished / "mine/thesis.txt").write_text("years of work")
        line = refused("export", "words", "--out", "mine", cwd=finished, code=1)
        assert "holds something else" in line
        assert (finished / "mine/thesis.txt").read_text() == "years of work"

    def test_nor_is_an_export_with_other_things_beside_it(self, finished: Path) -> None:
        (finished / "kept").mkdir()
        for name in ("metadata.json", "thesis.txt"):
            (finished / "kept" / name).write_text("{}")
        for out in ("kept", "kept/thesis.txt"):
            line = refused("export", "words", "--out", out, cwd=finished, code=1)
            assert "holds something else" in line
        assert (finished / "kept/thesis.txt").is_file()

    def test_a_model_alone_is_no_earlier_export(self, finished: Path) -> None:
        (finished / "own").mkdir()
        (finished / "own/model.tflite").write_text("my own model")
        line = refused("export", "words", "--out", "own", cwd=finished, code=1)
        assert "holds something else" in line
        assert (finished / "own/model.tflite").read_text() == "my own model"

    def test_an_export_is_replaced_where_one_stands_in_it(self, finished: Path) -> None:
        assert sweep("export", "words", "--out", "here", cwd=finished).returncode == 0
        before = {file.name: file.read_bytes() for file in (finished / "here").iterdir()}
        (finished / "here/metadata.json").write_text("{}")
        study = finished / "results/words"
        done = sweep("export", study, "--out", ".", cwd=finished / "here")
        assert done.returncode == 0, done.stderr
        after = {file.name: file.read_bytes() for file in (finished / "here").iterdir()}
        assert after.keys() == before.keys()
        assert after["model.tflite"] == before["model.tflite"]
        assert json.loads(after["metadata.json"])["study"] == "words"

    def test_a_trial_that_is_not_there_is_named(self, finished: Path) -> None:
        line = refused("export", "words", "--trial", 999, cwd=finished, code=1)
        assert "there is no finished trial 999" in line

    def test_a_comma_in_the_name_of_a_clip_breaks_no_column(self, finished: Path) -> None:
        assert sweep("export", "words", "--out", "columns", cwd=finished).returncode == 0
        shutil.copy(clips("validation")[0], finished / "take 1, kitchen.wav")
        told = sweep("predict", "columns", "take 1, kitchen.wav", "--csv", cwd=finished).stdout
        header, row = csv.reader(told.splitlines())
        assert header == ["clip", "label", "stop", "go"]
        assert row[0] == "take 1, kitchen.wav" and row[1] in ("stop", "go")
        assert sum(map(float, row[2:])) == pytest.approx(1, abs=1e-6)

    def test_a_text_file_called_wav_is_refused(self, finished: Path) -> None:
        assert sweep("export", "words", "--out", "ears", cwd=finished).returncode == 0
        (finished / "note.wav").write_text("not a sound")
        assert "note.wav" in refused("predict", "ears", "note.wav", cwd=finished, code=1)

    def test_a_bad_clip_leaves_the_answers_before_it(self, finished: Path) -> None:
        assert sweep("export", "words", "--out", "both", cwd=finished).returncode == 0
        (finished / "noise.wav").write_text("not a sound")
        heard = clips("validation")[0]
        for form in ("--json", "--csv"):
            done = sweep("predict", "both", heard, "noise.wav", form, cwd=finished)
            assert done.returncode == 1 and "noise.wav" in done.stderr
            assert heard in done.stdout
        (first,) = json.loads(
            sweep("predict", "both", heard, "noise.wav", "--json", cwd=finished).stdout
        )
        assert first["label"] in ("stop", "go")
