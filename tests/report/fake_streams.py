"""Fake scores of a network in a stream: high after most keywords, and now and then elsewhere."""

import numpy as np

from sweep.audio.spoken import Spoken, Stream
from sweep.detection import Scores
from sweep.detector import OperatingPoint
from sweep.metrics import METRICS, OF_STREAMS, Measured

RATE, WINDOW, STRIDE = 1000, 1000, 100
POINT = OperatingPoint(STRIDE, smoothing=3, threshold=0.6, refractory=10)
LABELS, KEYWORDS = ("stop", "go", "_unknown_", "_silence_"), ("stop", "go")
_SAID = ("stop", "up", "go", "left", "stop", "down", "go", "right")
_EVERY_IN_S = 3.5


def fake_scores(seed: int, skill: float, hours: float = 0.25) -> Scores:
    """Return scores of a network; the higher its skill, 0 to 1, the fewer it misses."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(round(3600 * RATE * hours), np.int16)
    strides = 1 + (len(samples) - WINDOW) // STRIDE
    probabilities = rng.uniform(0, 0.15, (strides, len(LABELS))).astype(np.float32)
    spoken = []
    for i in range(round(3600 * hours / _EVERY_IN_S) - 1):
        word, start = _SAID[i % len(_SAID)], 2 + i * _EVERY_IN_S
        label = word if word in KEYWORDS else "_unknown_"
        snr_db = float(rng.uniform(0, 30))
        spoken.append(Spoken(label, f"{word}/{i}_nohash_0.wav", start, start + 0.6, snr_db))
        said = label in KEYWORDS
        chance = 1 - 5 * (1 - skill) if said else 2 * (1 - skill)
        level = rng.uniform(0.7, 1) if rng.random() < chance else rng.uniform(0, 0.55)
        first = round((start - 0.3) * RATE / STRIDE)
        heard = label if said else KEYWORDS[i % 2]
        probabilities[first : first + 6, LABELS.index(heard)] = level
    stream = Stream(samples, RATE, tuple(spoken))
    return Scores(stream, probabilities, LABELS, KEYWORDS, STRIDE, WINDOW)


def in_stream(scores: Scores) -> Measured:
    """Return what is measured in a stream at ``POINT``."""
    metrics = {name: METRICS[name] for name in OF_STREAMS}
    return Measured({}, metrics=metrics, detection=scores.at(POINT))
