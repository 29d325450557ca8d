import numpy as np
import pytest
import tf_keras

from sweep import registry
from sweep.candidate import Candidate
from sweep.errors import PluginError
from sweep.litert import Model
from sweep.networks.conversion import convert
from sweep.networks.keras import KerasNetwork, multiply_adds
from sweep.parameters import parameter
from sweep.stages.evaluate import evaluate

from ..stages.conftest import learn
from .architectures import EACH
from .keras_network import random_weights

L = tf_keras.layers


def build(
    shape: tuple[int, int],
    labels: int,
    width: int = parameter(16, low=1, high=64, meaning="channels"),
    drop: float = 0.1,
) -> tf_keras.Model:
    """Return a small network as somebody else would write it."""
    return tf_keras.Sequential(
        [
            L.Input(shape),
            L.Reshape((shape[0], 1, shape[1])),
            L.Conv2D(width, (3, 1), strides=(2, 1), use_bias=False),
            L.BatchNormalization(momentum=0.9),
            L.ReLU(),
            L.DepthwiseConv2D((9, 1), padding="same"),
            L.Conv2D(width, 1, activation="relu"),
            L.Dropout(drop),
            L.GlobalAveragePooling2D(),
            L.Dense(labels, activation="softmax"),
        ]
    )


@pytest.fixture(autouse=True)
def _named(monkeypatch):
    monkeypatch.setitem(registry._registered, ("network", "mine"), build)


def candidate(**parameters) -> Candidate:
    return Candidate.from_parameters({"network": "mine"} | parameters)


def test_its_arguments_with_defaults_are_its_parameters():
    assert candidate(width=8).network == KerasNetwork(build, (("width", 8),))
    assert candidate().parameters()["drop"] == 0.1
    assert candidate(width=16).key() == candidate().key() != candidate(width=8).key()
    assert (
        Candidate.from_parameters(candidate(width=8).parameters()).key() == candidate(width=8).key()
    )
    with pytest.raises(KeyError, match="depth"):
        candidate(depth=3)


def test_pruning_depthwise_kernels_changes_nothing():
    assert candidate(prune_depthwise=True).key() == candidate().key()


def test_its_counts_are_those_of_keras():
    architecture = candidate().network.architecture((49, 12), 2)
    model = build((49, 12), 2, width=16)
    assert architecture.parameters() == model.count_params()
    assert architecture.multiply_adds() == 24 * (3 * 12 * 16 + 9 * 16 + 16 * 16) + 16 * 2
    assert list(architecture.kernels().values()) == [
        (3, 1, 12, 16),
        (9, 1, 16, 1),
        (1, 1, 16, 16),
        (16, 2),
    ]


@EACH
def test_multiply_adds_counted_in_a_file_are_those_of_its_layers(architecture):
    content = convert(architecture, random_weights(architecture))
    assert multiply_adds(content) == architecture.multiply_adds()


def test_the_file_answers_as_the_model_does():
    architecture = candidate().network.architecture((49, 12), 3)
    weights = architecture.initial_weights(5)
    features = np.random.default_rng(0).standard_normal((6, 49, 12, 1)).astype(np.float32)
    answers = Model(convert(architecture, weights)).run_each(features)
    architecture.set_weights(architecture.model, weights)
    np.testing.assert_allclose(answers, architecture.model.predict(features, verbose=0), atol=1e-5)


def test_a_seed_begins_where_it_always_did():
    architecture = candidate().network.architecture((49, 12), 3)
    first, again, other = (architecture.initial_weights(seed) for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["000/kernel"], other["000/kernel"])


def test_it_learns_and_ends_as_sparse_as_was_asked(spoken):
    parameters = {"network": "mine", "normalization": "per_coefficient", "epochs": 25}
    lesson = learn(spoken, **parameters, final_sparsity=0.5)
    progress = lesson.trained.progress
    assert progress.accuracies[-1] >= 0.7
    assert progress.losses[-1] < progress.losses[0] / 4
    for name, kernel in lesson.trained.weights.items():
        if name in lesson.architecture.prunable(depthwise=False):
            assert np.mean(kernel == 0) == pytest.approx(0.5, abs=0.5 / kernel.size)
    assert np.all(lesson.trained.weights["005/depthwise_kernel"] != 0)


def test_the_same_seed_trains_the_same_model(spoken):
    parameters = {"network": "mine", "epochs": 2, "final_sparsity": 0.5}
    first, again, other = (learn(spoken, seed=seed, **parameters).trained for seed in (1, 1, 2))
    for name, values in first.weights.items():
        np.testing.assert_array_equal(again.weights[name], values)
    assert not np.array_equal(other.weights["000/kernel"], first.weights["000/kernel"])


def test_a_trial_of_it_is_gated_trained_compressed_and_measured(spoken):
    asked = candidate(epochs=8, normalization="per_clip", quantization=("float32", "int8"))
    evaluation, files = evaluate(asked, spoken, [])
    assert evaluation.outcome == "feasible", evaluation.reason
    assert set(files) == {"frontend.tflite", "model.tflite"}
    assert {v.quantization for v in evaluation.variants} == {"float32", "int8"}
    assert evaluation.variants[1]["size_kb"] < evaluation.variants[0]["size_kb"]
    assert evaluation.sparsity == pytest.approx(0.6, abs=0.15)


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (lambda labels: L.Dense(labels), "gives no probabilities; end it in a softmax"),
        (lambda labels: L.Dense(labels + 1, activation="softmax"), "not one value for each"),
        (lambda labels: L.Nope(), "AttributeError: module"),
    ],
)
def test_a_function_that_builds_no_such_model_is_told_with_its_line(last, message):
    def build(shape, labels):
        return tf_keras.Sequential([L.Input(shape), L.Flatten(), last(labels)])

    architecture = KerasNetwork(build).architecture((31, 10), 2)
    with pytest.raises(PluginError, match=message) as raised:
        architecture.parameters()
    assert "test_keras.py:" in str(raised.value)
