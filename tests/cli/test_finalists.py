"""Finalists, the only ones that hear the test clips."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from sweep.audio.splits import SPLITS

from .shell import SPACE, clips, refused, space_file, sweep

TWICE = ("finalists", "words", "--top", 2, "--folds", 0, "--workers", 1, "--json", "--seeds")


@pytest.fixture(scope="module")
def trained_twice(finished: Path) -> tuple[Path, list[dict[str, Any]]]:
    """A folder with two finalists of two seeds each, and what was told of them."""
    folder = finished / "final"
    shutil.copytree(finished / "results", folder / "results")
    done = sweep(*TWICE, 2, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


class TestFinalists:
    def test_are_trained_again_and_measured_on_the_test_clips(
        self, trained_twice: tuple[Path, list[dict[str, Any]]]
    ) -> None:
        folder, told = trained_twice
        front = json.loads(sweep("status", "words", "--json", cwd=folder).stdout)["front"]
        best = {row["trial"] for row in front}
        assert len(told) == 2
        assert len({one["trial"] for one in told} & best) == min(2, len(best))
        assert told[0]["trial"] in best
        for one in told:
            assert len({again["seed"] for again in one["retrainings"]}) == 2
            assert one["test_clips"] == 12
            for again in one["retrainings"]:
                assert len(again["losses"]) == len(again["accuracies"]) > 0
                assert sum(map(sum, again["confusion"])) == 12
                right = sum(again["confusion"][i][i] for i in range(2))
                assert right == round(12 * again["test"]["accuracy"]) == 12 - len(again["mistakes"])
        page = (folder / "results/words/report.html").read_text(encoding="utf-8")
        assert "Trained again from 2 seeds" in page
        done = sweep("export", "words", "--out", "out", cwd=folder)
        assert done.returncode == 0, done.stderr
        metadata = json.loads((folder / "out/metadata.json").read_text(encoding="utf-8"))
        (one,) = (one for one in told if one["trial"] == metadata["trial"])
        heard = [again["test"]["accuracy"] for again in one["retrainings"]]
        assert metadata["finalist"]["test"]["accuracy"]["mean"] == pytest.approx(sum(heard) / 2)
        assert metadata["finalist"]["holds"]
        assert f"trained again, on test clips: {sum(heard) / 2:.3f} (" in done.stdout
        assert "Trained again from 2 seeds" in sweep("status", "words", cwd=folder).stdout

    def test_what_was_trained_is_not_trained_again(
        self, trained_twice: tuple[Path, list[dict[str, Any]]]
    ) -> None:
        folder, first = trained_twice
        kept = {file: file.stat().st_mtime_ns for file in trainings(folder)}
        # As if the last had been cut short.
        lost = max(kept)
        lost.parent.rename(lost.parent.with_name(f".{lost.parent.name}"))
        again = json.loads(sweep(*TWICE, 3, cwd=folder).stdout)
        assert len(kept) == 4 and len(trainings(folder)) == 6
        assert [f for f, when in kept.items() if f.stat().st_mtime_ns != when] == [lost]
        for one, other in zip(first, again, strict=True):
            for before, after in zip(one["retrainings"], other["retrainings"], strict=False):
                assert before["losses"] == after["losses"]
                assert before["test"]["accuracy"] == after["test"]["accuracy"]

    def test_are_the_best_by_folds_of_speakers(self, finished: Path) -> None:
        folder = finished / "folds"
        shutil.copytree(finished / "results", folder / "results")
        ask = ("finalists", "words", "--top", 1, "--seeds", 1, "--folds", 2, "--workers", 1)
        done = sweep(*ask, "--json", cwd=folder)
        assert done.returncode == 0, done.stderr
        assert "by folds of speakers" in done.stderr
        (found,) = json.loads(done.stdout)
        by_trial: dict[int, list[dict[str, Any]]] = {}
        for file in sorted((folder / "results/words/retrainings/folds").glob("*_of_2_*/*.json")):
            number = int(file.parent.name.partition("_")[0])
            by_trial.setdefault(number, []).append(json.loads(file.read_text()))
        feasible = json.loads(sweep("trials", "words", "--feasible", "--json", cwd=folder).stdout)
        assert set(by_trial) == {trial["trial"] for trial in feasible}
        shares = {}
        for number, each in by_trial.items():
            # 94 clips for training and 14 for validation, each heard once.
            assert sum(one["clips"] for one in each) == 108
            right = sum(one["confusion"][i][i] for one in each for i in range(2))
            shares[number] = right / 108
        assert shares[found["trial"]] == max(shares.values())
        assert sum(sum(map(sum, fold)) for fold in found["validated"]["folds"]) == 108
        page = (folder / "results/words/report.html").read_text(encoding="utf-8")
        assert f"{shares[found['trial']]:.3f}" in page
        assert "all 108 clips for training and validation" in page

    def test_the_search_never_reads_a_test_clip_and_finalists_do(self, tmp_path: Path) -> None:
        for split in SPLITS:
            for clip in clips(split):
                copy = tmp_path / "clips" / Path(clip).parent.name / Path(clip).name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(clip, copy)
                if split == "testing":
                    copy.write_text("whoever reads this is refused")
        text = SPACE.replace("trials: 4", "trials: 2")
        where = ("--data", "clips", "--workers", "1")
        done = sweep("run", space_file(tmp_path, text), *where, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        line = refused("run", "words.yaml", cwd=tmp_path, code=1)
        assert f"made with the clips of {tmp_path / 'clips'}; name them with --data" in line
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        done = sweep("export", tmp_path / "results/words", "--out", "out", cwd=elsewhere)
        assert done.returncode == 0, done.stderr
        line = refused("finalists", "words", "--workers", "1", "--seeds", "1", cwd=tmp_path, code=1)
        assert "testing" in line

    def test_random_labels_find_no_lucky_winner(self, tmp_path: Path) -> None:
        spoken = [clip for split in SPLITS for clip in clips(split)]
        draw = random.Random(0)
        for label in ("stop", "go"):
            (tmp_path / "shuffled" / label).mkdir(parents=True)
        for i, clip in enumerate(spoken):
            speaker = Path(clip).name.partition("_nohash_")[0]
            label = draw.choice(("stop", "go"))
            shutil.copy(clip, tmp_path / "shuffled" / label / f"{speaker}_nohash_{i}.wav")
        text = SPACE.replace(">= 0.7", ">= 0.97").replace("trials: 4", "trials: 6")
        done = sweep(
            "run", space_file(tmp_path, text), "--data", "shuffled", "--workers", 1, cwd=tmp_path
        )
        assert done.returncode == 3, done.stdout
        assert "accuracy >= 0.97 binds" in done.stdout
        assert "The nearest misses" in done.stdout
        assert done.stderr.strip().splitlines()[-1].startswith("sweep: no trial is feasible")
        assert "no trial to list" in sweep("trials", "words", "--feasible", cwd=tmp_path).stdout
        line = refused("finalists", "words", "--data", "shuffled", cwd=tmp_path, code=3)
        assert "no trial is feasible" in line


def trainings(folder: Path) -> list[Path]:
    return sorted((folder / "results/words/retrainings").glob("[0-9]*/evaluation.json"))
