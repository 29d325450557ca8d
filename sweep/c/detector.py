"""The C99 source of a detector: windows of a stream, smoothed probabilities, events."""

from collections.abc import Sequence

from sweep.c.arrays import number, text
from sweep.c.templates import filled, template
from sweep.detector import OperatingPoint


def detector_source(
    point: OperatingPoint, labels: Sequence[str], keywords: Sequence[str]
) -> dict[str, str]:
    """Return the C files by name: the detector, and ``example.c`` that runs it on a pipe.

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
    return filled(("detector.h", "detector.c"), told) | {"example.c": template("example.c")}
