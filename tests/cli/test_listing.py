"""What a study looks like in the shell."""

from pathlib import Path

from .shell import refused, sweep


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

    def test_two_formats_at_once_are_refused(self, finished: Path) -> None:
        line = refused("trials", "words", "--json", "--csv", cwd=finished, code=2)
        assert "--json and --csv: name one of them" in line

    def test_status_shows_funnel_and_front(self, finished: Path) -> None:
        text = sweep("status", "words", cwd=finished).stdout
        assert "feasible" in text and "The front" in text

    def test_report_writes_the_page(self, finished: Path) -> None:
        page = finished / "results/words/report.html"
        page.unlink()
        assert sweep("report", "words", cwd=finished).stdout.strip() == "results/words/report.html"
        assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
