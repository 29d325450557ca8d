"""The C99 source of a front end: what ``mfcc`` and ``log_mel`` compute, with its tables."""

from typing import Any

import numpy as np

from sweep import registry
from sweep.c.arrays import constant, number
from sweep.c.templates import Source, filled
from sweep.errors import SweepError
from sweep.frontends.base import Frontend
from sweep.frontends.log_mel import LogMel
from sweep.frontends.mel import LEAST_MAGNITUDE, mel_matrix
from sweep.frontends.mfcc import MFCC, dct_matrix

ONLY_C = "only mfcc and log_mel do"


def has_c(owner: Any) -> bool:
    """Tell whether there is C of a front end; a subclass from outside computes something else."""
    return owner in (MFCC, LogMel)


def frontend_source(frontend: Frontend, mean: np.ndarray, deviation: np.ndarray) -> Source:
    """Return ``frontend.h`` and ``frontend.c``.

    Args:
        frontend: the front end.
        mean, deviation: float32 ``[coefficients]``, as for ``convert_frontend``.

    Raises:
        SweepError: if there is no C of this front end.
    """
    if not has_c(frontend.owner):
        name = registry.name_of("frontend", frontend.owner)
        raise SweepError(f"{name} has no C source, {ONLY_C}; export without --c")
    assert isinstance(frontend, (MFCC, LogMel))
    tables = _tables(frontend, mean, deviation)
    told = _values(frontend) | {
        "frame_work": _work(frontend, tables),
        "table_bytes": sum(values.nbytes for values in tables.values()),
        "tables": "\n\n".join(constant(name, values) for name, values in tables.items()),
    }
    return Source(filled(("frontend.h", "frontend.c"), told), told)


def _values(frontend: MFCC | LogMel) -> dict[str, object]:
    """Return what the templates say of a front end, except for its tables."""
    frames, coefficients = frontend.shape
    cube_root = isinstance(frontend, MFCC) and frontend.nonlinearity == "cube_root"
    per_clip = frontend.normalization == "per_clip"
    kept_frames = frames if cube_root and per_clip else 1
    return {
        "rate": frontend.downsampling_rate,
        "seconds": f"{frontend.clip_length_in_s:g}",
        "samples": frontend.num_samples,
        "frames": frames,
        "coefficients": coefficients,
        "frame_length": frontend.frame_length,
        "frame_step": frontend.frame_step,
        "fft_length": frontend.fft_length,
        "mel_bins": frontend.num_mel_bins,
        "kept_frames": kept_frames,
        "least_magnitude": number(LEAST_MAGNITUDE),
        "mfcc": int(isinstance(frontend, MFCC)),
        "cube_root": int(cube_root),
        "per_clip": int(per_clip),
        "standardised": int(frontend.is_standardised),
        "work_bytes": 4 * (frontend.fft_length + kept_frames * frontend.num_mel_bins),
        "feature_bytes": 4 * frames * coefficients,
        "sample_bytes": 2 * frontend.num_samples,
    }


def _work(frontend: MFCC | LogMel, tables: dict[str, np.ndarray]) -> dict[str, float]:
    """Return how often the loops of the C run for a frame."""
    points, bands, coefficients = (
        frontend.fft_length // 2,
        frontend.num_mel_bins,
        frontend.shape[1],
    )
    of_mfcc = isinstance(frontend, MFCC)
    per_clip = frontend.normalization == "per_clip"
    root = isinstance(frontend, MFCC) and frontend.nonlinearity == "cube_root"
    return {
        "frames": 1,
        "samples": frontend.frame_length,
        "points": points,
        "butterflies": points / 2 * np.log2(points),
        "weights": len(tables["mel_weights"]),
        "roots" if root else "logarithms": bands,
        "cosines": bands * coefficients if of_mfcc else 0,
        "features": coefficients,
        "centred": coefficients if per_clip else 0,
        "divided": bands if per_clip and root else 0,
    }


def _tables(
    frontend: MFCC | LogMel, mean: np.ndarray, deviation: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the constant arrays of the C file, by name; float32 or uint16."""
    angles = 2 * np.pi * np.arange(frontend.fft_length // 2) / frontend.fft_length
    first, count, weights = _bands(mel_matrix(frontend))
    tables = {
        "window": frontend.window(),
        "twiddles": np.stack([np.cos(angles), -np.sin(angles)], axis=1).astype(np.float32),
        "mel_first": first,
        "mel_count": count,
        "mel_weights": weights,
    }
    if isinstance(frontend, MFCC):
        cosines = dct_matrix(frontend.num_mel_bins)[:, : frontend.num_coefficients]
        tables["cosines"] = cosines.T
    if frontend.is_standardised:
        tables["mean"] = mean.astype(np.float32)
        tables["scale"] = (1 / deviation).astype(np.float32)
    return tables


def _bands(mel: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return first bin and number of bins of each band, uint16, and the weights of them all."""
    bins = [np.flatnonzero(band) for band in mel.T]
    spans = [slice(at[0], at[-1] + 1) if len(at) else slice(0, 0) for at in bins]
    first = np.array([span.start for span in spans], np.uint16)
    count = np.array([span.stop - span.start for span in spans], np.uint16)
    return first, count, np.concatenate([mel[span, i] for i, span in enumerate(spans)])
