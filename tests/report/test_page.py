import json
import re
from dataclasses import replace

import pytest

from sweep.errors import StudyError
from sweep.report.markup import duration
from sweep.report.page import render, write
from sweep.report.slices import columns
from sweep.report.tradeoff import goals
from sweep.report.verdict import effort
from sweep.study.table import TrialRecord, table

from .made_up import SPACE, make_record, with_finalists

HOSTILE = "<img src=x onerror=alert(1)>"


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


@pytest.mark.parametrize("trials", [0, 1, 80])
def test_any_number_of_trials_makes_a_whole_page(trials):
    page = render(make_record(trials))
    assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    assert data_of(page)["trials"]["trial"] == list(range(trials))


def test_a_study_with_every_parameter_fixed_makes_a_page():
    space = re.sub(r"parameters:\n.*?(?=require)", "", SPACE, flags=re.DOTALL)
    page = render(make_record(1, space=space))
    assert "Every parameter is fixed" in page


def test_the_page_asks_for_nothing_from_elsewhere():
    page = render(make_record(40, seed=3))
    ours = re.sub(r'<script type="text/plain" id="plotly">.*?</script>', "", page, flags=re.DOTALL)
    assert "default-src 'none'" in ours
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", ours)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", ours)


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


def test_without_feasible_trials_the_nearest_misses_are_listed():
    page = render(make_record(80, seed=3, offset=-0.1))
    assert re.search(r"None of \d+ trials meets the limits", page)
    assert "The nearest misses" in page


def test_everything_about_the_study_is_at_the_foot():
    page = render(make_record(3))
    for text in ("sweep run search_spaces/go_stop.yaml", "1582", "DEFLATE", "num_mel_bins:"):
        assert text in page


def test_write_replaces_the_page_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    assert write(make_record(2), path) == path
    assert "doctype" in path.read_text(encoding="utf-8")[:20]
    assert list(tmp_path.iterdir()) == [path]


def test_the_folder_of_a_page_is_made(tmp_path):
    path = write(make_record(3), tmp_path / "results/go_stop/report.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_where_accuracy_alone_is_asked_for_the_size_is_shown_beside_it():
    text = SPACE.replace("search:", "objectives: {accuracy: maximize}\nsearch:")
    limits = text[text.index("limits:") : text.index("objectives:")]
    record = make_record(30, space=text.replace(limits, 'limits: {accuracy: ">= 0.97"}\n'))
    sides = columns(record, table(record))
    goal, costs = goals(record)
    assert {goal, *costs} == set(sides["metrics"]) == {"accuracy", "size_kb"}
    assert "size_kb" in render(record)


def test_a_page_that_cannot_be_put_in_place_leaves_no_scraps(tmp_path, monkeypatch):
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(StudyError, match="report.html: cannot be written: full"):
        write(make_record(0), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StudyError, match="file/report.html: cannot be written: "):
        write(make_record(1), tmp_path / "file" / "report.html")


def test_the_funnel_tells_what_was_saved_and_what_was_confirmed():
    record = with_finalists(make_record(160, seed=11), 3)
    page = render(record)
    funnel = re.search(r'<ol class="funnel".*?</ol>', page, re.DOTALL)[0]
    bars = dict(re.findall(r'<span>(\w+)</span>.*?class="count">([\d,]+)</span>', funnel))
    assert list(bars)[0] == "suggested" and bars["suggested"] == "160"
    assert {n: int(bars[n]) for n in record.funnel()} == record.funnel()
    assert bars["confirmed"] == str(len(record.confirmed()))
    saved = effort(record).saved
    for outcome in ("gated", "stopped"):
        row = re.search(rf'<li class="{outcome}">.*?</li>', funnel)[0]
        assert f"saved about {duration(saved[outcome])}" in row
    assert "of 3 finalists" in funnel


def test_without_finalists_the_page_says_how_to_have_some():
    page = render(make_record(60, seed=3))
    assert "no finalists yet" in page and "sweep finalists go_stop" in page


def test_only_recordings_that_a_server_plays_are_audible():
    record = with_finalists(make_record(60, seed=11), 2)
    name = next(m for one in record.finalists for t in one.retrainings for m in t.mistakes)
    assert data_of(render(record))["audible"] == []
    assert "media-src" not in render(record).split('id="data"')[0]
    served = render(record, audible={name})
    assert data_of(served)["audible"] == [name]
    assert "media-src 'self'" in served.split('id="data"')[0]


def test_trials_gated_before_anything_was_converted_have_no_latency():
    record = make_record(60)
    names = ("latency_ms", "preprocessing_latency_ms", "model_latency_ms")
    unknown = dict.fromkeys((*names, "tflite_size_kb", "ram_kb"))

    def estimated(trial: TrialRecord) -> TrialRecord:
        found = trial.evaluation
        if found.outcome != "gated":
            return trial
        variants = tuple(
            replace(v, metrics={**v.metrics, **unknown}, latency_spread_ms=None)
            for v in found.variants
        )
        return replace(trial, evaluation=replace(found, variants=variants))

    record = replace(record, trials=tuple(map(estimated, record.trials)))
    rows = data_of(render(record))["trials"]
    known = zip(rows["outcome"], rows["total_latency"], rows["compressed_size"], strict=True)
    seen = {(outcome == "gated", ms is None) for outcome, ms, kb in known if kb is not None}
    assert seen == {(True, True), (False, False)}
