"""Tables I to V of the published report, with the results of a study."""

import pandas as pd

from sweep.candidate import CHOSEN, TrainingParams, find, parameters_of
from sweep.format import Table, metric_title, plain
from sweep.metrics import ACCURACY, Metric
from sweep.parameters import defaults
from sweep.spec import Range
from sweep.study.finalist import Finalist
from sweep.study.picks import pick
from sweep.study.records import StudyRecord
from sweep.study.summary import interval


def published_tables(record: StudyRecord, frame: pd.DataFrame) -> list[Table]:
    """Return the five tables.

    Tables III to V show the smallest finalist that meets every limit, or else the smallest feasible
    trial; without a feasible trial there are only Tables I and II.
    """
    tables = [
        Table(
            "Table I. The search space",
            ("parameter", "values"),
            tuple((name, _choices(record, name)) for name in record.space.file.parameters),
        ),
        Table(
            "Table II. Training parameters",
            ("parameter", "value"),
            tuple((name, _choices(record, name)) for name in defaults(TrainingParams)),
        ),
    ]
    if not (frame["outcome"] == "feasible").any():
        return tables
    confirmed = record.confirmed()
    trial = pick(frame, "smallest", record.space, confirmed)["trial"]
    row = frame[frame["trial"] == trial].iloc[0]
    which = "finalist that holds" if confirmed else "that meets the limits"
    best = f"trial {trial}, the smallest {which}"
    frontend = ["frontend", *defaults(find("frontend", row["frontend"]))]
    training = list(defaults(TrainingParams))
    elsewhere = {*frontend, *training, "quantization"}
    network = [
        name
        for name in parameters_of({plugin: [row[plugin]] for plugin in CHOSEN})
        if name not in elsewhere
    ]
    return tables + [
        Table(
            f"Table III. Front end of {best}",
            ("parameter", "value"),
            tuple((name, plain(row[name])) for name in frontend),
        ),
        Table(f"Table IV. Results of {best}", ("metric", "value"), _results(record, row)),
        Table(
            f"Table V. Network of {best}",
            ("parameter", "value"),
            (*((name, plain(row[name])) for name in network), ("variant", str(row["variant"]))),
        ),
    ]


def _results(record: StudyRecord, row: pd.Series) -> tuple[tuple[str, str], ...]:
    """Return the metrics of a trial, and those on the test clips if it is a confirmed finalist."""
    metrics = record.space.metrics
    results = [
        ("original size (KB)", metrics["size_kb"].text(row["original_size_kb"])),
        ("original accuracy", ACCURACY.text(row["original_accuracy"])),
    ]
    for name, one in metrics.items():
        results.append((metric_title(one), one.text(row[name], interval(row, one))))
    again = record.confirmed().get(row["trial"])
    if again is not None:
        results += [
            (f"{metric_title(metrics[name])}, {record.tested_on}", _retested(again, metrics[name]))
            for name in again.exposures
        ]
    return tuple(results)


def _retested(one: Finalist, metric: Metric) -> str:
    return metric.text(one.mean(metric.name), one.interval(metric.name))


def _choices(record: StudyRecord, name: str) -> str:
    """Return the values of a parameter in the search space."""
    value = record.space.file.parameters.get(name, record.space.defaults[name])
    if not isinstance(value, Range):
        return plain(value)
    scale = ", log scale" if value.log else ""
    if value.step:
        scale = f" in steps of {plain(value.step)}"
    return f"{plain(value.low)} to {plain(value.high)}{scale}"
