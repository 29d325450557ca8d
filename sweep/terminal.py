"""What the shell shows: a live line while a sweep runs, and tables when it has ended."""

import math
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from sweep.audio.check import FolderReport
from sweep.audio.dataset import Dataset
from sweep.candidate import OUTCOMES
from sweep.report.frame import trial_frame
from sweep.report.tables import finalist_table
from sweep.report.verdict import headline, limit_counts, nearest_misses
from sweep.report.words import accuracy, amount, plain, summary
from sweep.study.search import SearchProgress
from sweep.study.table import StudyRecord, front

_PLAIN_WIDTH = 160
_PLAIN_EVERY_S = 10.0
_NEAREST = 5
_LEFT_OUT = 5


def console(stderr: bool = False) -> Console:
    """Return a console that prints text as it is, wide enough where it is not a terminal."""
    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made = Console(
            stderr=stderr, markup=False, highlight=False, emoji=False, width=_PLAIN_WIDTH
        )
    return made


class LiveLine:
    """One line that follows a search; where there is no terminal, a line every ten seconds."""

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._bar = Progress(
            MofNCompleteColumn(),
            BarColumn(bar_width=24),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("starting workers", total=None)
        self._said = -math.inf

    def __enter__(self) -> "LiveLine":
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(text)

    def count(self, done: int, total: int) -> None:
        """Show how many trainings are done."""
        self._bar.update(self._task, description="trainings", completed=done, total=total)
        if not self._console.is_terminal:
            self.say(f"{done}/{total} trainings")

    def note(self, what: str, share: float) -> None:
        """Show a step of preparation and the share of it that is done."""
        self._bar.update(self._task, description=what, completed=share, total=1.0)

    def show(self, progress: SearchProgress) -> None:
        """Show how a search stands."""
        text = describe_progress(progress)
        if self._console.is_terminal:
            self._bar.update(
                self._task, description=text, completed=progress.done, total=progress.budget
            )
        elif time.monotonic() - self._said > _PLAIN_EVERY_S:
            self._said = time.monotonic()
            self._console.print(f"{progress.done}/{progress.budget}  {text}")


def describe_dataset(study: str, dataset: Dataset, workers: int, scheduler: str | None) -> str:
    """Return what a sweep learns from and where it runs, in a line; then what was left out."""
    counts = " / ".join(str(count) for count in dataset.counts.values())
    split = dataset.spec.split
    how = {"speaker": "speaker-disjoint", "folders": "split by folder"}
    place = scheduler or f"{workers} worker{'s' if workers > 1 else ''}"
    kind = how[split] if isinstance(split, str) else "split by lists"
    lines = [f"{study}: {', '.join(dataset.labels)}; {counts} clips, {kind}; {place}"]
    lines += [f"left out: {line}" for line in dataset.skipped[:_LEFT_OUT]]
    if len(dataset.skipped) > _LEFT_OUT:
        lines.append(f"left out: {len(dataset.skipped)} recordings in all")
    return "\n".join(lines)


def status_facts(record: StudyRecord) -> dict[str, Any]:
    """Return how a study stands, as plain values."""
    frame = trial_frame(record)
    feasible = frame[frame["outcome"] == "feasible"]
    objectives = dict(record.space.file.objectives)
    best = front(feasible, objectives) if len(feasible) else feasible
    columns = ["trial", "variant", *shown_metrics(record)]
    return {
        "study": record.name,
        "verdict": headline(record, frame),
        "funnel": record.funnel(),
        "limits": {
            str(count.limit): {
                "measured": count.measured,
                "failed": count.failed,
                "binds": count.binds,
            }
            for count in limit_counts(record)
        },
        "front": best[columns].to_dict("records"),
        "nearest_misses": nearest_misses(frame)[columns].head(_NEAREST).to_dict("records"),
    }


def describe_progress(progress: SearchProgress) -> str:
    """Return how a search stands, in one line."""
    counts = [f"{o} {progress.outcomes[o]}" for o in OUTCOMES[1:] if progress.outcomes[o]]
    best = [amount(metric, value) for metric, value in progress.best.items()]
    left = progress.seconds_left
    parts = [
        ", ".join(counts) or "starting workers",
        f"best {', '.join(best)}" if best else "",
        f"{_clock(left)} left" if left is not None else "",
    ]
    return "; ".join(part for part in parts if part)


def print_front(out: Console, record: StudyRecord) -> None:
    """Print the verdict and the Pareto front of the feasible trials, or the nearest misses."""
    frame = trial_frame(record)
    out.print(headline(record, frame))
    feasible = frame[frame["outcome"] == "feasible"]
    if feasible.empty:
        print_trials(out, record, nearest_misses(frame).head(_NEAREST), "The nearest misses")
        return
    best = front(feasible, dict(record.space.file.objectives))
    print_trials(out, record, best, "The front")


def print_trials(out: Console, record: StudyRecord, frame: pd.DataFrame, title: str) -> None:
    """Print trials as a table: number, outcome, the metrics of limits and objectives, in words."""
    if frame.empty:
        return
    metrics = shown_metrics(record)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("trial", justify="right")
    table.add_column("outcome")
    for metric in metrics:
        table.add_column(metric, justify="right")
    table.add_column("what it is", overflow="fold")
    for trial in frame.to_dict("records"):
        row = {str(name): value for name, value in trial.items()}
        values = [_cell(metric, row) for metric in metrics]
        table.add_row(str(row["trial"]), row["outcome"], *values, summary(row))
    out.print(table)


def print_finalists(out: Console, record: StudyRecord) -> None:
    """Print what retraining the finalists gave, and which of them hold."""
    found = finalist_table(record)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in found.head:
        table.add_column(column, justify="right")
    for row in found.rows:
        table.add_row(*row)
    out.print(found.title)
    out.print(table)
    if not record.confirmed():
        out.print("None holds: search longer, or ease a limit.")


def shown_metrics(record: StudyRecord) -> list[str]:
    """Return the metrics that objectives or limits name."""
    limits = [limit.metric for limit in record.space.limits]
    return list(dict.fromkeys([*record.space.file.objectives, *limits]))


def print_pairs(out: Console, pairs: Iterable[tuple[str, Any]]) -> None:
    """Print names and values in columns; a value may itself be names and values."""
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value in pairs:
        rows = value.items() if isinstance(value, Mapping) else [("", value)]
        for i, (inner, content) in enumerate(rows):
            table.add_row("" if i else str(name), str(inner), plain(content))
    out.print(table)


def print_folder(out: Console, found: FolderReport) -> None:
    """Print what a folder of recordings holds."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in ("label", "clips", "speakers", "shortest", "median", "longest"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for label in found.labels:
        lengths = (label.shortest_in_s, label.median_in_s, label.longest_in_s)
        table.add_row(
            label.label, str(label.clips), str(label.speakers), *(f"{s:.2f} s" for s in lengths)
        )
    out.print(table)
    rates = ", ".join(f"{rate} Hz" for rate in found.sample_rates)
    out.print(f"{found.clips} clips at {rates or 'no rate'}; {found.noises} background recordings")
    for what, names in (
        ("silent", found.silent),
        ("repeated", tuple(" = ".join(group) for group in found.repeated)),
        ("unreadable", found.unreadable),
    ):
        out.print(f"{what}: {len(names)}")
        for name in names[:_LEFT_OUT]:
            out.print(f"  {name}")
        if len(names) > _LEFT_OUT:
            out.print(f"  ... and {len(names) - _LEFT_OUT} more; --json lists all")


def _cell(metric: str, row: Mapping[str, Any]) -> str:
    value = row[metric]
    if value is None or math.isnan(value):
        return "-"
    if metric == "accuracy":
        return accuracy(value, int(row["clips"]))
    return f"{value:.3g}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
