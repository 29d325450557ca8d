"""A stream in time: what was said, the score of the network, and what it detected."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from sweep.audio.layout import LabelFrom, label_of
from sweep.audio.spoken import Spoken
from sweep.detector import Event
from sweep.report.theme import BLUE, GREEN, VERMILLION
from sweep.study.listening import HUNDREDTHS, Listening

_SHOWN_IN_S = 30.0
_GREY = "#8792A0"
_KINDS = {"detected": GREEN, "missed": VERMILLION, "other words": _GREY}
_SAID = (0.72, 1.0)
_SCORED = (0.0, 0.66)


@dataclass(frozen=True)
class Moment:
    """A false alarm or a miss, to look at and to listen to.

    Attributes:
        time_in_s: of the detection, or the end of the word that was missed.
        text: what happened.
        clip: the clip that was spoken then; empty for none.
    """

    time_in_s: float
    text: str
    clip: str


@dataclass(frozen=True)
class Word:
    """A word that was said: ``text`` in the lane of a label, and what became of it."""

    kind: Literal["detected", "missed", "other words"]
    lane: str
    text: str
    start_in_s: float
    end_in_s: float
    snr_db: float | None


@dataclass(frozen=True)
class Timeline:
    """A stream and what a network made of it.

    Attributes:
        end_in_s: of what is shown, from the beginning of the stream.
        lanes: the labels that are spoken, keywords last.
        words: what was said.
        first_in_s, stride_in_s: the time of the first score, and from one to the next.
        scores: the largest score of a keyword at each stride.
        threshold: of a detection.
        hits, false: the detections, right and wrong.
        false_alarms, misses: the same as moments, in time.
        begins_in_s: where the first view begins: before the first false alarm, else the first miss.
    """

    end_in_s: float
    lanes: tuple[str, ...]
    words: tuple[Word, ...]
    first_in_s: float
    stride_in_s: float
    scores: tuple[float, ...]
    threshold: float
    hits: tuple[Event, ...]
    false: tuple[Event, ...]
    false_alarms: tuple[Moment, ...]
    misses: tuple[Moment, ...]
    begins_in_s: float


def timeline(
    found: Listening, keywords: Sequence[str], label_from: LabelFrom = "folder"
) -> Timeline:
    """Compute the timeline of a stream.

    Args:
        found: what was detected in it.
        keywords: the labels that are detected.
        label_from: where the word of a clip is in its name.
    """
    said = [*zip(found.spoken, found.missed, strict=True)]
    events = [*zip(found.events, found.false, strict=True)]
    words = tuple(
        Word(
            "other words" if word.label not in keywords else "missed" if missed else "detected",
            word.label,
            label_of(word.clip, label_from),
            word.start_in_s,
            word.end_in_s,
            word.snr_db,
        )
        for word, missed in said
    )
    alarms = tuple(event for event, false in events if false)
    false_alarms = tuple(_false_alarm(found, event, label_from) for event in alarms)
    misses = tuple(_miss(word) for word, missed in said if missed)
    first = min((one.time_in_s for one in false_alarms or misses), default=0.0)
    lanes = {word.lane for word in words}
    return Timeline(
        end_in_s=found.first_in_s + len(found.scores) * found.stride_in_s,
        lanes=(*sorted(lanes - set(keywords)), *(one for one in keywords if one in lanes)),
        words=words,
        first_in_s=found.first_in_s,
        stride_in_s=found.stride_in_s,
        scores=tuple(score / HUNDREDTHS for score in found.scores),
        threshold=found.threshold,
        hits=tuple(event for event, false in events if not false),
        false=alarms,
        false_alarms=false_alarms,
        misses=misses,
        begins_in_s=max(0.0, first - _SHOWN_IN_S / 2),
    )


def _false_alarm(found: Listening, event: Event, label_from: LabelFrom) -> Moment:
    word = found.during(event)
    during = "in noise" if word is None else f"during {label_of(word.clip, label_from)}"
    clip = "" if word is None else word.clip
    return Moment(event.time_in_s, f"{event.keyword} {event.score:.2f} {during}", clip)


def _miss(word: Spoken) -> Moment:
    return Moment(word.end_in_s, f"{word.label}{_loudness(word.snr_db)}", word.clip)


def _loudness(snr_db: float | None) -> str:
    return "" if snr_db is None else f" at {snr_db:.0f} dB"


def draw_timeline(line: Timeline) -> go.Figure:
    """Draw what was said above the score; the first view is a part, and the page moves it."""
    figure = go.Figure()
    for kind, colour in _KINDS.items():
        _add_words(figure, [word for word in line.words if word.kind == kind], kind, colour)
    figure.add_scatter(
        x0=round(line.first_in_s, 4),
        dx=line.stride_in_s,
        y=line.scores,
        mode="lines",
        name="score",
        line={"color": BLUE, "width": 1.4},
        hovertemplate="%{x:.1f} s: %{y:.2f}<extra></extra>",
    )
    _add_events(figure, line.hits, "detection", GREEN, "triangle-up")
    _add_events(figure, line.false, "false alarm", VERMILLION, "x")
    figure.add_hline(
        line.threshold,
        line={"color": _GREY, "width": 1.2, "dash": "dash"},
        annotation_text=f"threshold {line.threshold:.2f}",
        annotation_position="top right",
    )
    begins = line.begins_in_s
    figure.update_xaxes(title="seconds", range=[begins, begins + _SHOWN_IN_S], tickformat="d")
    figure.update_layout(
        height=400,
        hovermode="closest",
        dragmode="pan",
        barmode="overlay",
        margin={"t": 64, "b": 64},
        bargap=0.25,
        yaxis={"domain": _SCORED, "range": [-0.03, 1.06], "fixedrange": True, "title": "score"},
        yaxis2={
            "domain": _SAID,
            "fixedrange": True,
            "type": "category",
            "categoryorder": "array",
            "categoryarray": list(line.lanes),
            "showgrid": False,
        },
        meta={"end": round(line.end_in_s, 1), "shown": _SHOWN_IN_S},
    )
    return figure


def _add_words(figure: go.Figure, words: Sequence[Word], name: str, colour: str) -> None:
    figure.add_bar(
        y=[word.lane for word in words],
        base=[round(word.start_in_s, 2) for word in words],
        x=[round(word.end_in_s - word.start_in_s, 2) for word in words],
        text=[html.escape(word.text, quote=False) for word in words],
        customdata=[_loudness(word.snr_db) for word in words],
        orientation="h",
        yaxis="y2",
        name=name,
        marker={"color": colour, "line": {"width": 0}},
        textposition="outside" if name == "other words" else "none",
        textangle=0,
        hovertemplate="%{text}%{customdata}<extra></extra>",
    )


def _add_events(
    figure: go.Figure, events: Sequence[Event], name: str, colour: str, symbol: str
) -> None:
    figure.add_scatter(
        x=[round(event.time_in_s, 2) for event in events],
        y=[round(event.score, 3) for event in events],
        text=[event.keyword for event in events],
        mode="markers",
        name=name,
        marker={"color": colour, "symbol": symbol, "size": 11},
        hovertemplate="%{text} at %{x:.1f} s: %{y:.2f}<extra></extra>",
    )
