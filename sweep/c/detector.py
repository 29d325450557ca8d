"""The C99 source of a detector: windows of a stream, smoothed probabilities, events."""

from collections.abc import Sequence
from pathlib import Path

from sweep import c
from sweep.c.arrays import number, text
from sweep.c.templates import filled, template
from sweep.detector import OperatingPoint


def detector_source(
    point: OperatingPoint, labels: Sequence[str], keywords: Sequence[str]
) -> dict[str, str]:
    """Return the files by name: the detector, and programs that run it on a pipe and on Arduino.

    Args:
        point: when probabilities become events.
        labels: of the network's outputs.
        keywords: those of them that are detected.
    """
    told = {
        "stride": point.stride,
        "smoothing": point.smoothing,
        "threshold": number(point.threshold),
        "refractory": point.refractory,
        "keywords": len(keywords),
        "keyword_texts": ", ".join(map(text, keywords)),
        "outputs": ", ".join(str(list(labels).index(keyword)) for keyword in keywords),
    }
    return filled(c.DETECTOR, told) | {name: template(Path(name).name) for name in c.EXAMPLES}
