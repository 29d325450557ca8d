"""An exported folder at work in a process that may crash: nobody knows who made the folder."""

import multiprocessing
import os
import resource
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from sweep.errors import SweepError
from sweep.predict import Classifier, Prediction

_MOST_BYTES = 2**30
_START_IN_S, _ANSWER_IN_S = 60, 10


class IsolatedClassifier:
    """A classifier in a process of its own, bounded in memory and time.

    Attributes:
        labels: the words it tells apart.

    Raises:
        SweepError: if the folder is not an export, or its models crash what runs them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, folder), daemon=True)
        self._process.start()
        theirs.close()
        try:
            self._answer(_START_IN_S)
            self.labels: tuple[str, ...] = self._answer(_ANSWER_IN_S)
        except SweepError:
            self.close()
            raise

    def __enter__(self) -> "IsolatedClassifier":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def predict(self, clip: Path) -> Prediction:
        """Return the label of a recording; see ``Classifier.predict``.

        Raises:
            DataError: if it cannot be read.
            SweepError: if the models crash, or take more than ten seconds.
        """
        with suppress(BrokenPipeError):  # a process that is gone is told below
            self._connection.send(clip)
        prediction: Prediction = self._answer(_ANSWER_IN_S)
        return prediction

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


def _serve(connection: Connection, folder: Path) -> None:
    """Answer once ready, with the labels, then with a prediction for each clip.

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
        classifier = Classifier(folder)
        connection.send(classifier.labels)
        while True:
            clip = connection.recv()
            try:
                connection.send(classifier.predict(clip))
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
