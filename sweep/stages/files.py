"""What a ``.tflite`` file tells by itself, and what running it does."""

from sweep.c.arena import activations_kb
from sweep.litert import Latency, zipped_kb


def latency_facts(preprocessing: Latency, model: Latency) -> dict[str, float]:
    """Return the metrics that the latencies of both files give."""
    return {
        "preprocessing_latency_ms": preprocessing.median_ms,
        "model_latency_ms": model.median_ms,
    }


def file_facts(content: bytes) -> dict[str, float]:
    """Return the metrics that a network's file gives."""
    return {
        "size_kb": zipped_kb(content),
        "tflite_size_kb": len(content) / 1024,
        "arena_kb": activations_kb(content),
    }
