"""An exported folder at work: clips in, labels out, with LiteRT and nothing of TensorFlow."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sweep.audio.clips import read_clip, to_float
from sweep.audio.recording import RATES_HZ
from sweep.errors import SweepError
from sweep.litert import Model

FRONTEND, MODEL, METADATA = "frontend.tflite", "model.tflite", "metadata.json"
"""The files of an exported folder."""


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
            metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
            files = {name: (folder / name).read_bytes() for name in (FRONTEND, MODEL)}
            expected = {name: metadata["sha256"][name] for name in files}
            self.labels: tuple[str, ...] = tuple(metadata["labels"])
            self.rate = int(metadata["frontend"]["downsampling_rate"])
        except (OSError, ValueError, KeyError, TypeError) as error:
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
        try:
            self._frontend, self._model = Model(files[FRONTEND]), Model(files[MODEL])
            self.samples = self._frontend.input_shape[1]
            # Once, so that two files that do not fit each other are told here.
            self._model.run(self._frontend.run(np.zeros((1, self.samples), np.float32)))
        except (ValueError, RuntimeError, IndexError) as error:
            raise SweepError(f"{folder}: its models do not run; export it again") from error
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
        """
        waveform = to_float(read_clip(clip, self.rate, self.samples))
        probabilities = self._model.run(self._frontend.run(waveform[None]))[0]
        return Prediction(
            clip=os.fsencode(clip).decode(errors="replace"),
            label=self.labels[int(np.argmax(probabilities))],
            probabilities=dict(zip(self.labels, map(float, probabilities), strict=True)),
        )
