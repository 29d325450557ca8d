"""What was detected against what was said, and the operating point that a limit allows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from sweep.audio.spoken import Spoken, Stream
from sweep.detector import Decisions, Event, OperatingPoint, smoothed

STRIDE_IN_S, SMOOTHING_IN_S, REFRACTORY_IN_S = 0.1, 0.3, 1.0
"""What operating points begin from; each becomes a whole number of strides."""

THRESHOLDS = tuple((1 / (1 + np.exp(-np.linspace(-1.0, 8.0, 91)))).astype(np.float32).tolist())
"""The thresholds an operating point is chosen from, evenly spaced in log odds."""

_LATEST = 0.75
"""How long after its end a word may be detected, in windows: part of it is still in the window."""


@dataclass(frozen=True)
class Detection:
    """How the events of a stream compare with what was said in it.

    Attributes:
        hours: length of the stream.
        latest_in_s: how long after its end a keyword may be detected.
        hits: the keywords that were detected, and the events that did it.
        misses: the keywords that were not.
        false_alarms: the other events.
    """

    hours: float
    latest_in_s: float
    hits: tuple[tuple[Spoken, Event], ...]
    misses: tuple[Spoken, ...]
    false_alarms: tuple[Event, ...]

    @property
    def keywords(self) -> int:
        """How many keywords were said."""
        return len(self.hits) + len(self.misses)

    @property
    def false_alarms_per_hour(self) -> float:
        """False alarms in an hour of the stream."""
        return len(self.false_alarms) / self.hours

    @property
    def miss_rate(self) -> float:
        """Share of the keywords that were not detected; 0 where none was said."""
        return len(self.misses) / max(self.keywords, 1)

    @property
    def delay_ms(self) -> float:
        """Median time from the end of a keyword to its detection; without hits the latest."""
        delays = [event.time_in_s - word.end_in_s for word, event in self.hits]
        return 1000 * median(delays or [self.latest_in_s])


@dataclass(frozen=True)
class Scores:
    """What a network makes of a stream.

    Attributes:
        stream: the sound, and what is said in it.
        probabilities: float32 ``[strides, labels]``.
        labels: of the columns.
        keywords: those of them that are detected.
        stride: samples from one window to the next.
        window: samples of a window.
    """

    stream: Stream
    probabilities: np.ndarray
    labels: Sequence[str]
    keywords: Sequence[str]
    stride: int
    window: int

    def point(self, threshold: float) -> OperatingPoint:
        """Return the operating point of a threshold; smoothing and refractory time are fixed."""
        stride_in_s = self.stride / self.stream.rate
        smoothing, refractory = (
            max(1, round(length / stride_in_s)) for length in (SMOOTHING_IN_S, REFRACTORY_IN_S)
        )
        return OperatingPoint(self.stride, smoothing, threshold, refractory)

    def at(self, point: OperatingPoint) -> Detection:
        """Return what is detected at an operating point."""
        rate = self.stream.rate
        decisions = Decisions(self.labels, self.keywords, point, self.window, rate)
        wanted = [word for word in self.stream.spoken if word.label in self.keywords]
        events = decisions.feed(self.probabilities)
        return match(events, wanted, self.stream.hours, self.window / rate)

    def highest(self, point: OperatingPoint) -> np.ndarray:
        """Return the largest score of a keyword at each stride, float32 ``[strides]``."""
        columns = [list(self.labels).index(keyword) for keyword in self.keywords]
        before = np.zeros((point.smoothing - 1, len(columns)), np.float32)
        known = np.concatenate([before, self.probabilities[:, columns]])
        return smoothed(known, point.smoothing).max(axis=1)

    def curve(self) -> Iterator[tuple[OperatingPoint, Detection]]:
        """Yield what is detected at each of ``THRESHOLDS``, from the lowest."""
        points = (self.point(threshold) for threshold in THRESHOLDS)
        return ((point, self.at(point)) for point in points)

    def best(
        self, allowed: Callable[[float], bool] = lambda per_hour: per_hour <= 1.0
    ) -> tuple[OperatingPoint, Detection]:
        """Return the operating point with the fewest misses and no more false alarms than allowed.

        Of equal ones it is that with the fewest false alarms, then that in their middle.  Above
        the highest score nothing is detected, so there is one within any limit.

        Args:
            allowed: tells of a number of false alarms in an hour whether it is allowed; up to one
                by default.
        """
        within = [
            (point, found) for point, found in self.curve() if allowed(found.false_alarms_per_hour)
        ]
        if not within:
            point = self.point(1.0)
            return point, self.at(point)
        ranks = [(len(found.misses), len(found.false_alarms)) for _, found in within]
        equal = [i for i, rank in enumerate(ranks) if rank == min(ranks)]
        return within[equal[len(equal) // 2]]


Detected = tuple[OperatingPoint, Detection]
"""What is detected at an operating point."""


def match(
    events: Sequence[Event], wanted: Sequence[Spoken], hours: float, window_in_s: float
) -> Detection:
    """Return which events detect which keywords.

    An event detects the earliest keyword of its label that no other has detected and that began
    before it and ended no more than 0.75 windows before it.

    Args:
        events: in the order of their times.
        wanted: the keywords, in the order of their starts.
        hours: length of the stream.
        window_in_s: length of a window.
    """
    latest_in_s = _LATEST * window_in_s
    hits, missed, alarms = list[tuple[Spoken, Event]](), set(wanted), list[Event]()
    sounding, begun = list[Spoken](), 0
    for event in events:
        while begun < len(wanted) and wanted[begun].start_in_s <= event.time_in_s:
            sounding.append(wanted[begun])
            begun += 1
        earliest = event.time_in_s - latest_in_s
        sounding = [word for word in sounding if word.end_in_s >= earliest]
        word = next((word for word in sounding if word.label == event.keyword), None)
        if word is None:
            alarms.append(event)
        else:
            sounding.remove(word)
            missed.remove(word)
            hits.append((word, event))
    misses = tuple(word for word in wanted if word in missed)
    return Detection(hours, latest_in_s, tuple(hits), misses, tuple(alarms))
