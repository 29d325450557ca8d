"""From a trial to a folder that hears."""

import csv
import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep import c
from sweep.audio.clips import read_whole
from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.errors import DataError, SweepError
from sweep.export import measure
from sweep.isolation import IsolatedClassifier
from sweep.metrics import METRICS, OF_STREAMS, ON_CORE
from sweep.predict import FRONTEND, METADATA, MODEL, Classifier
from sweep.study.storage import StudyFolder

from .shell import clips, read_only, refused, sweep


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def exported(finished: Path) -> Path:
    """The most accurate trial, exported."""
    done = sweep("export", "words", "--pick", "most-accurate", "--out", "best", cwd=finished)
    assert done.returncode == 0, done.stderr
    return finished / "best"


class TestExport:
    def test_an_exported_folder_hears_what_was_said(self, exported: Path) -> None:
        metadata = json.loads((exported / "metadata.json").read_text())
        not_measured = {"false_accept_rate", *OF_STREAMS, *ON_CORE}
        assert metadata["metrics"].keys() == METRICS.keys() - not_measured
        assert metadata["detector"] is None
        assert 0 < metadata["metrics"]["arena_kb"]["value"] < 100
        accuracy = metadata["metrics"]["accuracy"]["value"]
        heard = clips("validation")
        told = json.loads(sweep("predict", exported, *heard, "--json", cwd=exported).stdout)
        right = sum(Path(p["clip"]).parent.name == p["label"] for p in told)
        assert right / len(heard) == pytest.approx(accuracy)
        assert all(sum(p["probabilities"].values()) == pytest.approx(1, abs=0.02) for p in told)

    def test_a_finished_study_needs_no_disk_that_can_be_written(
        self, exported: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ExitStack() as frozen:
            results = frozen.enter_context(read_only(finished / "results", tmp_path / "results"))
            cache = Path(os.environ["SWEEP_CACHE"])
            monkeypatch.setenv(
                "SWEEP_CACHE", str(frozen.enter_context(read_only(cache, tmp_path / "cache")))
            )
            (tmp_path / "here").mkdir()
            for command in (["status"], ["report"], ["export", "--out", "out"]):
                done = sweep(*command, "words", "--results", results, cwd=tmp_path / "here")
                assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert {path.name for path in (tmp_path / "here").iterdir()} == {"out", "words.html"}

    def test_a_changed_model_is_refused(self, exported: Path, tmp_path: Path) -> None:
        shutil.copytree(exported, tmp_path / "changed")
        model = tmp_path / "changed/model.tflite"
        model.write_bytes(model.read_bytes() + b"\0")
        line = refused("predict", "changed", clips("validation")[0], cwd=tmp_path, code=1)
        assert "changed since it was exported" in line

    def test_a_folder_with_other_things_is_left_alone(self, finished: Path) -> None:
        (finished / "mine").mkdir()
        (finished / "mine/thesis.txt").write_text("years of work")
        line = refused("export", "words", "--out", "mine", cwd=finished, code=1)
        assert "holds something else" in line
        assert (finished / "mine/thesis.txt").read_text() == "years of work"

    def test_nor_is_an_export_with_other_things_beside_it(self, finished: Path) -> None:
        (finished / "spared").mkdir()
        for name in ("metadata.json", "thesis.txt"):
            (finished / "spared" / name).write_text("{}")
        for out in ("spared", "spared/thesis.txt"):
            line = refused("export", "words", "--out", out, cwd=finished, code=1)
            assert "holds something else" in line
        assert (finished / "spared/thesis.txt").is_file()

    def test_a_model_alone_is_no_earlier_export(self, finished: Path) -> None:
        (finished / "own").mkdir()
        (finished / "own/model.tflite").write_text("my own model")
        line = refused("export", "words", "--out", "own", cwd=finished, code=1)
        assert "holds something else" in line
        assert (finished / "own/model.tflite").read_text() == "my own model"

    def test_an_export_is_replaced_where_one_stands_in_it(
        self, finished: Path, exported: Path, tmp_path: Path
    ) -> None:
        here = tmp_path / "here"
        shutil.copytree(exported, here)
        before = {file.name: file.read_bytes() for file in here.iterdir()}
        (here / "metadata.json").write_text("{}")
        study = finished / "results/words"
        done = sweep("export", study, "--pick", "most-accurate", "--out", ".", cwd=here)
        assert done.returncode == 0, done.stderr
        after = {file.name: file.read_bytes() for file in here.iterdir()}
        assert after.keys() == before.keys()
        assert after["model.tflite"] == before["model.tflite"]
        assert json.loads(after["metadata.json"])["study"] == "words"

    def test_c_is_exported_beside_it_verified_and_replaced(self, finished: Path) -> None:
        ask = ("export", "words", "--pick", "most-accurate", "--out", "with-c")
        done = sweep(*ask, "--c", cwd=finished)
        assert done.returncode == 0, done.stderr
        told = json.loads((finished / "with-c/metadata.json").read_text())["c"]
        if shutil.which("cc"):
            assert told["verified"] and told["clips"] == len(clips("validation"))
            assert "with-c/c: verified on" in done.stdout
            assert "the network equals LiteRT's reference kernels" in done.stdout
        written = contents(finished / "with-c/c")
        assert written.keys() == set(c.FILES) - set(c.OF_STREAMS)
        done = sweep(*ask, "--c", cwd=finished)
        assert done.returncode == 0, done.stderr
        assert contents(finished / "with-c/c") == written
        done = sweep(*ask, cwd=finished)
        assert done.returncode == 0, done.stderr
        assert not (finished / "with-c/c").exists()
        assert "c" not in json.loads((finished / "with-c/metadata.json").read_text())

    def test_a_firmware_written_among_the_c_is_left_alone(
        self, finished: Path, exported: Path, tmp_path: Path
    ) -> None:
        shutil.copytree(exported, tmp_path / "device")
        (tmp_path / "device/c").mkdir()
        (tmp_path / "device/c/main.c").write_text("int main(void) { return 0; }")
        study = finished / "results/words"
        line = refused("export", study, "--c", "--out", "device", cwd=tmp_path, code=1)
        assert "holds something else" in line
        assert (tmp_path / "device/c/main.c").is_file()

    def test_a_trial_and_a_pick_are_two_wishes(self, finished: Path) -> None:
        ask = ("export", "words", "--trial", 1, "--pick", "fastest")
        line = refused(*ask, cwd=finished, code=2)
        assert "--trial and --pick: name one of them" in line

    def test_a_trial_that_is_not_there_is_named(self, finished: Path) -> None:
        line = refused("export", "words", "--trial", 999, cwd=finished, code=1)
        assert "there is no finished trial 999" in line

    def test_a_comma_in_the_name_of_a_clip_breaks_no_column(
        self, exported: Path, tmp_path: Path
    ) -> None:
        shutil.copy(clips("validation")[0], tmp_path / "take 1, kitchen.wav")
        told = sweep("predict", exported, "take 1, kitchen.wav", "--csv", cwd=tmp_path).stdout
        header, row = csv.reader(told.splitlines())
        assert header == ["clip", "label", "stop", "go"]
        assert row[0] == "take 1, kitchen.wav" and row[1] in ("stop", "go")
        assert sum(map(float, row[2:])) == pytest.approx(1, abs=0.02)

    def test_a_name_in_another_encoding_is_no_obstacle(
        self, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONIOENCODING", "utf-8:strict")
        clip = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
        shutil.copy(clips("validation")[0], clip)
        done = sweep("predict", exported, clip, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "caf\ufffd.wav" in done.stdout

    def test_labels_that_are_not_those_of_the_model_are_told(
        self, exported: Path, tmp_path: Path
    ) -> None:
        shutil.copytree(exported, tmp_path / "edited")
        file = tmp_path / "edited/metadata.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"labels": ["stop", "go", "up"]}))
        line = refused("predict", "edited", clips("validation")[0], cwd=tmp_path, code=1)
        assert "labels: 3 are named, and the model tells 2 apart" in line

    @pytest.mark.parametrize("form", ["--json", "--csv"])
    def test_a_text_file_called_wav_is_told_and_the_clips_beside_it_are_heard(
        self, exported: Path, tmp_path: Path, form: str
    ) -> None:
        (tmp_path / "note.wav").write_text("not a sound")
        heard = clips("validation")[0]
        done = sweep("predict", exported, heard, "note.wav", form, cwd=tmp_path)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "note.wav" in done.stderr.splitlines()[-1]
        if form == "--json":
            (told,) = json.loads(done.stdout)
            assert told["clip"] == heard and told["label"] in ("stop", "go")
        else:
            header, row = csv.reader(done.stdout.splitlines())
            assert row[0] == heard and row[1] in ("stop", "go")

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("model.tflite", b"junk" * 25, "its models do not run; export it again"),
            ("frontend.tflite", b"", "its models do not run; export it again"),
            ("model.tflite", FRONTEND, "its models do not run; export it again"),
            (METADATA, 0, "frontend.downsampling_rate: 0 is no sampling rate; export it again"),
            (METADATA, "fast", "not an exported folder; sweep export makes one"),
        ],
    )
    def test_a_folder_that_only_looks_like_an_export_is_told(
        self, name: str, content: object, message: str, exported: Path, tmp_path: Path
    ) -> None:
        shutil.copytree(exported, tmp_path / "made")
        metadata = json.loads((exported / METADATA).read_text())
        if name == METADATA:
            metadata["frontend"]["downsampling_rate"] = content
        else:
            model = (exported / content).read_bytes() if isinstance(content, str) else content
            (tmp_path / "made" / name).write_bytes(model)
            metadata["sha256"][name] = hashlib.sha256(model).hexdigest()
        (tmp_path / "made" / METADATA).write_text(json.dumps(metadata))
        with pytest.raises(SweepError, match=f"made.*: {message}"):
            Classifier(tmp_path / "made")

    def test_a_model_that_crashes_what_runs_it_costs_a_line(
        self, exported: Path, tmp_path: Path
    ) -> None:
        whole = (exported / MODEL).read_bytes()
        shutil.copytree(exported, tmp_path / "cut")
        metadata = json.loads((exported / METADATA).read_text())
        for size in (len(whole) // 3, len(whole) // 2, len(whole) - 50):
            (tmp_path / "cut" / MODEL).write_bytes(whole[:size])
            metadata["sha256"][MODEL] = hashlib.sha256(whole[:size]).hexdigest()
            (tmp_path / "cut" / METADATA).write_text(json.dumps(metadata))
            line = refused("predict", "cut", clips("validation")[0], cwd=tmp_path, code=1)
            assert line.startswith("sweep: cut: its models ")

    def test_a_crash_between_two_clips_is_told(self, exported: Path) -> None:
        clip = Path(clips("validation")[0])
        with IsolatedClassifier(exported) as classifier:
            assert classifier.predict(clip) == Classifier(exported).predict(clip)
            with pytest.raises(DataError, match="none.wav"):
                classifier.predict(Path("none.wav"))
            os.kill(classifier._process.pid or 0, signal.SIGSEGV)
            with pytest.raises(SweepError, match=r"its models crash what runs them \(-11\)"):
                classifier.predict(clip)

    def test_a_header_that_claims_a_rate_of_1_hz_costs_no_time(
        self, exported: Path, tmp_path: Path
    ) -> None:
        soundfile.write(tmp_path / "slow.wav", np.zeros(16000), 1)
        done = sweep("predict", exported, "slow.wav", cwd=tmp_path, timeout=30)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert "slow.wav: a sampling rate of 1 Hz; 1000 to 768000 can be read" in done.stderr


FORMATS = {
    "16 bits": (".wav", "PCM_16", 1.0),
    "16 bits, low": (".wav", "PCM_16", 0.001),
    "24 bits": (".wav", "PCM_24", 1.0),
    "24 bits, low": (".wav", "PCM_24", 0.001),
    "24 bits, below what 16 can tell": (".wav", "PCM_24", 1e-5),
    "32 bits": (".wav", "PCM_32", 0.5),
    "float": (".wav", "FLOAT", 1.0),
    "float, low": (".wav", "FLOAT", 0.001),
    "float, beyond full scale": (".wav", "FLOAT", 4.0),
    "float, of 16-bit integers": (".wav", "FLOAT", 32768.0),
    "float, of 32-bit integers": (".wav", "DOUBLE", 2.0**31),
    "FLAC": (".flac", "PCM_24", 0.01),
    "Vorbis": (".ogg", "VORBIS", 1.0),
    "Vorbis, as loud as can be": (".ogg", "VORBIS", 1.2),
    "u-law": (".wav", "ULAW", 0.1),
}


class TestFormats:
    """A clip is read one way: what an export says of itself is what its user finds."""

    @pytest.mark.parametrize(("suffix", "subtype", "level"), FORMATS.values(), ids=FORMATS)
    def test_whatever_the_format_and_the_level(
        self,
        suffix: str,
        subtype: str,
        level: float,
        finished: Path,
        exported: Path,
        tmp_path: Path,
    ) -> None:
        self._copy(tmp_path, suffix, subtype, 16000, lambda clip: level * clip)
        self._check(finished, exported, tmp_path)

    @pytest.mark.parametrize("rate", [8000, 16000, 44100])
    @pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
    def test_whatever_the_rate_the_channels_and_the_length(
        self, subtype: str, rate: int, finished: Path, exported: Path, tmp_path: Path
    ) -> None:
        def changed(clip: np.ndarray) -> np.ndarray:
            long = np.concatenate((clip / 9, clip, clip / 5))
            return np.stack((long, 0.3 * np.roll(long, 5)), axis=1)

        self._copy(tmp_path, ".wav", subtype, rate, changed)
        self._check(finished, exported, tmp_path)

    def _copy(
        self,
        folder: Path,
        suffix: str,
        subtype: str,
        rate: int,
        change: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        for clip in map(Path, clips("validation") + clips("testing") + clips("training")[::2]):
            path = (folder / clip.parent.name / clip.name).with_suffix(suffix)
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, change(read_whole(clip, rate)), rate, subtype=subtype)

    def _check(self, finished: Path, exported: Path, folder: Path) -> None:
        record = StudyFolder.find(str(finished / "results/words"), finished, None).record()
        number = json.loads((exported / METADATA).read_text())["trial"]
        trial = next(trial for trial in record.trials if trial.number == number)
        dataset = open_dataset(DatasetSpec(str(folder), ("stop", "go")))
        files = {name: (exported / name).read_bytes() for name in (FRONTEND, MODEL)}
        measured = measure(files, dataset, trial, record.space)["accuracy"]
        names = dataset.names("validation")
        told = [Classifier(exported).predict(folder / name).label for name in names]
        right = [label == name.split("/")[0] for label, name in zip(told, names, strict=True)]
        assert len(right) == 14 and float(np.mean(right)) == measured
