"""The front end in C computes what ``frontend.tflite`` does."""

import functools
from pathlib import Path

import numpy as np
import pytest

from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.c.compiler import compiled
from sweep.c.frontend import frontend_source
from sweep.c.verification import FEATURES_TOLERANCE
from sweep.errors import SweepError
from sweep.frontends.base import Frontend
from sweep.frontends.compute import convert_frontend
from sweep.frontends.log_mel import LogMel
from sweep.frontends.mfcc import MFCC
from sweep.litert import Model

from .compiling import SANITIZED, STRICT, driver, needs_compiler

SHORT = {"frame_length_in_s": 0.02, "frame_step_in_s": 0.01, "num_mel_bins": 20}
LOW = {"downsampling_rate": 8000, "upper_frequency": 4000.0}
FRONTENDS = {
    "the published winner": MFCC(),
    "each coefficient by itself": MFCC(normalization="per_coefficient", **SHORT),
    "each clip by itself, 8 kHz": MFCC(normalization="per_clip", **SHORT, **LOW),
    "a cube root, 8 kHz, 0.5 s": MFCC(
        nonlinearity="cube_root", clip_length_in_s=0.5, **SHORT, **LOW
    ),
    "a cube root, each clip by itself": MFCC(
        nonlinearity="cube_root", normalization="per_clip", **SHORT
    ),
    "log-mel, 0.5 s": LogMel(clip_length_in_s=0.5, **SHORT),
    "log-mel, each clip by itself, bands without a bin": LogMel(
        normalization="per_clip", num_mel_bins=100
    ),
}
NAMES, SETS = list(FRONTENDS), list(FRONTENDS.values())


def statistics(frontend: Frontend) -> tuple[np.ndarray, np.ndarray]:
    """Return some mean and deviation for each coefficient."""
    coefficients = frontend.shape[1]
    return (
        np.linspace(-3, 2, coefficients, dtype=np.float32),
        np.linspace(0.7, 2, coefficients, dtype=np.float32),
    )


@functools.cache
def litert(frontend: Frontend) -> Model:
    return Model(convert_frontend(frontend, *statistics(frontend)))


def deployed(frontend: Frontend, clips: np.ndarray) -> np.ndarray:
    """Return the features that LiteRT computes."""
    return litert(frontend).run_each(clips.astype(np.float32) / 32768)[..., 0]


def computed(frontend: Frontend, clips: np.ndarray, flags: tuple[str, ...]) -> np.ndarray:
    """Return the features that the C computes."""
    source = frontend_source(frontend, *statistics(frontend)).files
    with compiled(source | driver("run_frontend.c"), flags) as program:
        return program.run(clips, np.dtype(np.float32)).reshape(len(clips), *frontend.shape)


def clips_of(dataset: Dataset, frontend: Frontend) -> np.ndarray:
    """Return clips, silence, and the loudest and harshest samples there are."""
    spoken = dataset.waveforms("validation", frontend.downsampling_rate)[:20]
    silence = np.zeros((1, spoken.shape[1]), np.int16)
    loudest = np.random.default_rng(1).choice([-32768, 32767], (1, spoken.shape[1]))
    every = np.concatenate([spoken, silence, loudest.astype(np.int16)])
    return np.ascontiguousarray(every[:, : frontend.num_samples])


@pytest.fixture(scope="module")
def recorded(recordings: Path) -> Dataset:
    """Real recordings."""
    return open_dataset(DatasetSpec(str(recordings), ("stop", "go")))


@needs_compiler
@pytest.mark.parametrize("frontend", SETS, ids=NAMES)
def test_clips_have_the_features_that_litert_computes(spoken: Dataset, frontend) -> None:
    clips = clips_of(spoken, frontend)
    features = computed(frontend, clips, STRICT)
    np.testing.assert_allclose(features, deployed(frontend, clips), rtol=0, atol=5e-5)


@needs_compiler
@pytest.mark.parametrize("frontend", SETS, ids=NAMES)
def test_recordings_do_within_the_tolerance_of_an_export(recorded: Dataset, frontend) -> None:
    clips = clips_of(recorded, frontend)
    expected = deployed(frontend, clips)
    atol = FEATURES_TOLERANCE * np.ptp(expected)
    np.testing.assert_allclose(computed(frontend, clips, STRICT), expected, rtol=0, atol=atol)


@needs_compiler
@pytest.mark.parametrize("frontend", SETS[3:], ids=NAMES[3:])
def test_no_clip_leads_outside_an_array_or_into_undefined_behaviour(
    spoken: Dataset, frontend
) -> None:
    assert np.isfinite(computed(frontend, clips_of(spoken, frontend)[-4:], SANITIZED)).all()


class Louder(MFCC):
    """A front end from outside that computes something else."""

    def from_bands(self, bands):
        return 2 * super().from_bands(bands)


def test_a_front_end_from_outside_has_no_c() -> None:
    with pytest.raises(SweepError, match="test_frontend:Louder has no C source, only mfcc and log"):
        frontend_source(Louder(), *statistics(Louder()))
