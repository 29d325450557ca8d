"""Detection in a stream of sound: from a network's probabilities to events."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class OperatingPoint:
    """When probabilities become events: with the network, all that a device needs.

    Stride t = 0, 1, ... is the window of samples that begins at ``t * stride``; p[t][k] is the
    network's probability of label k in it.  In float32, with zeros before the first stride,

        score[t][k] = (p[t - smoothing + 1][k] + ... + p[t][k]) / smoothing

    summed in this order.  At the first t where the largest score of a keyword is ``threshold`` or
    more, that keyword is detected, the first of equal ones; then at no other of the ``refractory``
    strides that follow.

    Attributes:
        stride: samples from one window to the next.
        smoothing: strides over which probabilities are averaged.
        threshold: the least score of a detection.
        refractory: strides after a detection during which there is no other.
    """

    stride: int
    smoothing: int
    threshold: float
    refractory: int


@dataclass(frozen=True)
class Event:
    """A keyword that was detected.

    Attributes:
        time_in_s: the end of the window it was detected in, from the beginning of the stream.
        keyword: which one.
        score: its score then.
    """

    time_in_s: float
    keyword: str
    score: float

    def __str__(self) -> str:
        return f"{self.time_in_s:10.2f} s  {self.keyword}  {self.score:.3f}"


class Decisions:
    """Turns probabilities into events; however they are cut into blocks, the events are the same.

    Args:
        labels: of the network's outputs.
        keywords: those of them that are detected.
        point: the operating point.
        window: samples of a window.
        rate: sampling rate in Hz.
    """

    def __init__(
        self,
        labels: Sequence[str],
        keywords: Sequence[str],
        point: OperatingPoint,
        window: int,
        rate: int,
    ) -> None:
        self._keywords, self._point = tuple(keywords), point
        self._columns = [list(labels).index(keyword) for keyword in keywords]
        self._window, self._rate = window, rate
        self._before = np.zeros((point.smoothing - 1, len(keywords)), np.float32)
        self._strides, self._free_from = 0, 0

    def feed(self, probabilities: np.ndarray) -> list[Event]:
        """Return the events of the next strides, whose probabilities are ``[strides, labels]``."""
        known = np.concatenate([self._before, probabilities[:, self._columns]])
        scores = smoothed(known, self._point.smoothing)
        self._before = known[len(scores) :]
        best = scores.max(axis=1)
        first, self._strides = self._strides, self._strides + len(scores)
        found = crossings(best, self._point, self._free_from - first)
        if found:
            self._free_from = first + found[-1] + self._point.refractory + 1
        return [
            Event(self._time_in_s(first + t), self._keywords[scores[t].argmax()], float(best[t]))
            for t in found
        ]

    def _time_in_s(self, stride: int) -> float:
        return (stride * self._point.stride + self._window) / self._rate


def smoothed(probabilities: np.ndarray, smoothing: int) -> np.ndarray:
    """Return the means of each ``smoothing`` rows in a row, float32; see ``OperatingPoint``."""
    rows = len(probabilities) - smoothing + 1
    total = np.zeros((rows, *probabilities.shape[1:]), np.float32)
    for i in range(smoothing):
        total += probabilities[i : i + rows]
    return total / np.float32(smoothing)


def crossings(scores: np.ndarray, point: OperatingPoint, free_from: int = 0) -> list[int]:
    """Return the strides at which something is detected.

    Args:
        scores: the largest score of a keyword at each stride, float32 ``[strides]``.
        point: the operating point.
        free_from: the first stride at which there may be a detection.
    """
    above, found = np.flatnonzero(scores >= np.float32(point.threshold)).tolist(), list[int]()
    place = bisect_left(above, free_from)
    while place < len(above):
        found.append(above[place])
        place = bisect_left(above, above[place] + point.refractory + 1, place)
    return found
