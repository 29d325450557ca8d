import math

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

from sweep.candidate import Candidate, TrainingParams
from sweep.networks import graph
from sweep.stages import training
from sweep.stages.training import learning_rates

from ..memory import resident_mb
from ..networks.keras_network import keras_network, load_weights
from .conftest import LONG, SMALL, learn

sparsity = tfmot.sparsity.keras


def test_training_ends_as_sparse_as_with_tfmot_itself(spoken):
    parameters = {"alpha": 0.25, "final_sparsity": 0.7, "epochs": 6, "batch_size": 8}
    lesson = learn(spoken, **parameters)
    by_tfmot = trained_by_tfmot(lesson, spoken.targets("training"))
    kernels = lesson.architecture.kernels()
    ours = {name: zeros(lesson.trained.weights[name]) for name in kernels}
    assert ours == {name: zeros(by_tfmot[name]) for name in kernels}
    assert ours["block_1/depthwise"] == ours["block_2/depthwise"] == 0
    assert ours["block_1/kernel"] == round(0.7 * 32 * 32)


def trained_by_tfmot(lesson, targets: np.ndarray) -> dict[str, np.ndarray]:
    """Train the same network as the report did, its masks renewed at every step."""
    clips, params = lesson.features.training[0][..., None], lesson.candidate.training
    steps = math.ceil(len(clips) / params.batch_size) * params.epochs
    schedule = sparsity.PolynomialDecay(0.2, 0.7, int(0.2 * steps), steps, frequency=1)
    keras = keras_network(lesson.architecture)
    load_weights(keras, lesson.architecture, lesson.architecture.initial_weights(seed=0))
    wrapped = sparsity.prune_low_magnitude(keras, pruning_schedule=schedule)
    wrapped.compile(
        tf_keras.optimizers.Adam(0.01),
        tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    update = sparsity.UpdatePruningStep()
    wrapped.fit(clips, targets, params.batch_size, params.epochs, verbose=0, callbacks=[update])
    stripped, weights = sparsity.strip_pruning(wrapped), {}
    for name in lesson.architecture.kernels():
        weights[name] = stripped.get_layer(name.replace("/", "_")).get_weights()[0]
    return weights


def zeros(kernel: np.ndarray) -> int:
    return int(np.sum(kernel == 0))


def test_depthwise_kernels_are_pruned_when_asked(spoken):
    lesson = learn(spoken, alpha=0.25, final_sparsity=0.7, epochs=2, prune_depthwise=True)
    for name in lesson.architecture.kernels():
        kernel = lesson.trained.weights[name]
        assert zeros(kernel) == round(0.7 * kernel.size)


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_learning_rates_fall_as_those_of_keras(decay):
    params = TrainingParams(learning_rate_decay=decay)
    first, last = params.initial_learning_rate, params.end_learning_rate
    schedules = tf_keras.optimizers.schedules
    schedule = {
        "linear": schedules.PolynomialDecay(first, 800, last),
        "cosine": schedules.CosineDecay(first, 800, last / first),
    }[decay]
    rates = learning_rates(params, 800)
    assert rates[0] == pytest.approx(first)
    assert last < rates[-1] < last + 2e-5
    np.testing.assert_allclose(rates, [float(schedule(i)) for i in range(800)], rtol=1e-3)


def test_the_spoken_words_are_learnt(lesson):
    progress = lesson.trained.progress
    assert progress.epochs == len(progress.losses) == len(progress.accuracies) == 60
    assert progress.accuracies[-1] >= 0.9
    assert progress.losses[-1] < 0.1 < progress.losses[0]
    assert lesson.trained.stopped == ""


def test_accuracy_is_that_of_the_weights_returned(lesson):
    keras = keras_network(lesson.architecture)
    load_weights(keras, lesson.architecture, lesson.trained.weights)
    features, targets = lesson.validation
    heard = keras(features[..., None], training=False).numpy().argmax(axis=1)
    assert np.mean(heard == targets) == lesson.trained.progress.accuracies[-1]


def test_a_few_steps_are_enough_for_the_norms_to_know_their_data(spoken):
    lesson = learn(spoken, **(SMALL | {"epochs": 12}))
    tensors = {name: tf.constant(values) for name, values in lesson.trained.weights.items()}
    clips = lesson.features.training[0][..., None]
    _, seen = lesson.architecture.forward_training(tensors, clips)
    variances = [name for name in tensors if name.endswith("/variance")]
    far = np.concatenate([np.abs(np.log(tensors[name] / seen[name])) for name in variances])
    assert np.median(far) < 0.3
    assert lesson.trained.progress.accuracies[-1] >= 0.85


def test_the_same_seed_trains_the_same_network_whatever_the_graph_did_before(spoken):
    quick = SMALL | {"epochs": 2, "mixup": 0.3, "time_shift_ms": 50}
    first = learn(spoken, seed=1, **quick).trained
    kept = {name: values.copy() for name, values in first.weights.items()}
    other = learn(spoken, seed=2, **quick).trained
    again = learn(spoken, seed=1, **quick).trained
    graph._graph.cache_clear()
    fresh = learn(spoken, seed=1, **quick).trained
    for name, values in kept.items():
        np.testing.assert_array_equal(first.weights[name], values)
        np.testing.assert_array_equal(again.weights[name], values)
        np.testing.assert_array_equal(fresh.weights[name], values)
    assert again.progress == fresh.progress == first.progress
    assert not np.array_equal(other.weights["stem/kernel"], kept["stem/kernel"])


def test_smoothed_labels_leave_a_loss_that_no_network_can_avoid(spoken):
    lesson = learn(spoken, **SMALL, **LONG, label_smoothing=0.2)
    least = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    assert least < lesson.trained.progress.losses[-1] < least + 0.1


def test_balanced_labels_weigh_the_same_together():
    targets = np.repeat([0, 1, 2], [5, 45, 50])
    weights = training.class_weights(targets, 3)
    totals = np.bincount(targets) * weights
    np.testing.assert_allclose(totals, len(targets) / 3, rtol=1e-6)
    assert weights[targets].mean() == pytest.approx(1)


def test_a_rare_word_is_recognised_more_often_with_balanced_weights(lesson, spoken):
    targets, (features, truth) = spoken.targets("training"), lesson.validation
    kept = np.concatenate([np.flatnonzero(targets == 0)[::12], np.flatnonzero(targets == 1)])
    recalls = []
    for weight in ("none", "balanced"):
        quick = {"epochs": 6, "initial_learning_rate": 0.002, "class_weight": weight}
        trained = training.train(
            Candidate.from_parameters(SMALL | quick),
            lesson.architecture,
            lesson.features.training[:, kept],
            targets[kept],
            (features[truth == 0], truth[truth == 0]),
        )
        recalls.append(trained.progress.accuracies[-1])
    assert recalls[1] > recalls[0]


def test_mixed_clips_are_learnt_too(spoken):
    progress = learn(spoken, **SMALL, **LONG, mixup=0.3).trained.progress
    assert np.isfinite(progress.losses).all()
    assert progress.accuracies[-1] >= 0.9


def test_every_rendering_of_a_clip_has_its_turn(lesson):
    rng = np.random.default_rng(0)
    drawn = training._draw_batches(rng, (8, 96), 5, 20)
    assert drawn.shape == (5, 20, 2)
    assert set(drawn[..., 0].ravel()) == set(range(8))
    assert set(drawn[..., 1].ravel()) == set(range(96))


def test_training_stops_when_told_why(spoken):
    asked = []

    def stop(progress):
        asked.append(len(progress.losses))
        return "enough" if len(progress.losses) == 3 else ""

    trained = learn(spoken, stop=stop, **(SMALL | {"epochs": 9})).trained
    assert trained.stopped == "enough"
    assert asked == [1, 2, 3]
    assert len(trained.progress.accuracies) == 3


def test_nobody_is_asked_after_the_last_epoch(spoken):
    quick = SMALL | {"epochs": 2}
    trained = learn(spoken, stop=lambda progress: "x" * (len(progress.losses) == 2), **quick)
    assert trained.trained.stopped == ""


@pytest.mark.parametrize("most", [1, 5 * 20 * 31 * 10 * 4])
def test_batches_gathered_in_parts_train_the_same_network(spoken, monkeypatch, most):
    quick = SMALL | {"epochs": 2, "mixup": 0.3, "time_shift_ms": 50, "final_sparsity": 0.7}
    whole = learn(spoken, **quick).trained
    monkeypatch.setattr(training, "_GATHERED_BYTES", most)
    parted = learn(spoken, **quick).trained
    for name, values in whole.weights.items():
        np.testing.assert_array_equal(parted.weights[name], values)


def test_features_on_disk_take_no_memory(tmp_path):
    quick = SMALL | {"alpha": 0.05, "epochs": 1, "batch_size": 400}
    candidate = Candidate.from_parameters(quick)
    architecture = candidate.network.architecture((31, 10), 2)
    np.save(tmp_path / "features.npy", np.ones((2, 40_000, 31, 10), np.float32))
    features = np.load(tmp_path / "features.npy", mmap_mode="r")
    targets = np.zeros(40_000, np.int64)
    few = (np.ones((1, 31, 10), np.float32), targets[:1])
    training.train(candidate, architecture, few[0][None], few[1], few)
    before = resident_mb()
    training.train(candidate, architecture, features, targets, few)
    assert resident_mb() - before < 50 < features.nbytes / 2**20


def test_a_batch_larger_than_the_data_is_filled_up(spoken):
    trained = learn(spoken, **(SMALL | {"epochs": 1, "batch_size": 200})).trained
    assert np.isfinite(trained.progress.losses).all()


@pytest.mark.parametrize("convolution", ["depthwise_separable", "temporal", "standard"])
def test_a_narrow_network_learns_the_same_in_a_wider_graph(spoken, monkeypatch, convolution):
    ten = SMALL | {"filters": 10, "alpha": 1.0, "epochs": 1, "network": convolution}
    wide = learn(spoken, **ten).trained
    monkeypatch.setattr(graph, "_LANES", 1)
    exact = learn(spoken, **ten).trained
    assert wide.weights.keys() == exact.weights.keys()
    for name, values in exact.weights.items():
        assert wide.weights[name].shape == values.shape
        np.testing.assert_allclose(wide.weights[name], values, atol=5e-3, err_msg=name)
    np.testing.assert_allclose(wide.progress.losses, exact.progress.losses, rtol=1e-3)
