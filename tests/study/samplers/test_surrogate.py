import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sweep.study.samplers import surrogate
from sweep.study.samplers.surrogate import Cube, GaussianProcess, likeliest

SPACE = {
    "alpha": FloatDistribution(0.01, 1.0, log=True),
    "blocks": IntDistribution(2, 4),
    "epochs": CategoricalDistribution([30, 120, 60]),
    "features": CategoricalDistribution(["mfcc", "log_mel"]),
    "noise": CategoricalDistribution([None, 5]),
}


def test_numbers_go_from_0_to_1_and_words_lie_at_equal_distances():
    first = {"alpha": 0.1, "blocks": 2, "epochs": 60, "features": "mfcc", "noise": None}
    second = {"alpha": 1.0, "blocks": 3, "epochs": 120, "features": "log_mel", "noise": 5}
    coordinates = Cube(SPACE).encode([first, second])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(coordinates[0], [0.5, 0, 0.5, half, 0, half, 0], atol=1e-12)
    np.testing.assert_allclose(coordinates[1], [1, 0.5, 1, 0, half, 0, half], atol=1e-12)
    words = coordinates[:, 3:5]
    assert np.linalg.norm(words[0] - words[1]) == pytest.approx(1)


def test_a_space_in_which_nothing_varies_has_no_coordinates():
    assert Cube({}).encode([{}, {}]).shape == (2, 0)


def fake_data(count: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((count, 2))
    return x, np.sin(4 * x[:, 0]) + x[:, 1] + noise * rng.standard_normal(count)


def learnt(x: np.ndarray, y: np.ndarray) -> GaussianProcess:
    return GaussianProcess(x, y, likeliest(x, y, 2))


def test_predictions_are_those_of_the_textbook():
    x, y = fake_data(25, noise=0.1)
    process, new = learnt(x, y), np.random.default_rng(1).random((7, 2))
    ys = (y - y.mean()) / y.std()

    def kernel(a, b):
        distances = np.linalg.norm(a[:, None] - b[None], axis=2)
        return np.exp(-0.5 * (distances / process.fit.settings.length) ** 2)

    inverse = np.linalg.inv(kernel(x, x) + process.fit.settings.noise**2 * np.eye(25))
    variance = ys @ inverse @ ys / 25
    means = y.mean() + y.std() * kernel(new, x) @ inverse @ ys
    explained = np.einsum("ij,jk,ik->i", kernel(new, x), inverse, kernel(new, x))
    deviations = y.std() * np.sqrt(variance * (1 - explained))
    found = process.predict(new)
    np.testing.assert_allclose(found[0], means, rtol=1e-6)
    np.testing.assert_allclose(found[1], deviations, rtol=1e-6)
    np.testing.assert_array_equal(process.expect(new), found[0])


def test_a_smooth_function_is_learnt():
    process = learnt(*fake_data(60))
    new, truth = np.random.default_rng(2).random((200, 2)), None
    truth = np.sin(4 * new[:, 0]) + new[:, 1]
    assert np.abs(process.predict(new)[0] - truth).max() < 0.1
    assert process.fit.settings.noise == min(surrogate._NOISES)


def test_noise_is_known_for_what_it_is():
    x, y = fake_data(200, noise=0.5)
    process = learnt(x, y)
    assert process.fit.settings.noise > min(surrogate._NOISES)
    means, deviations = process.predict(x)
    truth = np.sin(4 * x[:, 0]) + x[:, 1]
    assert np.std(y - truth) > 0.4
    assert np.sqrt(np.mean((means - truth) ** 2)) < 0.2
    assert 0.02 < deviations.mean() < 0.2


def test_far_from_all_data_less_is_known():
    process = learnt(*fake_data(30))
    near, far = process.predict(np.array([[0.5, 0.5], [9.0, 9.0]]))[1]
    assert far > 3 * near


def test_of_many_trials_the_oldest_are_learnt_from_too():
    x, y = fake_data(400)
    higher = y.copy()
    higher[:100] += 1
    gained = learnt(x, higher).predict(x[:5])[0] - learnt(x, y).predict(x[:5])[0]
    assert (gained > 0).all()


@pytest.mark.parametrize("y", [np.zeros(3), np.array([2.0, 2.0, 2.0])])
def test_trials_that_all_measure_the_same_are_no_trouble(y):
    mean, deviation = learnt(np.random.default_rng(0).random((3, 2)), y).predict(np.zeros((1, 2)))
    assert mean[0] == pytest.approx(y[0])
    assert np.isfinite(deviation[0])
