"""What a study looks like in the shell."""

import csv
import json
from pathlib import Path

import pytest
from optuna.samplers import RandomSampler

from sweep.cli import app
from sweep.errors import SpecError
from sweep.evaluation import Evaluation
from sweep.study.storage import StudyFolder
from sweep.study.trials import finish

from ..study.fake_workers import FEASIBLE, make_space
from .shell import refused, sweep

LISTINGS = ["parameters", "check words.yaml", "status words", "trials words", "data list"]


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

    @pytest.mark.parametrize("command", LISTINGS)
    def test_every_listing_comes_as_json_and_as_csv(
        self,
        command: str,
        finished: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.chdir(finished)
        app([*command.split(), "--json"], standalone_mode=False)
        told = json.loads(capsys.readouterr().out)
        app([*command.split(), "--csv"], standalone_mode=False)
        header, *rows = csv.reader(capsys.readouterr().out.splitlines())
        assert rows and all(len(row) == len(header) for row in rows)
        if isinstance(told, list):
            assert header == list(told[0]) and len(rows) == len(told)
        else:
            assert header == ["name", "value"]
            names = [name for name, value in told.items() if value != {}]
            assert list(dict.fromkeys(name.partition(".")[0] for name, _ in rows)) == names
        with pytest.raises(SpecError, match="--json and --csv: name one of them"):
            app([*command.split(), "--json", "--csv"], standalone_mode=False)

    def test_failed_trials_come_with_their_tracebacks(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder, space = StudyFolder(tmp_path, "study"), make_space()
        raised = Evaluation("failed", "ValueError: x", traceback="on here:\nTraceback ...\n")
        with folder.owned():
            study = folder.create(space, RandomSampler(seed=0), {"fingerprint": "abc"})
            for evaluation in (FEASIBLE, raised):
                finish(study, study.ask(space.distributions), evaluation)
        listing = ["trials", "study", "--results", str(tmp_path), "--failed"]
        app(listing, standalone_mode=False)
        told = capsys.readouterr().out.splitlines()
        assert told == ["trial 1: ValueError: x", "  on here:", "  Traceback ..."]
        app([*listing, "--json"], standalone_mode=False)
        (row,) = json.loads(capsys.readouterr().out)
        assert (row["trial"], row["traceback"]) == (1, raised.traceback)
        assert 0.08 <= row["alpha"] <= 1

    def test_status_shows_funnel_and_front(self, finished: Path) -> None:
        text = sweep("status", "words", cwd=finished).stdout
        assert "feasible" in text and "The front" in text

    def test_report_writes_the_page(self, finished: Path) -> None:
        page = finished / "results/words/report.html"
        page.unlink()
        assert sweep("report", "words", cwd=finished).stdout.strip() == "results/words/report.html"
        assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
