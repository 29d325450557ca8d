import json
import re
from dataclasses import replace

import pytest

from sweep.errors import StudyError
from sweep.report.page import render, served_page, write

from ..fake_studies import SPACE, make_record

HOSTILE = "<img src=x onerror=alert(1)>"


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def policy_of(page):
    return re.search(r'Content-Security-Policy" content="(.*?)"', page)[1]


@pytest.mark.parametrize("trials", [0, 1, 80])
def test_any_number_of_trials_makes_a_whole_page(trials):
    page = render(make_record(trials))
    assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    assert data_of(page)["trials"]["trial"] == list(range(trials))


def test_the_report_asks_for_nothing_from_elsewhere():
    page = render(make_record(40, seed=3))
    ours = re.sub(r'<script type="text/plain" id="plotly".*?</script>', "", page, flags=re.DOTALL)
    assert "default-src 'none'" in policy_of(page)
    assert not any(f"{kind}-src" in policy_of(page) for kind in ("connect", "media", "font"))
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", ours)
    assert not re.search(r"url\(|@import|XMLHttpRequest", ours)


def test_the_served_page_is_the_same_without_data_and_asks_only_its_server():
    page, report = served_page("go_stop"), render(make_record(3))
    assert data_of(page) is None
    assert "connect-src 'self'" in policy_of(page) and "media-src 'self'" in policy_of(page)
    for part in (r"<template.*</template>", r"<style>.*</style>", r"<script>.*</script>"):
        assert re.search(part, page, re.DOTALL)[0] == re.search(part, report, re.DOTALL)[0]
    assert len(page) < 100_000


def test_words_from_the_study_are_escaped():
    record = make_record(60, seed=3, space=SPACE.replace("[stop, go]", f'["{HOSTILE}", go]'))
    trial = record.trials[0]
    evil = replace(trial, evaluation=replace(trial.evaluation, reason="</script><b>hello"))
    record = replace(
        record, name=HOSTILE, trials=(evil, *record.trials[1:]), about={HOSTILE: {"a": HOSTILE}}
    )
    page = render(record)
    assert "<img" not in page.split('id="plotly"')[0]
    assert "</script><b>" not in page
    assert data_of(page)["trials"]["reason"][0] == "</script><b>hello"
    assert "<img" not in served_page(HOSTILE)


def test_without_javascript_the_headline_is_told():
    page = render(make_record(80, seed=3))
    plain = re.search(r"<noscript>(.*?)</noscript>", page, re.DOTALL)[1]
    assert data_of(page)["headline"] in plain


def test_write_replaces_the_page_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    assert write(make_record(2), path) == path
    assert "doctype" in path.read_text(encoding="utf-8")[:20]
    assert list(tmp_path.iterdir()) == [path]


def test_the_folder_of_a_page_is_made(tmp_path):
    path = write(make_record(3), tmp_path / "results/go_stop/report.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_page_that_cannot_be_put_in_place_leaves_no_scraps(tmp_path, monkeypatch):
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(StudyError, match="report.html: cannot be written: full"):
        write(make_record(0), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudyError, match="file/report.html: cannot be written: "):
        write(make_record(1), tmp_path / "file" / "report.html")
