"""Search front end, network, training and compression of small speech models together.

The names below are what a program needs; each is imported when it is first used, so that
``import sweep`` is fast and asks for no TensorFlow.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Study": "sweep.api",
    "load": "sweep.api",
    "run": "sweep.api",
    "Candidate": "sweep.candidate",
    "Classifier": "sweep.predict",
    "Detector": "sweep.predict",
    "Space": "sweep.space",
    "PlannedSampler": "sweep.study.samplers.base",
    "Metric": "sweep.metrics",
    "Source": "sweep.audio.sources.base",
    "Utterance": "sweep.audio.sources.base",
    "Frontend": "sweep.frontends.base",
    "Network": "sweep.networks.base",
    "parameter": "sweep.parameters",
    "SweepError": "sweep.errors",
    "evaluate": "sweep.stages.evaluate",
    "open_dataset": "sweep.audio.dataset",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("tinysweep")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
