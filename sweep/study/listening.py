"""What a finalist detects in the stream of test speakers, as it is kept for the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweep import strict_json
from sweep.audio.spoken import Spoken
from sweep.detection import THRESHOLDS, Scores
from sweep.detector import Event, OperatingPoint

_LONGEST_IN_S = 3600
HUNDREDTHS = 100
"""How finely scores are kept."""

Curve = tuple[tuple[float, float], ...]
"""Share of missed keywords and false alarms an hour at each threshold, from the lowest."""


@dataclass(frozen=True)
class Listening:
    """What one network detects in a stream, and what was said there.

    Attributes:
        sound: the key of the stream; see ``streams.sound_of``.
        rate: its sampling rate in Hz.
        hours: its length.
        latest_in_s: how long after its end a keyword may be detected.
        threshold: of a detection.
        first_in_s, stride_in_s: the time of the first score, and from one to the next.
        scores: the largest score of a keyword at each stride, in hundredths, of the first hour.
        spoken: the words of the first hour.
        missed: for each of them, whether it is a keyword that was not detected.
        events: what was detected in the first hour.
        false: for each of them, whether it is a false alarm.
    """

    sound: str
    rate: int
    hours: float
    latest_in_s: float
    threshold: float
    first_in_s: float
    stride_in_s: float
    scores: tuple[int, ...]
    spoken: tuple[Spoken, ...]
    missed: tuple[bool, ...]
    events: tuple[Event, ...]
    false: tuple[bool, ...]

    @classmethod
    def of(cls, scores: Scores, point: OperatingPoint) -> "Listening":
        """Return what is detected at an operating point."""
        stream, found = scores.stream, scores.at(point)
        hits = [event for _, event in found.hits]
        events = sorted([*hits, *found.false_alarms], key=lambda event: event.time_in_s)
        events = [event for event in events if event.time_in_s <= _LONGEST_IN_S]
        spoken = [word for word in stream.spoken if word.end_in_s <= _LONGEST_IN_S]
        stride_in_s = point.stride / stream.rate
        shown = scores.highest(point)[: round(_LONGEST_IN_S / stride_in_s)]
        return cls(
            sound=stream.key,
            rate=stream.rate,
            hours=stream.hours,
            latest_in_s=found.latest_in_s,
            threshold=point.threshold,
            first_in_s=scores.window / stream.rate,
            stride_in_s=stride_in_s,
            scores=tuple((HUNDREDTHS * shown).round().astype(int).tolist()),
            spoken=tuple(spoken),
            missed=tuple(word in found.misses for word in spoken),
            events=tuple(events),
            false=tuple(event in found.false_alarms for event in events),
        )

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Listening":
        """Read what ``asdict`` and JSON made of one.

        Raises:
            ValueError: if it is of other types.
        """
        values = strict_json.values(cls, record)
        spoken, events = (tuple(record[name]) for name in ("spoken", "events"))
        return cls(
            **values
            | {
                "spoken": tuple(Spoken(**word) for word in spoken),
                "events": tuple(Event(**event) for event in events),
            }
        )

    def during(self, event: Event) -> Spoken | None:
        """Return the word spoken last when an event was detected; None where none was."""
        begun = (word for word in reversed(self.spoken) if word.start_in_s <= event.time_in_s)
        word = next(begun, None)
        if word is None or word.end_in_s + self.latest_in_s < event.time_in_s:
            return None
        return word


def curve_of(scores: Scores) -> Curve:
    """Return misses and false alarms at every threshold, the points of a DET curve."""
    found = [detection for _, detection in scores.curve()]
    assert len(found) == len(THRESHOLDS)
    return tuple((one.miss_rate, one.false_alarms_per_hour) for one in found)
