from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from sweep.audio.dataset import Dataset, open_dataset
from sweep.candidate import AugmentationParams
from sweep.errors import PluginError
from sweep.frontends import compute
from sweep.frontends.compute import convert_frontend
from sweep.frontends.log_mel import LogMel
from sweep.frontends.mel import MelFrontend
from sweep.frontends.mfcc import MFCC
from sweep.litert import Model
from sweep.stages.features import prepare_features

from .loudness import Loudness

VARIED = AugmentationParams(time_shift_ms=100, noise_snr_db=5, gain_db=6)
FRONTENDS = {
    "the published winner": MFCC(),
    "a frame of 20 ms": MFCC(
        frame_length_in_s=0.02, frame_step_in_s=0.01, num_mel_bins=40, num_coefficients=13
    ),
    "8 kHz, frames that leave a rest": MFCC(
        downsampling_rate=8000,
        frame_length_in_s=0.025,
        frame_step_in_s=0.015,
        num_mel_bins=20,
        num_coefficients=20,
        lower_frequency=80,
        upper_frequency=4000,
    ),
    "log-mel": LogMel(num_mel_bins=16, upper_frequency=4000),
    "log-mel, 20 ms": LogMel(frame_length_in_s=0.02, frame_step_in_s=0.032, num_mel_bins=25),
    "a step that no part of a frame divides": MFCC(frame_step_in_s=273 / 16000, num_mel_bins=16),
    "a cube root": MFCC(
        nonlinearity="cube_root", frame_length_in_s=0.02, frame_step_in_s=0.01, num_mel_bins=16
    ),
    "clips of 0.4 s": MFCC(clip_length_in_s=0.4, frame_step_in_s=0.015),
    "clips of 2.5 s": MFCC(clip_length_in_s=2.5, frame_length_in_s=0.064),
    "a cube root, each clip by itself": MFCC(
        nonlinearity="cube_root", normalization="per_clip", num_mel_bins=16, num_coefficients=12
    ),
}


def compute_features(clips: np.ndarray, frontend: MelFrontend) -> np.ndarray:
    """Return the features of all clips in one array."""
    return np.concatenate([*compute.compute_features(clips, frontend)])


NAMES, SETS = list(FRONTENDS), list(FRONTENDS.values())


def published_features(waveforms: np.ndarray, frontend: MelFrontend) -> np.ndarray:
    """The report's procedure by tf.signal and NumPy; with a cube root, its definition."""
    spectrum = tf.signal.stft(
        waveforms.astype(np.float32) / 32768, frontend.frame_length, frontend.frame_step
    )
    bins = tf.signal.linear_to_mel_weight_matrix(
        frontend.num_mel_bins,
        spectrum.shape[-1],
        frontend.downsampling_rate,
        frontend.lower_frequency,
        frontend.upper_frequency,
    )
    bands = (tf.abs(spectrum) @ bins).numpy()
    if isinstance(frontend, LogMel):
        return np.log(bands + 1e-6)
    if frontend.normalization == "per_clip":
        bands /= bands.mean(axis=1, keepdims=True) + 1e-6
    bands = np.cbrt(bands) if frontend.nonlinearity == "cube_root" else np.log(bands + 1e-6)
    mfccs = tf.signal.mfccs_from_log_mel_spectrograms(bands).numpy()
    if frontend.normalization == "per_clip":
        mfccs -= mfccs.mean(axis=1, keepdims=True)
    return mfccs[..., : frontend.num_coefficients]


@pytest.fixture(scope="module")
def clips(spoken: Dataset):
    """Six clips of the length that a front end takes."""

    def cut(frontend: MelFrontend) -> np.ndarray:
        waveforms = spoken.waveforms("validation", frontend.downsampling_rate)[:6]
        return np.tile(waveforms, 4)[:, : frontend.num_samples]

    return cut


@pytest.mark.parametrize("frontend", SETS, ids=NAMES)
def test_features_are_those_of_the_published_procedure(clips, frontend):
    waveforms = clips(frontend)
    features = compute_features(waveforms, frontend)
    assert features.shape == (len(waveforms), *frontend.shape)
    np.testing.assert_allclose(features, published_features(waveforms, frontend), atol=1e-4)


def test_the_winner_sees_31_frames_of_10_coefficients():
    assert MFCC().shape == (31, 10)
    assert FRONTENDS["a frame of 20 ms"].fft_length == 512


def test_silence_has_features():
    silence = compute_features(np.zeros((1, 16000), np.int16), MFCC())
    expected = published_features(np.zeros((1, 16000), np.int16), MFCC())
    np.testing.assert_allclose(silence, expected, atol=1e-4)


def test_floats_and_the_integers_they_came_from_have_the_same_features(clips):
    waveforms = clips(MFCC())
    scaled = waveforms.astype(np.float32) / 32768
    np.testing.assert_array_equal(
        compute_features(scaled, MFCC()), compute_features(waveforms, MFCC())
    )


