"""An exported folder at work on clips and streams, with LiteRT and nothing of TensorFlow."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sweep.arrays import to_float
from sweep.audio.clips import read_clip
from sweep.audio.recording import RATES_HZ
from sweep.detector import Decisions, Event, OperatingPoint
from sweep.errors import SweepError
from sweep.litert import Model

FRONTEND, MODEL, METADATA = "frontend.tflite", "model.tflite", "metadata.json"
"""The files of an exported folder."""

_MOST_METADATA_BYTES, _MOST_BYTES = 2**20, 2**26
_LONGEST_IN_S = 10
_WINDOWS_AT_ONCE = 64
_MOST_STRIDES = 1000


@dataclass(frozen=True)
class Prediction:
    """The label predicted for a clip, and the probability of each label."""

    clip: str
    label: str
    probabilities: dict[str, float]

    def __str__(self) -> str:
        return f"{self.clip}  {self.label}  {max(self.probabilities.values()):.3f}"


class _Exported:
    """An exported folder, checked and ready to run.

    Attributes:
        labels: the labels of the network's outputs.
        rate: the sampling rate it works at, in Hz.
        samples: the length of a clip at that rate.
    """

    def __init__(self, folder: Path | str) -> None:
        folder = Path(folder)
        try:
            self._metadata = json.loads(_content(folder / METADATA, _MOST_METADATA_BYTES))
            files = {name: _content(folder / name, _MOST_BYTES) for name in (FRONTEND, MODEL)}
            expected = {name: self._metadata["sha256"][name] for name in files}
            self.labels: tuple[str, ...] = tuple(map(str, self._metadata["labels"]))
            self.rate = int(self._metadata["frontend"]["downsampling_rate"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise SweepError(f"{folder}: not an exported folder; sweep export makes one") from error
        for name, content in files.items():
            if hashlib.sha256(content).hexdigest() != expected[name]:
                raise SweepError(f"{folder / name}: changed since it was exported; export it again")
        low, high = RATES_HZ
        if not low <= self.rate <= high:
            raise SweepError(
                f"{folder / METADATA}: frontend.downsampling_rate: {self.rate} is no sampling rate;"
                " export it again"
            )
        self._folder = folder
        with self._running():
            self._frontend = Model(files[FRONTEND])
            # Those of a model for a core: its C computes as they do.
            reference = bool(self._metadata.get("target"))
            self._model = Model(files[MODEL], reference)
            self.samples = self._frontend.input_shape[1]
            if not 0 < self.samples <= _LONGEST_IN_S * self.rate:
                raise ValueError(f"clips of {self.samples} samples")
        # Once, so that two files that do not fit each other are told here.
        self._probabilities(np.zeros((1, self.samples), np.float32))
        told = self._model.io_details()["output"]["shape"][-1]
        if told != len(self.labels):
            raise SweepError(
                f"{folder / METADATA}: labels: {len(self.labels)} are named, and the model tells"
                f" {told} apart; export it again"
            )

    def _probabilities(self, clips: np.ndarray) -> np.ndarray:
        """Return ``[clips, labels]`` for float32 clips ``[clips, samples]``, one after the other.

        Raises:
            SweepError: if the models do not run.
        """
        with self._running():
            return self._model.run_each(self._frontend.run_each(clips))

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Turn what LiteRT and NumPy say of models that do not run into one line."""
        try:
            yield
        except (ValueError, RuntimeError, LookupError, TypeError, ArithmeticError) as error:
            raise SweepError(f"{self._folder}: its models do not run; export it again") from error


class Classifier(_Exported):
    """An exported folder that classifies clips.

    Attributes:
        labels: the words it tells apart.
        rate: the sampling rate it works at, in Hz.
        samples: the length of a clip at that rate.

    Raises:
        SweepError: if the folder is not an export, or not as it was written.
    """

    def predict(self, clip: Path | str) -> Prediction:
        """Return the label of a recording of any rate; of a longer one, of its loudest part.

        Raises:
            DataError: if it cannot be read.
            SweepError: if the models do not run.
        """
        waveform = to_float(read_clip(clip, self.rate, self.samples))
        probabilities = self._probabilities(waveform[None])[0]
        return Prediction(
            clip=os.fsencode(clip).decode(errors="replace"),
            label=self.labels[int(np.argmax(probabilities))],
            probabilities=dict(zip(self.labels, map(float, probabilities), strict=True)),
        )


class Detector(_Exported):
    """An exported folder that detects keywords in a stream of sound.

    Attributes:
        keywords: the words it detects.
        point: when it detects them.
        rate: the sampling rate of the stream, in Hz.
        samples: the length of a window at that rate.

    Raises:
        SweepError: if the folder is not an export, not as it was written, or has no operating
            point.
    """

    def __init__(self, folder: Path | str) -> None:
        super().__init__(folder)
        self.keywords, self.point = self._operating_point()
        self._decisions = Decisions(self.labels, self.keywords, self.point, self.samples, self.rate)
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: np.ndarray) -> list[Event]:
        """Return the keywords detected in the next samples of the stream.

        It does not matter into which blocks the stream is cut.

        Args:
            samples: at ``rate``, mono, ``[samples]``: float32 in -1..1, or int16.

        Raises:
            SweepError: if the models do not run.
        """
        stream = to_float(samples) if samples.dtype == np.int16 else samples
        stream = np.concatenate([self._rest, stream.astype(np.float32)])
        stride, events = self.point.stride, list[Event]()
        count = max(0, 1 + (len(stream) - self.samples) // stride)
        for first in range(0, count, _WINDOWS_AT_ONCE):
            starts = stride * np.arange(first, min(first + _WINDOWS_AT_ONCE, count))
            windows = np.stack([stream[start : start + self.samples] for start in starts])
            events += self._decisions.feed(self._probabilities(windows))
        self._rest = stream[count * stride :].copy()
        return events

    def _operating_point(self) -> tuple[tuple[str, ...], OperatingPoint]:
        """Return keywords and operating point as the metadata has them, checked."""
        file = self._folder / METADATA
        if self._metadata.get("detector") is None:
            raise SweepError(
                f"{file}: has no operating point; search with dataset.streams to have one"
            )
        try:
            keywords = tuple(map(str, self._metadata["keywords"]))
            point = OperatingPoint(**self._metadata["detector"])
            whole = (point.stride, point.smoothing, point.refractory)
            sound = (
                all(type(number) is int for number in whole)
                and 0 < point.stride <= self.samples
                and 0 < point.smoothing <= _MOST_STRIDES
                and 0 <= point.refractory <= _MOST_STRIDES
                and 0 <= float(point.threshold) <= 1
                and keywords
                and set(keywords) <= set(self.labels)
            )
        except (TypeError, ValueError, KeyError) as error:
            raise SweepError(f"{file}: detector: cannot be used; export it again") from error
        if not sound:
            raise SweepError(f"{file}: detector: cannot be used; export it again")
        return keywords, point


def _content(file: Path, most_bytes: int) -> bytes:
    """Return what a file holds.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it holds too much.
    """
    with file.open("rb") as opened:
        content = opened.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError("too large")
    return content
