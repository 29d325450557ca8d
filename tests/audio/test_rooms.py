"""Rooms, against the images counted one by one, and against what reverberation time means."""

from itertools import product

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from sweep.audio.rooms import impulse_response, random_room

RATE = 16000
ROOM, SOURCE, MICROPHONE = np.array([4.0, 3.0, 2.5]), np.array([1.0, 1, 1]), np.array([3.0, 2, 1.2])


def reflected_by_all(reverberation_in_s: float) -> float:
    """Return the share of pressure that Eyring's formula leaves at a wall."""
    surface = 2 * (4 * 3 + 4 * 2.5 + 3 * 2.5)
    lost = 1 - np.exp(-0.16112 * np.prod(ROOM) / (surface * reverberation_in_s))
    return np.sqrt(1 - lost)


def test_it_is_that_of_images_counted_one_by_one():
    expected, reflected = np.zeros(RATE), reflected_by_all(0.2)
    direct = np.linalg.norm(SOURCE - MICROPHONE)
    for turns in product(range(-15, 16), repeat=3):
        for mirrored in product((0, 1), repeat=3):
            image = [
                2 * n * length + (1 - 2 * m) * s
                for n, length, m, s in zip(turns, ROOM, mirrored, SOURCE)
            ]
            walls = sum(abs(n) + abs(n - m) for n, m in zip(turns, mirrored))
            distance = np.linalg.norm(image - MICROPHONE)
            sample = round((distance - direct) * RATE / 343)
            if sample < 0.2 * RATE:
                expected[sample] += reflected**walls * direct / distance
    found = impulse_response(ROOM, SOURCE, MICROPHONE, 0.2, RATE)
    filtered = sosfilt(butter(2, 100, "highpass", fs=RATE, output="sos"), expected)
    np.testing.assert_allclose(found, filtered[: len(found)] / filtered[0], atol=2e-3)


@pytest.mark.parametrize("seconds", [0.15, 0.4, 0.8])
def test_energy_falls_by_60_db_in_the_reverberation_time(seconds):
    found = impulse_response(ROOM, SOURCE, MICROPHONE, seconds, RATE).astype(np.float64)
    left_db = 10 * np.log10(np.cumsum(found[::-1] ** 2)[::-1] / np.sum(found**2))
    times = np.arange(len(found)) / RATE
    falling = (left_db < -5) & (left_db > -25)
    slope = np.polyfit(times[falling], left_db[falling], 1)[0]
    assert -60 / slope == pytest.approx(seconds, rel=0.3)


def test_random_rooms_differ_and_begin_with_the_direct_sound():
    rng = np.random.default_rng(1)
    rooms = [random_room(0.6, RATE, rng) for _ in range(8)]
    assert all(room[0] == 1 and room.dtype == np.float32 for room in rooms)
    lengths = [len(room) / RATE for room in rooms]
    assert 0.08 < min(lengths) < max(lengths) <= 0.6 and len(set(lengths)) == 8
