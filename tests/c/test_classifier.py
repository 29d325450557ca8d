"""A classifier in C, from samples to probabilities, and the folder it is exported in."""

import os
import subprocess
from dataclasses import replace
from functools import cache
from itertools import cycle, product
from pathlib import Path
from shutil import which
from subprocess import CompletedProcess

import numpy as np
import pytest
import tf_keras

from sweep import c
from sweep.arrays import to_float
from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.c.classifier import classifier_source
from sweep.c.cores import CORES, DEFAULT_CORE
from sweep.c.verification import Expected, verified
from sweep.c_folder import c_files
from sweep.errors import SweepError
from sweep.frontends.base import Frontend
from sweep.frontends.compute import convert_frontend
from sweep.frontends.log_mel import LogMel
from sweep.frontends.mfcc import MFCC
from sweep.litert import Model
from sweep.networks.base import Network
from sweep.networks.bc_resnet import BCResNet
from sweep.networks.conversion import convert
from sweep.networks.ds_cnn import DSCNN
from sweep.networks.keras import KerasNetwork
from sweep.networks.layered import LayeredArchitecture
from sweep.networks.mlperf_ds_cnn import MLPerfDSCNN
from sweep.networks.standard import Standard
from sweep.networks.tc_resnet import TCResNet
from sweep.networks.temporal import Temporal
from sweep.predict import FRONTEND, MODEL
from sweep.stages.compression import quantize

from ..networks.keras_network import random_weights
from .compiling import STRICT, needs_compiler
from .test_frontend import clips_of, statistics

SHORT = {"frame_length_in_s": 0.04, "frame_step_in_s": 0.025}
FRONTENDS = {
    "mfcc": MFCC(),
    "mfcc by a cube root, each clip by itself": MFCC(
        nonlinearity="cube_root", normalization="per_clip", num_mel_bins=16, **SHORT
    ),
    "log-mel at 8 kHz": LogMel(
        downsampling_rate=8000, upper_frequency=4000.0, normalization="per_coefficient", **SHORT
    ),
}


def build(shape: tuple[int, int], labels: int) -> tf_keras.Model:
    """Return a network with operators that the layers of this package do not use."""
    layers = tf_keras.layers
    return tf_keras.Sequential(
        [
            layers.Input(shape),
            layers.Conv1D(6, 5, strides=2, activation="tanh"),
            layers.SeparableConv1D(6, 3, activation="relu6"),
            layers.Flatten(),
            layers.Dense(labels, activation="softmax", use_bias=False),
        ]
    )


NETWORKS = {
    "depthwise_separable": DSCNN(12, 1.0, 2),
    "standard": Standard(8, 1.0, 2),
    "temporal": Temporal(12, 1.0, 2),
    "tc_resnet": TCResNet(0.3),
    "bc_resnet": BCResNet(0.6),
    "mlperf_ds_cnn": MLPerfDSCNN(0.15),
    "Keras": KerasNetwork(build, ()),
}
LABELS = ("stop", "go", 'say "où?"')
EVERY_PAIR = list(product(NETWORKS, FRONTENDS))
PAIRS = (
    EVERY_PAIR
    if os.environ.get("SWEEP_EVERY_PAIR")
    else list(zip(NETWORKS, cycle(FRONTENDS), strict=False))
)
"""``SWEEP_EVERY_PAIR=1`` compiles each network behind each front end."""


@cache
def variants(network: Network, frontend: Frontend) -> dict[str, bytes]:
    architecture = network.architecture(frontend.shape, len(LABELS))
    layered = isinstance(architecture, LayeredArchitecture)
    weights = random_weights(architecture) if layered else architecture.initial_weights(3)
    clips = np.random.default_rng(5).normal(0, 2, (40, *frontend.shape)).astype(np.float32)
    return quantize(convert(architecture, weights), c.QUANTIZATIONS, clips)


@pytest.fixture(scope="module")
def recorded(recordings: Path) -> Dataset:
    """Real recordings."""
    return open_dataset(DatasetSpec(str(recordings), ("stop", "go")))


@needs_compiler
@pytest.mark.parametrize(("network", "frontend"), PAIRS)
def test_recordings_are_classified_as_by_litert(recorded: Dataset, network, frontend) -> None:
    network, frontend = NETWORKS[network], FRONTENDS[frontend]
    clips = clips_of(recorded, frontend)
    features = Model(convert_frontend(frontend, *statistics(frontend))).run_each(to_float(clips))
    for quantization, content in variants(network, frontend).items():
        expected = Expected(features, Model(content, reference=True))
        source = classifier_source(frontend, *statistics(frontend), content, LABELS).files
        source = {name: source[name] for name in c.SOURCES}
        told = verified(source, clips, expected, STRICT)
        assert told["verified"] and told["clips"] == len(clips), told
        if quantization != "float32":
            assert told["network"]["largest_difference"] == 0
            assert all(margin < 1e-3 for margin in told["inputs"]["margins"].values())


