"""An exported folder at work in a process that may crash: nobody knows who made the folder."""

import multiprocessing
import os
import resource
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from sweep.detector import Event
from sweep.errors import SweepError
from sweep.predict import Classifier, Detector, Prediction

_MOST_BYTES = 2**30
_START_IN_S, _ANSWER_IN_S = 60, 10


class _Isolated:
    """An exported folder in a process of its own, bounded in memory and time.

    Raises:
        SweepError: if the folder is not an export, or its models crash what runs them.
    """

    _KIND: ClassVar[type[Classifier] | type[Detector]]

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._KIND, folder), daemon=True
        )
        self._process.start()
        theirs.close()
        try:
            self._answer(_START_IN_S)
            self.labels, self.rate, self.samples = self._answer(_ANSWER_IN_S)
        except SweepError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _ask(self, question: Path | np.ndarray) -> Any:
        with suppress(BrokenPipeError):  # a process that is gone is told below
            self._connection.send(question)
        return self._answer(_ANSWER_IN_S)

    def _answer(self, seconds: float) -> Any:
        try:
            if not self._connection.poll(seconds):
                raise SweepError(f"{self._folder}: no answer within {seconds} s")
            answer = self._connection.recv()
        except (EOFError, ConnectionError) as error:
            self._process.join()
            code = self._process.exitcode
            raise SweepError(
                f"{self._folder}: its models crash what runs them ({code}); export it again"
            ) from error
        if isinstance(answer, SweepError):
            raise answer
        return answer


class IsolatedClassifier(_Isolated):
    """A classifier in a process of its own, bounded in memory and time.

    Attributes:
        labels: the words it tells apart.
        rate: the sampling rate it works at, in Hz.
        samples: the length of a clip at that rate.

    Raises:
        SweepError: if the folder is not an export, or its models crash what runs them.
    """

    _KIND = Classifier

    def predict(self, clip: Path) -> Prediction:
        """Return the label of a recording; see ``Classifier.predict``.

        Raises:
            DataError: if it cannot be read.
            SweepError: if the models crash, or take more than ten seconds.
        """
        prediction: Prediction = self._ask(clip)
        return prediction


class IsolatedDetector(_Isolated):
    """A detector in a process of its own, bounded in memory and time.

    Attributes:
        labels: the labels of the network.
        rate: the sampling rate of the stream, in Hz.
        samples: the length of a window at that rate.

    Raises:
        SweepError: if the folder is not an export with an operating point, or its models crash what
            runs them.
    """

    _KIND = Detector

    def feed(self, samples: np.ndarray) -> list[Event]:
        """Return the keywords detected in the next samples; see ``Detector.feed``.

        Raises:
            SweepError: if the models crash, or take more than ten seconds.
        """
        events: list[Event] = self._ask(samples)
        return events


def _serve(connection: Connection, kind: type[Classifier] | type[Detector], folder: Path) -> None:
    """Answer once ready, with labels, rate and length, then to each question.

    An error is an answer, too.
    """
    # What native code says of a model it cannot run would reach the terminal.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    most = _address_space() + _MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection.send(None)
    try:
        exported = kind(folder)
        answer = exported.feed if isinstance(exported, Detector) else exported.predict
        connection.send((exported.labels, exported.rate, exported.samples))
        while True:
            question = connection.recv()
            try:
                connection.send(answer(question))
            except SweepError as error:
                connection.send(error)
    except SweepError as error:
        connection.send(error)
    except (EOFError, KeyboardInterrupt):
        return
    except MemoryError:
        connection.send(SweepError(f"{folder}: its models need more than 1 GB"))


def _address_space() -> int:
    """Return how many bytes of addresses this process has in use."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()
