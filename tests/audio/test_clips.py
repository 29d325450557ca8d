import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile

from sweep.audio.clips import decode, fit_to_length, read_clip, resample, to_int16
from sweep.errors import DataError

from .recordings import tone, write


def test_a_clip_of_one_second_is_read_as_it_is(tmp_path):
    samples = np.random.default_rng(0).integers(-32768, 32768, 16000).astype(np.int16)
    clip = read_clip(write(tmp_path / "clip.flac", samples), 16000)
    assert clip.dtype == np.float32 and clip.shape == (16000,)
    assert np.array_equal(clip * 32768, samples)
    assert np.array_equal(to_int16(clip), samples)


def test_a_short_clip_is_padded_with_zeros_at_its_end(tmp_path):
    clip = read_clip(write(tmp_path / "clip.wav", tone(0.25)), 16000)
    assert clip.shape == (16000,)
    assert np.any(clip[:4000]) and not np.any(clip[4000:])


def test_a_long_clip_is_cut_to_its_loudest_second(tmp_path):
    quiet, loud = np.full(20000, 0.01), np.sign(tone(1.0) + 1e-9) / 2
    samples = np.concatenate((quiet, loud, quiet))
    clip = read_clip(write(tmp_path / "clip.wav", samples), 16000)
    assert np.allclose(clip, loud, atol=1e-4)


def test_the_loudest_window_is_the_one_that_trying_all_finds():
    rng = np.random.default_rng(1)
    for _ in range(20):
        samples = rng.standard_normal(rng.integers(50, 90)).astype(np.float32)
        energies = [np.sum(samples[i : i + 50] ** 2) for i in range(len(samples) - 49)]
        start = int(np.argmax(energies))
        assert np.array_equal(fit_to_length(samples, 50), samples[start : start + 50])


@pytest.mark.parametrize("original_rate", [8000, 11025, 22050, 44100, 48000])
@pytest.mark.parametrize("rate", [8000, 16000])
def test_resampling_keeps_length_and_pitch(original_rate, rate):
    samples = tone(1.0, 1000.0, original_rate).astype(np.float32)
    changed = resample(samples, original_rate, rate)
    assert changed.dtype == np.float32
    assert abs(len(changed) - len(samples) * rate / original_rate) <= 1
    spectrum = np.abs(np.fft.rfft(changed, rate))
    assert int(np.argmax(spectrum)) == 1000
    middle = slice(len(changed) // 4, -len(changed) // 4)
    assert np.allclose(changed[middle], tone(1.0, 1000.0, rate)[: len(changed)][middle], atol=1e-3)


def test_what_the_lower_rate_cannot_hold_is_filtered_away():
    changed = resample(tone(1.0, 6000.0).astype(np.float32), 16000, 8000)
    assert np.max(np.abs(changed[500:-500])) < 1e-3


def test_channels_are_averaged(tmp_path):
    left, right = tone(1.0, 300.0), tone(1.0, 500.0)
    mono, rate = decode(write(tmp_path / "clip.wav", np.stack((left, right), axis=1)))
    assert rate == 16000 and mono.shape == (16000,)
    assert np.allclose(mono, (left + right) / 2, atol=1e-4)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_every_known_kind_of_file_is_read(tmp_path, kind):
    path = tmp_path / f"clip.{kind}"
    soundfile.write(path, tone(), 16000)
    assert np.corrcoef(read_clip(path, 16000), tone())[0, 1] > 0.99


def test_sixteen_bit_samples_are_rounded_and_clipped():
    samples = np.array([0.6, -0.6, 0.4, 1.5 * 32768, -1.5 * 32768]) / 32768
    assert to_int16(samples).tolist() == [1, -1, 0, 32767, -32768]


def test_a_file_of_no_samples_is_named(tmp_path):
    path = write(tmp_path / "empty.wav", np.zeros(0))
    with pytest.raises(DataError, match=r"empty\.wav: holds no samples"):
        read_clip(path, 16000)


def test_a_file_of_no_bytes_is_named(tmp_path):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(DataError, match=r"empty\.wav: not a readable audio file"):
        read_clip(tmp_path / "empty.wav", 16000)


def test_text_called_wav_is_named(tmp_path):
    (tmp_path / "notes.wav").write_text("go, stop")
    with pytest.raises(DataError, match=r"notes\.wav: not a readable audio file"):
        read_clip(tmp_path / "notes.wav", 16000)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_flac_file_that_ends_early_is_named(tmp_path, kept):
    noise = 0.1 * np.random.default_rng(0).standard_normal(16000)
    path = write(tmp_path / "clip.flac", noise)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(DataError, match=r"clip\.flac: "):
        read_clip(path, 16000)


def test_a_flac_file_that_does_not_tell_its_length_is_named(tmp_path):
    file = write(tmp_path / "clip.flac", tone())
    content = bytearray(file.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    file.write_bytes(content)
    with pytest.raises(DataError, match="clip.flac: not a readable audio file"):
        decode(file)


def test_a_flac_file_with_damaged_frames_is_named(tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal(16000)
    path = write(tmp_path / "clip.flac", noise)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"clip\.flac: "):
        read_clip(path, 16000)


def test_samples_that_are_no_numbers_are_named(tmp_path):
    soundfile.write(tmp_path / "clip.wav", np.array([0.0, np.nan]), 16000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"clip\.wav: holds samples that are not finite"):
        read_clip(tmp_path / "clip.wav", 16000)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.wav: cannot be read \(No such file"):
        read_clip(tmp_path / "gone.wav", 16000)


def test_a_folder_called_wav_is_named(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(DataError, match=r"folder\.wav: cannot be read \(Is a directory"):
        read_clip(tmp_path / "folder.wav", 16000)


READING = """
import signal, sys
from sweep.audio.clips import decode
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
try:
    while True:
        decode(sys.argv[1])
except KeyboardInterrupt:
    sys.exit(42)
"""


def test_an_interrupt_while_reading_is_an_interrupt_and_not_a_damaged_clip(tmp_path):
    path = tmp_path / "long.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, 30 * 16000), 16000)
    for _ in range(4):
        command = [sys.executable, "-c", READING, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reading:
            assert reading.stdout.readline() == "ready\n"
            time.sleep(0.3)
            reading.send_signal(signal.SIGINT)
            killer = threading.Timer(20, reading.kill)
            killer.start()
            assert reading.wait() == 42
            killer.cancel()
