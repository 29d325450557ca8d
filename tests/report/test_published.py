import pytest

from sweep.report.published import published_tables
from sweep.study.table import table

from .fake_studies import make_record, with_finalists


@pytest.fixture(scope="module")
def record():
    return make_record(200, seed=10)


def test_the_five_tables_describe_the_smallest_feasible_trial(record):
    tables = published_tables(record, table(record))
    assert [one.title.split(".")[0] for one in tables] == [
        f"Table {number}" for number in ("I", "II", "III", "IV", "V")
    ]
    best = min(
        (t for t in record.trials if t.evaluation.outcome == "feasible"),
        key=lambda t: t.evaluation.result["size_kb"],
    )
    assert f"trial {best.number}," in tables[2].title
    space, training, frontend, results, network = (dict(one.rows) for one in tables)
    assert space["alpha"] == "0.08 to 1, log scale"
    assert space["num_mel_bins"] == "8 to 40 in steps of 4"
    assert training["epochs"] == "30" and training["batch_size"] == "20"
    assert frontend["frontend"] == best.candidate.chosen("frontend")
    assert results["size (KB)"] == f"{best.evaluation.result['size_kb']:.2f}\u00a0KB"
    assert results["accuracy"].startswith(f"{best.evaluation.result['accuracy']:.3f} (")
    assert results["original accuracy"] == f"{best.evaluation.original_accuracy:.3f}"
    assert network["blocks"] == str(best.candidate.network.blocks)


def test_with_finalists_the_test_clips_are_told_apart_from_the_search():
    record = with_finalists(make_record(80, seed=11), 3)
    sizes = {trial: one.mean("size_kb") for trial, one in record.confirmed().items()}
    held = min(sizes, key=sizes.__getitem__)
    tables = published_tables(record, table(record))
    assert f"trial {held}, the smallest finalist that holds" in tables[2].title
    results = dict(tables[3].rows)
    found = record.trials[held].evaluation.result
    assert results["accuracy"].startswith(f"{found['accuracy']:.3f} (")
    again = record.confirmed()[held]
    assert results["accuracy, test clips"].startswith(f"{again.mean('accuracy'):.3f} (")


def test_without_a_feasible_trial_only_the_question_is_told():
    record = make_record(0)
    assert len(published_tables(record, table(record))) == 2
