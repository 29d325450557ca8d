import subprocess
import sys

import numpy as np
import pytest
import soundfile

from sweep.arrays import to_float
from sweep.audio.clips import loudest_part, read_clip, read_whole, resample, to_int16

from .recordings import noise, tone, write

SECOND = 16000


def read(path):
    """Return one second at 16 kHz."""
    return read_clip(path, SECOND, SECOND)


def at_once(samples, original_rate, rate):
    return np.concatenate([*resample([samples.astype(np.float32)], original_rate, rate)])


def test_a_clip_of_one_second_is_read_as_it_is(tmp_path):
    samples = np.random.default_rng(0).integers(-32768, 32768, SECOND).astype(np.int16)
    clip = read(write(tmp_path / "clip.flac", samples))
    assert clip.dtype == np.int16 and np.array_equal(clip, samples)
    assert np.array_equal(to_int16(to_float(clip)), samples)


def test_a_short_clip_is_padded_with_zeros_at_its_end(tmp_path):
    clip = read(write(tmp_path / "clip.wav", tone(0.25)))
    assert clip.shape == (SECOND,)
    assert np.any(clip[:4000]) and not np.any(clip[4000:])


def test_a_long_clip_is_cut_to_its_loudest_second(tmp_path):
    quiet, loud = np.full(20000, 0.01), np.sign(tone(1.0) + 1e-9) / 2
    samples = np.concatenate((quiet, loud, quiet))
    clip = read(write(tmp_path / "clip.wav", samples))
    assert np.allclose(to_float(clip), loud, atol=1e-4)


@pytest.mark.parametrize("blocks", [1, 2, 7])
def test_the_loudest_part_is_the_one_that_trying_all_finds(blocks):
    rng = np.random.default_rng(1)
    for _ in range(20):
        samples = rng.standard_normal(rng.integers(50, 190)).astype(np.float32)
        energies = [np.sum(samples[i : i + 50] ** 2) for i in range(len(samples) - 49)]
        start = int(np.argmax(energies))
        found = loudest_part(np.array_split(samples, blocks), 50)
        assert np.array_equal(found, samples[start : start + 50])


def test_a_long_recording_is_held_in_part_only(tmp_path):
    path = write(tmp_path / "clip.wav", np.concatenate((noise(30, 0.01), tone(1), noise(30, 0.01))))
    code = (
        "import resource, sys; from sweep.audio.clips import read_clip\n"
        "read_clip(sys.argv[1], 8000, 8000)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "clip = read_clip(sys.argv[2], 8000, 8000)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, abs(clip).mean())"
    )
    long = tmp_path / "long.wav"
    with soundfile.SoundFile(long, "w", SECOND, 2, subtype="FLOAT") as file:
        for part in [noise(60, 0.01, channels=2)] * 5 + [np.stack((tone(1),) * 2, 1)]:
            file.write(part)
    command = [sys.executable, "-c", code, str(path), str(long)]
    grown_kb, level = map(float, subprocess.check_output(command, text=True).split())
    # 301 seconds of two channels are 38 MB.
    assert grown_kb < 4000
    assert level == pytest.approx(0.5 * 32768 * 2 / np.pi, rel=0.02)


@pytest.mark.parametrize("original_rate", [8000, 11025, 22050, 44100, 48000])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_resampling_keeps_length_and_pitch(original_rate, rate):
    samples = tone(1.0, 1000.0, original_rate)
    changed = at_once(samples, original_rate, rate)
    assert changed.dtype == np.float32
    assert abs(len(changed) - len(samples) * rate / original_rate) <= 1
    spectrum = np.abs(np.fft.rfft(changed, rate))
    assert int(np.argmax(spectrum)) == 1000
    middle = slice(len(changed) // 4, -len(changed) // 4)
    assert np.allclose(changed[middle], tone(1.0, 1000.0, rate)[: len(changed)][middle], atol=1e-3)


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_resampling_block_by_block_is_resampling_at_once(rate):
    samples = noise(3).astype(np.float32)
    blocks = np.concatenate([*resample(np.array_split(samples, 9), SECOND, rate)])
    assert np.array_equal(blocks, at_once(samples, SECOND, rate))


def test_what_the_lower_rate_cannot_hold_is_filtered_away():
    changed = at_once(tone(1.0, 6000.0), 16000, 8000)
    assert np.max(np.abs(changed[500:-500])) < 1e-3


def test_channels_are_averaged(tmp_path):
    left, right = tone(1.0, 300.0), tone(1.0, 500.0)
    path = write(tmp_path / "clip.wav", np.stack((left, right), axis=1))
    assert np.allclose(to_float(read(path)), (left + right) / 2, atol=1e-4)
    assert np.allclose(read_whole(path, SECOND), (left + right) / 2, atol=1e-4)


def test_sixteen_bit_samples_are_rounded_and_clipped():
    samples = np.array([0.6, -0.6, 0.4, 1.5 * 32768, -1.5 * 32768]) / 32768
    assert to_int16(samples).tolist() == [1, -1, 0, 32767, -32768]
