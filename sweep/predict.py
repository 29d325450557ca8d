"""An exported folder at work: clips in, labels out, with LiteRT and nothing of TensorFlow."""

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
from sweep.errors import SweepError
from sweep.litert import Model

FRONTEND, MODEL, METADATA = "frontend.tflite", "model.tflite", "metadata.json"
"""The files of an exported folder."""

_MOST_METADATA_BYTES, _MOST_BYTES = 2**20, 2**26
_LONGEST_IN_S = 10


@dataclass(frozen=True)
class Prediction:
    """The label heard in a clip, and the probability of each label."""

    clip: str
    label: str
    probabilities: dict[str, float]

    def __str__(self) -> str:
        return f"{self.clip}  {self.label}  {max(self.probabilities.values()):.3f}"


class Classifier:
    """An exported folder, ready to hear.

    Attributes:
        labels: the words it tells apart.
        rate: the sampling rate it works at, in Hz.
        samples: the length of a clip at that rate.

    Raises:
        SweepError: if the folder is not an export, or not as it was written.
    """

    def __init__(self, folder: Path | str) -> None:
        folder = Path(folder)
        try:
            metadata = json.loads(_content(folder / METADATA, _MOST_METADATA_BYTES))
            files = {name: _content(folder / name, _MOST_BYTES) for name in (FRONTEND, MODEL)}
            expected = {name: metadata["sha256"][name] for name in files}
            self.labels: tuple[str, ...] = tuple(map(str, metadata["labels"]))
            self.rate = int(metadata["frontend"]["downsampling_rate"])
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
            self._frontend, self._model = Model(files[FRONTEND]), Model(files[MODEL])
            self.samples = self._frontend.input_shape[1]
            if not 0 < self.samples <= _LONGEST_IN_S * self.rate:
                raise ValueError(f"clips of {self.samples} samples")
            # Once, so that two files that do not fit each other are told here.
            self._model.run(self._frontend.run(np.zeros((1, self.samples), np.float32)))
        told = self._model.borders()["output"]["shape"][-1]
        if told != len(self.labels):
            raise SweepError(
                f"{folder / METADATA}: labels: {len(self.labels)} are named, and the model tells"
                f" {told} apart; export it again"
            )

    def predict(self, clip: Path | str) -> Prediction:
        """Return the label of a recording of any rate; of a longer one, of its loudest part.

        Raises:
            DataError: if it cannot be read.
            SweepError: if the models do not run.
        """
        waveform = to_float(read_clip(clip, self.rate, self.samples))
        with self._running():
            probabilities = self._model.run(self._frontend.run(waveform[None]))[0]
            return Prediction(
                clip=os.fsencode(clip).decode(errors="replace"),
                label=self.labels[int(np.argmax(probabilities))],
                probabilities=dict(zip(self.labels, map(float, probabilities), strict=True)),
            )

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Turn what LiteRT and NumPy say of models that do not run into one line."""
        try:
            yield
        except (ValueError, RuntimeError, LookupError, TypeError, ArithmeticError) as error:
            raise SweepError(f"{self._folder}: its models do not run; export it again") from error


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
