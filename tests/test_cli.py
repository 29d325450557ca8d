"""The shell as people use it: real processes, real sweeps on spoken words, real mistakes."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sweep.audio.dataset import DatasetSpec, locate, open_dataset
from sweep.audio.splits import SPLITS

from .signals import heed_ctrl_c

SWEEP = Path(sys.executable).with_name("sweep")

SPACE = """
dataset:
  source: synthetic
  labels: [stop, go]
  clips_per_label: 60
  snr_db: [10, 30]
parameters:
  alpha: [0.0625, 0.125, 0.25]
  final_sparsity: {low: 0.0, high: 0.5}
  normalization: per_clip
  epochs: 30
  batch_size: 10
  quantization: [float32, int8_per_tensor]
limits: {accuracy: ">= 0.7", latency_ms: "<= 50", size_kb: "< 25"}
search: {trials: 4, seed: 1}
"""


def sweep(*arguments: object, cwd: Path, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    command = [str(SWEEP), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout)


def refused(*arguments: object, cwd: Path, code: int) -> str:
    """Return the one line a command refuses with."""
    done = sweep(*arguments, cwd=cwd)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith(("sweep: ", "Error: "))]
    assert len(said) == 1 and said[0] == done.stderr.splitlines()[-1], done.stderr
    return said[0]


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """Mount a disk of 300 KB."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def space_file(folder: Path, text: str = SPACE, name: str = "words.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a small sweep has been run to its end."""
    folder = tmp_path_factory.mktemp("finished")
    done = sweep("run", space_file(folder), "--workers", 2, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "next: sweep report words --open" in done.stdout
    return folder


class TestRun:
    def test_ends_with_the_front_a_page_and_feasible_models(self, finished: Path) -> None:
        status = json.loads(sweep("status", "words", "--json", cwd=finished).stdout)
        assert status["funnel"]["feasible"] >= 1
        assert sum(status["funnel"].values()) - status["funnel"]["invalid"] == 4
        assert status["front"]
        assert (finished / "results/words/report.html").stat().st_size > 10_000

    def test_goes_on_where_it_stands_and_trains_nothing_twice(self, finished: Path) -> None:
        folder = finished / "more"
        shutil.copytree(finished / "results", folder / "results")
        done = sweep("run", space_file(folder), "--trials", 6, "--workers", 2, cwd=folder)
        assert done.returncode == 0, done.stderr
        rows = json.loads(sweep("trials", "words", "--json", cwd=folder).stdout)
        counted = [row for row in rows if row["outcome"] != "invalid"]
        before = json.loads(sweep("trials", "words", "--json", cwd=finished).stdout)
        assert len(counted) == 6
        assert rows[: len(before)] == before
        kinds = {(int(128 * r["alpha"]), r["final_sparsity"]) for r in counted}
        assert len(kinds) == len(counted)

    def test_with_one_seed_and_one_worker_does_the_same_twice(self, tmp_path: Path) -> None:
        told = []
        for name in ("first", "second"):
            done = sweep("run", space_file(tmp_path), "--study", name, "--workers", 1, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            rows = json.loads(sweep("trials", name, "--json", cwd=tmp_path).stdout)
            same = ("alpha", "final_sparsity", "outcome", "accuracy", "size_kb", "variant")
            told.append([[row[key] for key in same] for row in rows])
        assert told[0] == told[1]

    def test_says_which_limit_binds_when_nothing_is_feasible(self, tmp_path: Path) -> None:
        text = SPACE.replace("< 25", "< 0.5").replace("trials: 4", "trials: 2")
        done = sweep("run", space_file(tmp_path, text), "--workers", 1, cwd=tmp_path)
        assert done.returncode == 3
        assert "size_kb < 0.5 binds" in done.stdout
        assert "The nearest misses" in done.stdout
        assert done.stderr.strip().splitlines()[-1].startswith("sweep: nothing is feasible")

    def test_survives_being_killed_three_times(self, tmp_path: Path) -> None:
        text = SPACE.replace("trials: 4", "trials: 12").replace("epochs: 30", "epochs: 40")
        file = space_file(tmp_path, text)
        database = tmp_path / "results/words/study.db"
        for goal in (1, 3, 5):
            started = subprocess.Popen(
                [str(SWEEP), "run", str(file), "--workers", "2"],
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _wait_for(lambda: _finished_trials(database) >= goal or started.poll() is not None)
            children = _descendants(started.pid)
            started.send_signal(signal.SIGKILL)
            started.wait()
            assert children
            _wait_for(lambda: not any(map(_alive, children)), seconds=30)
        done = sweep("run", file, "--workers", 2, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        rows = json.loads(sweep("trials", "words", "--json", cwd=tmp_path).stdout)
        counted = [row for row in rows if row["outcome"] != "invalid"]
        assert len(counted) == 12
        assert len({(int(128 * r["alpha"]), r["final_sparsity"]) for r in counted}) == 12
        with sqlite3.connect(database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def test_interrupted_keeps_what_is_finished_and_says_so(self, tmp_path: Path) -> None:
        text = SPACE.replace("trials: 4", "trials: 50")
        started = subprocess.Popen(
            [str(SWEEP), "run", str(space_file(tmp_path, text)), "--workers", "1"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=heed_ctrl_c,
        )
        database = tmp_path / "results/words/study.db"
        _wait_for(lambda: _finished_trials(database) >= 1)
        children = _descendants(started.pid)
        os.killpg(started.pid, signal.SIGINT)
        _, errors = started.communicate(timeout=60)
        assert started.returncode == 130
        assert "Traceback" not in errors
        assert errors.strip().splitlines()[-1].startswith("sweep: interrupted; what is finished")
        _wait_for(lambda: not any(map(_alive, children)), seconds=10)
        assert _finished_trials(database) >= 1


class TestListings:
    def test_trials_come_as_csv_sorted_and_chosen(self, finished: Path) -> None:
        text = sweep("trials", "words", "--feasible", "--sort", "size_kb", "--csv", cwd=finished)
        header, *rows = text.stdout.strip().splitlines()
        column = header.split(",").index("size_kb")
        sizes = [float(row.split(",")[column]) for row in rows]
        assert sizes and sizes == sorted(sizes)

    def test_an_unknown_column_is_named_with_the_nearest(self, finished: Path) -> None:
        line = refused("trials", "words", "--sort", "size", cwd=finished, code=2)
        assert "--sort: no column 'size'; did you mean size_kb?" in line

    def test_status_shows_funnel_and_front(self, finished: Path) -> None:
        text = sweep("status", "words", cwd=finished).stdout
        assert "feasible" in text and "The front" in text

    def test_report_writes_the_page(self, finished: Path) -> None:
        page = finished / "results/words/report.html"
        page.unlink()
        assert sweep("report", "words", cwd=finished).stdout.strip() == "results/words/report.html"
        assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


class TestExport:
    def test_an_exported_folder_hears_what_was_said(self, finished: Path) -> None:
        done = sweep("export", "words", "--pick", "most-accurate", "--out", "out", cwd=finished)
        assert done.returncode == 0, done.stderr
        metadata = json.loads((finished / "out/metadata.json").read_text())
        accuracy = metadata["metrics"]["accuracy"]["value"]
        clips = _validation_clips()
        told = json.loads(sweep("predict", "out", *clips, "--json", cwd=finished).stdout)
        right = sum(Path(p["clip"]).parent.name == p["label"] for p in told)
        assert right / len(clips) == pytest.approx(accuracy)
        assert all(sum(p["probabilities"].values()) == pytest.approx(1, abs=0.02) for p in told)

    def test_a_changed_model_is_refused(self, finished: Path) -> None:
        assert sweep("export", "words", "--out", "changed", cwd=finished).returncode == 0
        model = finished / "changed/model.tflite"
        model.write_bytes(model.read_bytes() + b"\0")
        line = refused("predict", "changed", _validation_clips()[0], cwd=finished, code=1)
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

    def test_a_trial_that_is_not_there_is_named(self, finished: Path) -> None:
        line = refused("export", "words", "--trial", 999, cwd=finished, code=1)
        assert "there is no finished trial 999" in line

    def test_a_text_file_called_wav_is_refused(self, finished: Path) -> None:
        assert sweep("export", "words", "--out", "ears", cwd=finished).returncode == 0
        (finished / "note.wav").write_text("not a sound")
        assert "note.wav" in refused("predict", "ears", "note.wav", cwd=finished, code=1)


class TestFinalists:
    def test_are_trained_again_and_measured_on_the_test_clips(self, finished: Path) -> None:
        folder = finished / "final"
        shutil.copytree(finished / "results", folder / "results")
        done = sweep(
            "finalists", "words", "--top", 2, "--seeds", 2, "--workers", 2, "--json", cwd=folder
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        front = json.loads(sweep("status", "words", "--json", cwd=folder).stdout)["front"]
        assert {one["trial"] for one in told} <= {row["trial"] for row in front}
        for one in told:
            assert len({again["seed"] for again in one["retrainings"]}) == 2
            assert one["test_clips"] == 12
            for again in one["retrainings"]:
                assert len(again["losses"]) == len(again["accuracies"]) > 0
                assert sum(map(sum, again["confusion"])) == 12
                right = sum(again["confusion"][i][i] for i in range(2))
                assert right == round(12 * again["test_accuracy"]) == 12 - len(again["mistakes"])
        page = (folder / "results/words/report.html").read_text(encoding="utf-8")
        assert "Trained again from 2 seeds" in page

    def test_the_search_never_reads_a_test_clip_and_finalists_do(self, tmp_path: Path) -> None:
        for split in SPLITS:
            for clip in _clips(split):
                copy = tmp_path / "clips" / Path(clip).parent.name / Path(clip).name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(clip, copy)
                if split == "testing":
                    copy.write_text("whoever reads this is refused")
        text = SPACE.replace("trials: 4", "trials: 2")
        where = ("--data", "clips", "--workers", "1")
        done = sweep("run", space_file(tmp_path, text), *where, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        done = sweep("export", tmp_path / "results/words", "--out", "out", cwd=elsewhere)
        assert done.returncode == 0, done.stderr
        line = refused("finalists", "words", "--workers", "1", "--seeds", "1", cwd=tmp_path, code=1)
        assert "testing" in line

    def test_random_labels_find_no_lucky_winner(self, tmp_path: Path) -> None:
        clips = [clip for split in SPLITS for clip in _clips(split)]
        draw = random.Random(0)
        for label in ("stop", "go"):
            (tmp_path / "shuffled" / label).mkdir(parents=True)
        for i, clip in enumerate(clips):
            speaker = Path(clip).name.partition("_nohash_")[0]
            label = draw.choice(("stop", "go"))
            shutil.copy(clip, tmp_path / "shuffled" / label / f"{speaker}_nohash_{i}.wav")
        text = SPACE.replace(">= 0.7", ">= 0.97").replace("trials: 4", "trials: 6")
        done = sweep(
            "run", space_file(tmp_path, text), "--data", "shuffled", "--workers", 2, cwd=tmp_path
        )
        assert done.returncode == 3, done.stdout
        assert "accuracy >= 0.97 binds" in done.stdout
        line = refused("finalists", "words", "--data", "shuffled", cwd=tmp_path, code=1)
        assert "no trial is feasible" in line


class TestMistakes:
    """Each with one line that names the place, and nothing written."""

    def test_an_unknown_parameter(self, tmp_path: Path) -> None:
        file = space_file(tmp_path, SPACE.replace("alpha:", "alfa:"))
        line = refused("run", file, cwd=tmp_path, code=2)
        assert line.endswith("parameters.alfa: unknown parameter; did you mean alpha?")
        assert not (tmp_path / "results").exists()

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        assert "none.yaml: cannot be read" in refused("check", "none.yaml", cwd=tmp_path, code=2)

    def test_a_label_the_data_does_not_have(self, tmp_path: Path, finished: Path) -> None:
        folder = Path(_validation_clips()[0]).parent.parent
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
            line = refused(
                "run", space_file(tmp_path), "--results", disk, "--trials", 40, cwd=tmp_path, code=1
            )
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
            ["predict", str(out), _validation_clips()[0]],
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


def _clips(split: str) -> list[str]:
    spec = DatasetSpec("synthetic", ("stop", "go"), clips_per_label=60, snr_db=(10.0, 30.0))
    folder = locate(spec)
    return [str(folder / name) for name in open_dataset(spec).names(split)]


def _validation_clips() -> list[str]:
    return _clips("validation")


def _finished_trials(database: Path) -> int:
    if not database.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5) as connection:
            query = "SELECT count(*) FROM trials WHERE state IN ('COMPLETE', 'PRUNED')"
            return int(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _wait_for(holds: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