@pytest.fixture(scope="module")
def deployed() -> dict[str, bytes]:
    network = DSCNN(8, 1.0, 1).architecture(MFCC().shape, 2)
    content = convert(network, random_weights(network))
    clips = np.random.default_rng(5).normal(0, 2, (40, *MFCC().shape)).astype(np.float32)
    model = quantize(content, ("int8",), clips)["int8"]
    return {FRONTEND: convert_frontend(MFCC()), MODEL: model}


@pytest.fixture(scope="module")
def files(spoken: Dataset, deployed: dict[str, bytes]) -> dict[str, str]:
    return c_files(MFCC(), deployed, spoken)[0]


class TestFolder:
    """The folder of C in an export."""

    def test_it_has_these_files_every_time_with_the_same_content(
        self, spoken: Dataset, deployed, files
    ) -> None:
        again, _ = c_files(MFCC(), deployed, spoken)
        assert files.keys() == set(c.FILES) - set(c.OF_STREAMS)
        assert again == files

    @needs_compiler
    def test_its_own_test_passes_and_leaves_nothing_behind(self, files, tmp_path: Path) -> None:
        told = self._make_test(files, tmp_path, 0)
        assert "front end passed" in told and "network passed" in told
        left = {path for path in tmp_path.rglob("*") if path.is_file()}
        assert left == {tmp_path / name for name in files}

    @needs_compiler
    @pytest.mark.parametrize(
        ("array", "part"), [("golden_features[310]", "front end"), ("golden_output[2]", "network")]
    )
    def test_and_fails_where_a_value_is_another(self, array, part, files, tmp_path: Path) -> None:
        head, begin, rest = files["golden.h"].partition(f"{array} = {{\n    ")
        changed = files | {"golden.h": f"{head}{begin}1 + {rest}"}
        assert f"{part} FAILED" in self._make_test(changed, tmp_path, 2)

    def _make_test(self, files: dict[str, str], folder: Path, status: int) -> str:
        done = self._make("test", files, folder)
        assert done.returncode == status, done.stderr
        return done.stdout

    def _make(self, goal: str, files: dict[str, str], folder: Path) -> CompletedProcess[str]:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        return subprocess.run(
            ["make", "--no-print-directory", goal], cwd=folder, capture_output=True, text=True
        )

    @pytest.mark.skipif(not which("arm-none-eabi-gcc"), reason="GCC for Arm is not installed")
    @pytest.mark.parametrize("core", CORES)
    def test_make_arm_compiles_it_for_the_core_without_a_warning(
        self, core, files, tmp_path: Path
    ) -> None:
        flags = " ".join(CORES[core].gnu_flags)
        head, rest = files["Makefile"].split("\n", 1)
        assert head == f"CORE = {' '.join(CORES[DEFAULT_CORE].gnu_flags)}"
        done = self._make("arm", files | {"Makefile": f"CORE = {flags}\n{rest}"}, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        code, data = map(int, done.stdout.splitlines()[-1].split()[:2])
        assert code > 10_000 and data == 0

    @needs_compiler
    def test_it_says_on_how_many_clips_it_was_verified(self, spoken: Dataset, deployed) -> None:
        _, told = c_files(MFCC(), deployed, spoken)
        assert told["verified"] is True
        assert told["clips"] == spoken.counts["validation"]
        assert 0 < told["features"]["largest_difference"] <= told["features"]["tolerance"]
        assert told["network"]["largest_difference"] == 0

    @needs_compiler
    def test_another_front_end_is_refused(self, spoken: Dataset, deployed) -> None:
        other = convert_frontend(replace(MFCC(), lower_frequency=40.0))
        with pytest.raises(SweepError, match="the front end in C differs from frontend.tflite by"):
            c_files(MFCC(), deployed | {FRONTEND: other}, spoken)

    @needs_compiler
    def test_another_network_is_refused(self, spoken: Dataset, deployed) -> None:
        clips = spoken.waveforms("validation", 16000)
        features = Model(deployed[FRONTEND]).run_each(to_float(clips))
        expected = Expected(features, Model(deployed[MODEL], reference=True))
        source, _ = c_files(MFCC(), deployed, spoken)
        sources = {name: source[f"src/{name}"] for name in c.SOURCES}
        sources["network.c"] = sources["network.c"].replace(
            "rest > (mask >> 1)", "rest >= (mask >> 1)"
        )
        with pytest.raises(SweepError, match="the network in C differs from LiteRT's reference"):
            verified(sources, clips, expected)

    def test_without_a_compiler_it_is_written_and_not_verified(
        self, spoken: Dataset, deployed, files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", os.devnull)
        found, told = c_files(MFCC(), deployed, spoken)
        assert found == files
        assert told == {"verified": False, "reason": "no C compiler"}