def test_clips_beyond_one_batch_have_the_features_they_have_alone(spoken):
    waveforms = np.resize(spoken.waveforms("training", 16000), (150, 16000))
    together = compute_features(waveforms, MFCC())
    np.testing.assert_allclose(together[-3:], compute_features(waveforms[-3:], MFCC()), atol=1e-4)


def test_the_mean_over_time_is_taken_out_of_each_clip(clips):
    waveforms = clips(MFCC())
    plain = compute_features(waveforms, MFCC())
    centred = compute_features(waveforms, MFCC(normalization="per_clip"))
    np.testing.assert_allclose(centred, plain - plain.mean(axis=1, keepdims=True), atol=1e-4)


@pytest.mark.parametrize("nonlinearity", ["log", "cube_root"])
def test_a_clip_played_softer_has_the_same_features_where_its_own_level_is_taken_out(
    spoken, nonlinearity
):
    frontend = MFCC(normalization="per_clip", nonlinearity=nonlinearity)
    loud = spoken.waveforms("validation", 16000)[:20].astype(np.float32) / 32768
    softer = compute_features(loud / 8, frontend)
    np.testing.assert_allclose(softer, compute_features(loud, frontend), atol=0.02)
    level_kept = replace(frontend, normalization="none")
    assert (
        np.abs(compute_features(loud / 8, level_kept) - compute_features(loud, level_kept)).max()
        > 1
    )


@pytest.mark.parametrize("normalization", ["none", "per_coefficient", "per_clip"])
@pytest.mark.parametrize(
    "name",
    [
        "the published winner",
        "a cube root",
        "log-mel, 20 ms",
        "a step that no part of a frame divides",
    ],
)
def test_the_deployed_graph_computes_what_the_network_was_trained_on(spoken, name, normalization):
    frontend = replace(FRONTENDS[name], normalization=normalization)
    features = prepare_features(spoken, frontend, AugmentationParams())
    graph = Model(convert_frontend(frontend, features.mean, features.deviation))
    waveforms = spoken.waveforms("validation", 16000)[:6].astype(np.float32) / 32768
    assert graph.input_shape == (1, 16000)
    deployed = graph.run_each(waveforms)
    assert deployed.shape == (6, *frontend.shape, 1)
    np.testing.assert_allclose(deployed[..., 0], features.validation[:6], atol=1e-3)


@pytest.mark.parametrize("name", ["clips of 0.4 s", "clips of 2.5 s"])
def test_clips_of_another_length_have_the_features_that_are_deployed(spoken, name):
    frontend = FRONTENDS[name]
    length = frontend.clip_length_in_s
    dataset = open_dataset(
        replace(spoken.spec, parameters={"clips_per_label": 20}, clip_length_in_s=length)
    )
    features = prepare_features(dataset, frontend, VARIED)
    assert features.training.shape == (8, dataset.counts["training"], *frontend.shape)
    graph = Model(convert_frontend(frontend, features.mean, features.deviation))
    assert graph.input_shape == (1, frontend.num_samples)
    waveforms = dataset.waveforms("validation", 16000)[:6].astype(np.float32) / 32768
    np.testing.assert_allclose(
        graph.run_each(waveforms)[..., 0], features.validation[:6], atol=1e-3
    )


@pytest.mark.parametrize("name", ["the published winner", "8 kHz, frames that leave a rest"])
def test_the_deployed_graph_has_builtin_operators_only(name):
    model = schema.ModelT.InitFromPackedBuf(bytearray(convert_frontend(FRONTENDS[name])), 0)
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    assert schema.BuiltinOperator.CUSTOM not in codes
    assert all(code.customCode is None for code in model.operatorCodes)


def test_the_deployed_graph_holds_blocks_rather_than_samples():
    frontend = FRONTENDS["a cube root, each clip by itself"]
    mel, window = 257 * frontend.num_mel_bins * 4, frontend.frame_length * 4
    assert len(convert_frontend(frontend)) < mel + window + 8000


def test_any_front_end_computes_what_it_deploys(spoken):
    frontend = Loudness(stretches=12)
    features = prepare_features(spoken, frontend, VARIED)
    assert features.training.shape == (8, spoken.counts["training"], 12, 3)
    waveforms = spoken.waveforms("validation", 16000).astype(np.float32) / 32768
    deployed = Model(convert_frontend(frontend)).run_each(waveforms)
    np.testing.assert_allclose(deployed[..., 0], features.validation, atol=1e-5)
    assert np.abs(features.training[1:] - features.training[0]).max() > 0.01


def test_a_front_end_that_fails_is_told_with_its_line(spoken):
    class Wrong(Loudness):
        @property
        def shape(self):
            return self.stretches, 4

    class Failing(Loudness):
        def features(self, waveforms):
            return tf.nope(waveforms)

    for kind, message in (
        (Wrong, "gives features of \\(20, 3\\)"),
        (Failing, "no attribute 'nope'"),
    ):
        with pytest.raises(PluginError, match=message) as raised:
            compute_features(spoken.waveforms("validation", 16000), kind())
        assert "test_compute.py:" in str(raised.value)
