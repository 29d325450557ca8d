"""False alarms of an exported model in a long recording, cut out as clips to train on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from sweep.audio.clips import examine, to_int16
from sweep.audio.layout import SILENCE, SPEAKER_END, UNKNOWN
from sweep.audio.sound import LONGEST_IN_S, of_recording
from sweep.audio.sources.base import Progress
from sweep.audio.spoken import read_times
from sweep.detection import match
from sweep.detector import Event
from sweep.errors import DataError

FOLDER = "false-alarms"
"""The word under which the clips are, among other words."""

_A_SPEAKER_IN_S = 60


class Listener(Protocol):
    """What detects keywords; see ``sweep.Detector``."""

    labels: Sequence[str]
    rate: int
    samples: int

    def feed(self, samples: np.ndarray) -> list[Event]:
        """Return the keywords detected in the next samples."""


@dataclass(frozen=True)
class FalseAlarm:
    """A false alarm, and the clip that was cut out."""

    time_in_s: float
    keyword: str
    score: float
    clip: str


@dataclass(frozen=True)
class Mined:
    """What was found in a recording.

    Attributes:
        hours: its length.
        keywords: how many were said in it.
        misses: how many of them were not detected.
        false_alarms: the others of its detections.
    """

    hours: float
    keywords: int
    misses: int
    false_alarms: tuple[FalseAlarm, ...]


def mine(
    detector: Listener,
    recording: Path,
    times: Path | None,
    out: Path,
    progress: Progress = lambda what, share: None,
) -> Mined:
    """Detect in a recording, and write a clip of each false alarm: the window that raised it.

    The clips are ``false-alarms/<recording>-<minute>_nohash_<n>.wav``: those of a minute count as
    one speaker's, so that they are split together.

    Args:
        detector: at its beginning.
        recording: of any rate; it is read twice.
        times: what is said when in it; None where no keyword is.
        out: a folder of other words; see ``dataset.unknown.folder``.
        progress: called with what is being done and the share of it that is done, 0 to 1.

    Raises:
        DataError: if recording or times cannot be read, the clips of that recording are there
            already, or cannot be written.
        SweepError: if the models do not run.
    """
    rate, window = detector.rate, detector.samples
    keywords = [label for label in detector.labels if label not in (UNKNOWN, SILENCE)]
    spoken = () if times is None else read_times(times, keywords)
    wanted = [word for word in spoken if word.label in keywords]
    folder = out / FOLDER
    if any(folder.glob(f"{recording.stem}-*{SPEAKER_END}*")):
        raise DataError(f"{folder}: has clips of {recording.name} already; remove them first")
    length_in_s = examine(recording, LONGEST_IN_S).length_in_s
    samples, events = 0, list[Event]()
    for block in of_recording(recording, rate):
        samples += len(block)
        events += detector.feed(block)
        progress("detecting", min(1.0, samples / rate / length_in_s))
    hours = samples / rate / 3600
    found = match(events, wanted, hours, window / rate)
    ends = [round(event.time_in_s * rate) for event in found.false_alarms]
    names = _names(recording.stem, found.false_alarms)
    _write(folder, names, _cut(recording, rate, ends, window), rate)
    mined = tuple(
        FalseAlarm(event.time_in_s, event.keyword, event.score, str(folder / name))
        for event, name in zip(found.false_alarms, names, strict=True)
    )
    return Mined(hours, len(wanted), len(found.misses), mined)


def _names(stem: str, alarms: Sequence[Event]) -> list[str]:
    minutes = [int(event.time_in_s // _A_SPEAKER_IN_S) for event in alarms]
    return [f"{stem}-{minute}{SPEAKER_END}{i}.wav" for i, minute in enumerate(minutes)]


def _cut(recording: Path, rate: int, ends: Sequence[int], length: int) -> Iterator[np.ndarray]:
    """Yield the ``length`` samples of a recording before each of some places, which rise."""
    waiting, begins, held = list(ends), 0, np.zeros(0, np.float32)
    for block in of_recording(recording, rate) if waiting else ():
        held = np.concatenate([held, block])
        while waiting and waiting[0] <= begins + len(held):
            end = waiting.pop(0) - begins
            yield held[end - length : end]
        past = max(0, len(held) - length)
        begins, held = begins + past, held[past:]


def _write(folder: Path, names: Sequence[str], clips: Iterator[np.ndarray], rate: int) -> None:
    try:
        for name, clip in zip(names, clips, strict=True):
            folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / name, to_int16(clip), rate)
    except (OSError, soundfile.LibsndfileError) as error:
        raise DataError(f"{folder}: cannot be written ({error})") from error
