"""The front end in C computes what ``frontend.tflite`` does."""

import functools
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweep import c
from sweep.audio.dataset import Dataset, DatasetSpec, open_dataset
from sweep.c.compiler import compiled, compiler
from sweep.c.export import TOLERANCE, c_files
from sweep.c.frontend import frontend_source
from sweep.errors import SweepError
from sweep.frontends.base import Frontend
from sweep.frontends.compute import convert_frontend
from sweep.frontends.log_mel import LogMel
from sweep.frontends.mfcc import MFCC
from sweep.litert import Model

STRICT = (
    *("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"),
    *("-O2", "-ffp-contract=off"),
)
SANITIZED = (*STRICT, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
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

needs_compiler = pytest.mark.skipif(compiler() is None, reason="this machine has no C compiler")


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
    source = frontend_source(frontend, *statistics(frontend))
    with compiled(source, frontend, STRICT) as program:
        features = program.run(clips)
    np.testing.assert_allclose(features, deployed(frontend, clips), rtol=0, atol=5e-5)


@needs_compiler
@pytest.mark.parametrize("frontend", SETS, ids=NAMES)
def test_recordings_do_within_the_tolerance_of_an_export(recorded: Dataset, frontend) -> None:
    clips = clips_of(recorded, frontend)
    expected = deployed(frontend, clips)
    with compiled(frontend_source(frontend, *statistics(frontend)), frontend, STRICT) as program:
        features = program.run(clips)
    atol = TOLERANCE * np.ptp(expected)
    np.testing.assert_allclose(features, expected, rtol=0, atol=atol)


@needs_compiler
@pytest.mark.parametrize("frontend", SETS[3:], ids=NAMES[3:])
def test_no_clip_leads_outside_an_array_or_into_undefined_behaviour(
    spoken: Dataset, frontend
) -> None:
    source = frontend_source(frontend, *statistics(frontend))
    with compiled(source, frontend, SANITIZED) as program:
        assert np.isfinite(program.run(clips_of(spoken, frontend)[-4:])).all()


class Louder(MFCC):
    """A front end from outside that computes something else."""

    def from_bands(self, bands):
        return 2 * super().from_bands(bands)


def test_a_front_end_from_outside_has_no_c() -> None:
    with pytest.raises(SweepError, match="test_frontend:Louder has no C source, only mfcc and log"):
        frontend_source(Louder(), *statistics(Louder()))


@pytest.fixture(scope="module")
def content() -> bytes:
    return convert_frontend(MFCC())


@pytest.fixture(scope="module")
def files(spoken: Dataset, content: bytes) -> dict[str, str]:
    """The folder of C of the default front end."""
    return c_files(MFCC(), content, spoken)[0]


class TestFolder:
    """The folder of C in an export."""

    def test_it_has_these_files_every_time_with_the_same_content(
        self, spoken: Dataset, content, files
    ) -> None:
        again, _ = c_files(MFCC(), content, spoken)
        assert sorted(files) == sorted(c.FILES)
        assert again == files

    @needs_compiler
    def test_its_own_test_passes_and_leaves_nothing_behind(self, files, tmp_path: Path) -> None:
        assert "passed" in self._make_test(files, tmp_path, 0)
        assert {path.name for path in tmp_path.iterdir()} == set(files)

    @needs_compiler
    def test_and_fails_where_a_feature_is_another(self, files, tmp_path: Path) -> None:
        head, begin, rest = files["golden.h"].partition("golden_features[310] = {\n    ")
        changed = files | {"golden.h": f"{head}{begin}1.0f + {rest}"}
        assert "FAILED" in self._make_test(changed, tmp_path, 2)

    def _make_test(self, files: dict[str, str], folder: Path, status: int) -> str:
        for name, content in files.items():
            (folder / name).write_text(content)
        done = subprocess.run(["make", "test"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        return done.stdout

    @needs_compiler
    def test_it_says_on_how_many_clips_it_was_verified(self, spoken: Dataset, content) -> None:
        _, told = c_files(MFCC(), content, spoken)
        assert told["verified"] is True
        assert told["clips"] == spoken.counts["validation"]
        assert 0 < told["largest_difference"] <= told["tolerance"]

    @needs_compiler
    def test_another_front_end_is_refused(self, spoken: Dataset) -> None:
        other = convert_frontend(replace(MFCC(), lower_frequency=40.0))
        with pytest.raises(SweepError, match="the front end in C differs from frontend.tflite by"):
            c_files(MFCC(), other, spoken)

    def test_without_a_compiler_it_is_written_and_not_verified(
        self, spoken: Dataset, content, files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", os.devnull)
        found, told = c_files(MFCC(), content, spoken)
        assert found == files
        assert told == {"verified": False, "reason": "no C compiler"}
