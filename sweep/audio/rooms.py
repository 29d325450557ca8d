"""Impulse responses of rooms, by image sources (Allen and Berkley, "Image method for efficiently
simulating small-room acoustics", 1979)."""

import numpy as np
from scipy.signal import butter, sosfilt

SHORTEST_IN_S = 0.1
"""A reverberation is this long at least: that of a room full of cushions."""

_SPEED_OF_SOUND = 343.0
_LEAST_M, _MOST_M = np.array([2.5, 2.5, 2.2]), np.array([8.0, 6.0, 3.5])
_FROM_WALLS_M = 0.3
_SABINE = 24 * np.log(10) / _SPEED_OF_SOUND
_LOWEST_HZ = 100.0
"""Below it the many late images, all of one sign, would add up to a rumble, as no room has."""


def impulse_response(
    room_m: np.ndarray,
    source_m: np.ndarray,
    microphone_m: np.ndarray,
    reverberation_in_s: float,
    rate: int,
) -> np.ndarray:
    """Return what a microphone in a box-shaped room gets of an impulse.

    All walls reflect the same share of sound, by Eyring's formula that which makes the energy fall
    by 60 dB in the reverberation time; sound that comes later is left out.

    Args:
        room_m: length, width and height of the room, in m.
        source_m, microphone_m: where they are, from a corner, in m.
        reverberation_in_s: the reverberation time, T60.
        rate: sampling rate in Hz.

    Returns:
        float32 ``[samples]``, which begins with the direct sound, an impulse of 1; above 100 Hz.
    """
    volume = float(np.prod(room_m))
    surface = 2 * volume * float(np.sum(1 / room_m))
    reflected = np.exp(-_SABINE * volume / (surface * reverberation_in_s) / 2)
    farthest = _SPEED_OF_SOUND * reverberation_in_s
    distances, walls = np.zeros((1, 1, 1)), np.zeros((1, 1, 1), np.int64)
    for axis in range(3):
        along, met = _images(room_m[axis], source_m[axis], microphone_m[axis], farthest)
        shape = [1, 1, 1]
        shape[axis] = -1
        distances = distances + along.reshape(shape) ** 2
        walls = walls + met.reshape(shape)
    direct = float(np.linalg.norm(source_m - microphone_m))
    distances = np.sqrt(distances)
    samples = np.rint((distances - direct) * rate / _SPEED_OF_SOUND).astype(np.int64)
    kept = samples < round(reverberation_in_s * rate)
    levels = reflected ** walls[kept] * direct / distances[kept]
    response = np.bincount(samples[kept], levels)
    high_pass = butter(2, _LOWEST_HZ, "highpass", fs=rate, output="sos")
    filtered = sosfilt(high_pass, response)
    return (filtered / filtered[0]).astype(np.float32)


def random_room(longest_in_s: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return the impulse response of a room as people live and work in, of random size.

    Its reverberation lasts from 0.1 s to ``longest_in_s``; source and microphone are anywhere in
    it, 0.3 m from walls at least.
    """
    room = rng.uniform(_LEAST_M, _MOST_M)
    source, microphone = rng.uniform(_FROM_WALLS_M, room - _FROM_WALLS_M, (2, 3))
    reverberation = rng.uniform(SHORTEST_IN_S, max(longest_in_s, SHORTEST_IN_S))
    return impulse_response(room, source, microphone, reverberation, rate)


def _images(
    length: float, source: float, microphone: float, farthest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far images of the source are along an axis, and how many walls each has met."""
    most = int(np.ceil(farthest / (2 * length))) + 1
    turns = np.arange(-most, most + 1)
    straight, mirrored = 2 * turns * length + source, 2 * turns * length - source
    along = np.concatenate([straight, mirrored]) - microphone
    met = np.concatenate([np.abs(2 * turns), np.abs(2 * turns - 1)])
    return along, met
