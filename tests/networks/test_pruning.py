import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.sparsity.keras.pruning_impl import Pruning

from sweep.networks.pruning import magnitude_mask, pruning_updates

from .architectures import EACH
from .keras_network import keras_network

sparsity = tfmot.sparsity.keras


@pytest.mark.parametrize("final", [0.7, 0.9, 0.35])
def test_masks_are_renewed_when_and_as_tfmot_would(final):
    steps = 800
    schedule = sparsity.PolynomialDecay(0.2, final, begin_step=160, end_step=steps)
    expected = {}
    for step in range(steps):
        due, wanted = schedule(step)
        if due:
            expected[step] = float(wanted)
    updates = pruning_updates(steps, final)
    assert updates.pop(steps) == final
    assert list(updates) == list(expected) == list(range(160, 800, 100))
    assert list(updates.values()) == pytest.approx(list(expected.values()))
    by_hand = [final + (0.2 - final) * (1 - (step - 160) / 640) ** 3 for step in updates]
    assert list(updates.values()) == pytest.approx(by_hand, abs=1e-6)


def test_short_trainings_renew_their_masks_several_times_too():
    updates = pruning_updates(50, 0.7)
    assert min(updates) == 10 and max(updates) == 50
    assert len(updates) >= 6
    assert list(updates.values()) == sorted(updates.values())


def test_a_sparsity_below_the_initial_one_is_not_exceeded():
    assert list(pruning_updates(800, 0.1).values()) == pytest.approx([0.1] * 8)


def test_without_sparsity_nothing_is_pruned():
    assert pruning_updates(800, 0.0) == {}


@pytest.mark.parametrize("final", [0.0, 0.2, 0.66, 0.7, 0.9, 0.999])
def test_masks_are_those_of_tfmot(final):
    rng = np.random.default_rng(0)
    schedule = sparsity.ConstantSparsity(final, begin_step=0)
    tool = Pruning(lambda: 0, [], schedule, (1, 1), "AVG")
    for shape in [(3, 3, 1, 16), (1, 1, 45, 45), (5, 3), (9, 5), (1, 1, 64, 64), (250, 1)]:
        kernel = rng.standard_normal(shape).astype(np.float32)
        _, mask = tool._update_mask(tf.constant(kernel))
        np.testing.assert_array_equal(magnitude_mask(kernel, final), mask)


@EACH
def test_the_kernels_pruned_are_those_tfmot_wraps(architecture):
    wrapped = sparsity.prune_low_magnitude(keras_network(architecture))
    names = {wrapper.layer.name for wrapper in wrapped.layers if _pruned(wrapper)}
    assert {name.replace("/", "_") for name in architecture.prunable(depthwise=False)} == names
    assert architecture.prunable(depthwise=True) == list(architecture.kernels())


def _pruned(wrapper: tf.Module) -> bool:
    return bool(getattr(wrapper, "pruning_vars", None))
