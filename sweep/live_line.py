"""The status line of a running command."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from sweep.evaluation import OUTCOMES
from sweep.format import short_title
from sweep.metrics import METRICS
from sweep.study.progress import SearchProgress
from sweep.terminal import console

_BAR_WIDTH = 24
_PLAIN_EVERY_S = 10.0


@dataclass(frozen=True)
class StatusLine:
    """A progress bar with a count to its left and text to its right, or below if space is short."""

    count: str = ""
    share: float = 0.0
    text: str = "starting"

    def __rich_console__(self, out: Console, options: ConsoleOptions) -> RenderResult:
        bar = ProgressBar(total=1.0, completed=self.share, width=_BAR_WIDTH)
        beside = len(self.count) + 1 + _BAR_WIDTH + 2 + len(self.text) <= options.max_width
        grid = Table.grid(padding=(0, 1))
        grid.add_row(self.count, bar, self.text if beside else "")
        yield grid
        if not beside:
            yield self.text


class LiveLine:
    """One line with the progress of a command.

    Without a terminal it prints a line every ten seconds, and one when a step of training starts.
    """

    def __init__(self) -> None:
        self._console = console(stderr=True)
        self._status = StatusLine()
        self._live = Live(self._status, console=self._console, transient=True)
        self._printed = time.monotonic()
        self._counted = ""

    def __enter__(self) -> "LiveLine":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """Print a line to keep."""
        self._console.print(text)

    def count(self, what: str, done: int, total: int) -> None:
        """Show how many trainings of one sort are done."""
        begins, self._counted = what != self._counted, what
        self._update(StatusLine(f"{done}/{total}", done / total, f"trainings {what}"), begins)

    def note(self, what: str, share: float) -> None:
        """Show a step of preparation and the share of it that is done."""
        self._update(StatusLine(f"{share:.0%}", share, what))

    def show(self, progress: SearchProgress) -> None:
        """Show the progress of a search, and why it ended early, if it did."""
        if progress.ended:
            self.say(f"ended: {progress.ended}")
        share = progress.done / progress.budget
        count = f"{progress.done}/{progress.budget}"
        self._update(StatusLine(count, share, describe_progress(progress)))

    def _update(self, status: StatusLine, begins: bool = False) -> None:
        self._live.update(status)
        due = begins or time.monotonic() - self._printed > _PLAIN_EVERY_S
        if due and not self._console.is_terminal:
            self._printed = time.monotonic()
            self.say(f"{status.count}  {status.text}")


def describe_progress(progress: SearchProgress) -> str:
    """Return the progress of a search, in one line."""
    counts = [f"{o} {progress.outcomes[o]}" for o in OUTCOMES[1:] if progress.outcomes[o]]
    best = _best(progress.best)
    left = progress.seconds_left
    if progress.repeating:
        counts.append(f"{progress.repeating} stopped trials trained to the end")
    parts = [
        ", ".join(counts) or (f"{progress.running} running" if progress.running else ""),
        f"best {', '.join(best)}" if best else "",
        f"{_clock(left)} left" if left is not None else "",
    ]
    return "; ".join(part for part in parts if part) or "starting workers"


def _best(values: Mapping[str, float]) -> list[str]:
    """Return values, with the name of a metric if its unit is ambiguous."""
    metrics = [METRICS[name] for name in values]
    known = Counter(
        (metric.unit, metric.share) for metric in metrics if metric.unit or metric.share
    )
    return [
        (
            metric.text(values[metric.name])
            if known[metric.unit, metric.share] == 1
            else f"{short_title(metric)} {metric.text(values[metric.name])}"
        )
        for metric in metrics
    ]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
