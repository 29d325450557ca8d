"""A stream through front end and network, against the files that are deployed."""

import numpy as np
import pytest

from sweep.arrays import to_float
from sweep.audio.spoken import Stream
from sweep.candidate import Candidate
from sweep.frontends.compute import convert_frontend
from sweep.litert import Model
from sweep.networks.tc_resnet import TCResNet
from sweep.networks.temporal import Temporal
from sweep.stages.streaming import run_stream, stepping_of, stride_of, window_features

from ..frontends.loudness import Loudness

FRONTENDS = {
    "the published winner": {},
    "8 kHz, frames that leave a rest": {
        "downsampling_rate": 8000,
        "frame_length_in_s": 0.025,
        "frame_step_in_s": 0.015,
        "upper_frequency": 4000,
    },
    "each window by itself": {
        "frame_step_in_s": 0.02,
        "nonlinearity": "cube_root",
        "normalization": "per_clip",
    },
    "a step longer than a stride": {"frame_step_in_s": 0.21},
}


def frontend(**parameters):
    return Candidate.from_parameters(parameters).frontend


def sound(seconds, rate, seed=0):
    """Return noise that gets louder and softer, int16."""
    rng = np.random.default_rng(seed)
    level = 10 ** np.interp(
        np.arange(seconds * rate),
        np.arange(0, seconds * rate, rate // 2),
        rng.uniform(1, 4, 2 * seconds),
    )
    return np.clip(rng.normal(0, level), -32768, 32767).astype(np.int16)


TC_RESNET = TCResNet(kernel_frames=3, streaming=True)


def windows(samples, params):
    sliding = np.lib.stride_tricks.sliding_window_view(samples, params.num_samples)
    return sliding[:: stride_of(params)]


@pytest.mark.parametrize("parameters", FRONTENDS.values(), ids=FRONTENDS)
def test_features_of_windows_are_those_of_the_deployed_front_end(parameters):
    params = frontend(**parameters)
    samples = sound(20, params.downsampling_rate)
    found = np.concatenate([*window_features(samples, params, stride_of(params))])
    expected = Model(convert_frontend(params)).run_each(to_float(windows(samples, params)))
    assert found.shape == expected.shape[:-1]
    np.testing.assert_allclose(found, expected[..., 0], atol=2e-4)


def test_a_front_end_without_frames_computes_each_window_as_deployed():
    params = Loudness(stretches=12)
    samples = sound(5, params.downsampling_rate)
    found = np.concatenate([*window_features(samples, params, stride_of(params))])
    expected = Model(convert_frontend(params)).run_each(to_float(windows(samples, params)))
    assert found.shape == (41, 12, 3)
    np.testing.assert_allclose(found, expected[..., 0], atol=1e-5)


def test_a_stride_is_about_a_tenth_of_a_second_of_whole_frame_steps():
    for step in (0.01, 0.02, 0.024, 0.032, 0.06, 0.3):
        params = frontend(frame_step_in_s=step)
        assert stride_of(params) % params.frame_step == 0
        assert stride_of(params) == pytest.approx(1600, abs=params.frame_step / 2 + 1) or step > 0.1


def test_a_stride_is_of_whole_steps_of_a_network_that_keeps_its_frames():
    params = frontend(frame_step_in_s=0.016)
    for network, steps in ((Temporal(), 6), (Temporal(streaming=True), 6), (TC_RESNET, 8)):
        architecture = network.architecture(params.shape, 2)
        stride = stride_of(params, architecture.step_frames)
        assert stride == steps * params.frame_step
        stepping = stepping_of(params, architecture)
        assert (stepping and stepping.frames) == (steps if network.streaming else None)


def test_a_stream_as_long_as_a_window_is_one_window():
    params = frontend()
    assert [len(part) for part in window_features(sound(1, 16000), params, 1600)] == [1]


def test_networks_run_on_each_window(lesson, variants):
    params, features = lesson.candidate.frontend, lesson.features
    stream = Stream(sound(12, 16000), 16000, ())
    models = {name: variants[name] for name in ("float32", "int8")}
    found = run_stream(stream, params, stride_of(params), features, models)
    deployed = convert_frontend(params, features.mean, features.deviation)
    inputs = Model(deployed).run_each(to_float(windows(stream.samples, params)))
    for name, content in models.items():
        expected = Model(content).run_each(inputs)
        assert found[name].shape == expected.shape
        np.testing.assert_allclose(found[name], expected, atol=1e-5 if name == "float32" else 0.02)
