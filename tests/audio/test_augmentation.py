from dataclasses import replace

import numpy as np
import pytest

from sweep.audio import augmentation
from sweep.candidate import AugmentationParams

RATE = 8000
EMPTY = np.zeros(0, np.float32)


def tones(clips: int = 40) -> np.ndarray:
    """Clips of a tone each, int16."""
    time = np.arange(RATE) / RATE
    frequencies = 200.0 + 10 * np.arange(clips)[:, None]
    return (8000 * np.sin(2 * np.pi * frequencies * time)).astype(np.int16)


def render(*args, **named) -> np.ndarray:
    """Return the copies of all clips in one array."""
    return np.concatenate([*augmentation.render(*args, **named)])


def rms(waveforms: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(np.square(waveforms, dtype=np.float64), axis=1))


def test_nothing_to_vary_leaves_clips_as_they_are():
    clips = tones()
    varied = render(clips, EMPTY, AugmentationParams(), RATE, seed=1)
    assert varied.dtype == np.float32
    np.testing.assert_array_equal(varied, clips.astype(np.float32) / 32768)


def test_equal_seeds_give_equal_copies_and_others_do_not():
    params = AugmentationParams(time_shift_ms=50, noise_snr_db=5, gain_db=6)
    once, again, other = (render(tones(), EMPTY, params, RATE, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)


@pytest.mark.parametrize("at_once", [1, 7, 40, 1000])
def test_copies_do_not_depend_on_how_many_are_made_at_once(at_once):
    background = np.sin(np.arange(3 * RATE), dtype=np.float32)
    params = AugmentationParams(time_shift_ms=50, noise_snr_db=5, gain_db=6)
    made = list(augmentation.render(tones(), background, params, RATE, 1, at_once))
    assert max(map(len, made)) == min(at_once, 40)
    expected = render(tones(), background, params, RATE, 1)
    np.testing.assert_array_equal(np.concatenate(made), expected)


def test_every_clip_is_shifted_by_whole_samples_and_silence_moves_in():
    clips, most = tones(), RATE // 10
    varied = render(clips, EMPTY, AugmentationParams(time_shift_ms=100), RATE, seed=3)
    shifts = []
    for clip, copy in zip(clips.astype(np.float32) / 32768, varied, strict=True):
        padded = np.pad(clip, most)
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(clip))
        found = [most - i for i in np.flatnonzero((windows == copy).all(axis=1))]
        assert len(found) == 1
        shifts += found
    assert max(map(abs, shifts)) <= most
    assert min(shifts) < 0 < max(shifts)
    assert len(set(shifts)) > 20


def test_gain_makes_clips_louder_and_softer_within_its_range():
    clips = tones(200)
    varied = render(clips, EMPTY, AugmentationParams(gain_db=6), RATE, seed=3)
    gains_db = 20 * np.log10(rms(varied) / rms(clips.astype(np.float32) / 32768))
    assert -6.001 <= gains_db.min() < -4
    assert 4 < gains_db.max() <= 6.001


@pytest.mark.parametrize("noise", [EMPTY, np.sin(np.arange(3 * RATE), dtype=np.float32)])
def test_noise_is_mixed_at_the_ratio_asked_for_and_up_to_30_db_above(noise):
    clips = tones(300)
    clean = clips.astype(np.float32) / 32768
    varied = render(clips, noise, AugmentationParams(noise_snr_db=5), RATE, seed=3)
    snr_db = 20 * np.log10(rms(clean) / rms(varied - clean))
    assert 4.9 <= snr_db.min() < 8
    assert 32 < snr_db.max() <= 35.1


def test_half_of_the_noise_is_from_the_background_recordings():
    clips = tones(300)
    background = np.sign(np.sin(np.arange(3 * RATE) / 40)).astype(np.float32)
    varied = render(clips, background, AugmentationParams(noise_snr_db=5), RATE, seed=3)
    added = varied - clips.astype(np.float32) / 32768
    crest = np.abs(added).max(axis=1) / rms(added)  # 1 for a square wave, about 4 for white noise
    assert 0.35 < np.mean(crest < 1.5) < 0.65
    assert np.all((crest < 1.5) | (crest > 3))


def test_background_shorter_than_a_clip_is_left_out():
    short = np.ones(RATE, np.float32)
    params = AugmentationParams(noise_snr_db=5)
    np.testing.assert_array_equal(
        render(tones(), short, params, RATE, 1), render(tones(), EMPTY, params, RATE, 1)
    )


def test_a_silent_clip_stays_silent():
    params = AugmentationParams(time_shift_ms=50, noise_snr_db=-5, gain_db=6)
    varied = render(np.zeros((3, RATE), np.int16), EMPTY, params, RATE, seed=1)
    assert not varied.any()


def test_silent_background_is_no_trouble():
    varied = render(tones(), np.zeros(3 * RATE, np.float32), AugmentationParams(0, 5), RATE, 1)
    assert np.isfinite(varied).all()


def test_loud_copies_are_clipped():
    clips = np.full((20, RATE), 32767, np.int16)
    varied = render(clips, EMPTY, AugmentationParams(gain_db=20), RATE, seed=1)
    assert varied.max() == 1.0
    assert np.abs(varied).max() <= 1.0


def test_speed_makes_tones_higher_and_lower_within_its_range():
    clips = tones(60)
    varied = render(clips, EMPTY, AugmentationParams(speed=0.2), RATE, seed=3)
    before, after = (
        np.abs(np.fft.rfft(one[:, 2000:6000])).argmax(axis=1) for one in (clips, varied)
    )
    ratios = after / before
    assert 0.79 <= ratios.min() < 0.85 and 1.15 < ratios.max() <= 1.21
    assert rms(varied[:, 3000:5000]) == pytest.approx(rms(clips[:, 3000:5000] / 32768), rel=0.02)


@pytest.mark.parametrize("speed", [0.7, 0.93, 1.0, 1.4])
def test_the_middle_of_a_clip_stays_where_it_is_at_any_speed(speed):
    clip = np.zeros(RATE, np.int16)
    clip[3990:4010] = 10_000
    changed = augmentation.at_speed(clip, speed)
    assert len(changed) == RATE
    assert abs(np.abs(changed).argmax() - 4000) <= 25


def test_half_of_the_clips_are_put_in_rooms_and_are_as_loud_as_before():
    clips = np.zeros((200, RATE), np.int16)
    clips[:, 1000:2000] = tones(200)[:, 1000:2000]
    clean = clips.astype(np.float32) / 32768
    varied = render(clips, EMPTY, AugmentationParams(reverberation_s=0.5), RATE, seed=3)
    in_room = (varied != clean).any(axis=1)
    assert 70 < in_room.sum() < 130
    assert rms(varied) == pytest.approx(rms(clean), rel=0.01)
    assert np.abs(varied[:, :999]).max() < 1e-6  # nothing is heard before it is said
    echoes = rms(varied[in_room, 2000:3000])
    assert echoes.min() > 0.003 and not varied[~in_room, 2000:].any()


def test_what_is_not_varied_changes_no_draw_of_what_is():
    params = AugmentationParams(time_shift_ms=50, noise_snr_db=5, gain_db=6)
    plain = render(tones(), EMPTY, params, RATE, seed=1)
    roomy = render(tones(), EMPTY, replace(params, reverberation_s=0.3), RATE, seed=1)
    same = (plain == roomy).all(axis=1)
    assert 8 < same.sum() < 32
