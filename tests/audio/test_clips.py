import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile

from sweep.audio.clips import (
    BLOCK,
    LONGEST_IN_S,
    Recording,
    examine,
    loudest_part,
    read_clip,
    read_whole,
    resample,
    to_float,
    to_int16,
)
from sweep.errors import DataError

from .recordings import tone, write

SECOND = 16000


def read(path):
    """Return one second at 16 kHz."""
    return read_clip(path, SECOND, SECOND)


def noise(seconds=1.0, level=0.1, channels=1):
    rng = np.random.default_rng(0)
    made = level * rng.uniform(-1, 1, (round(seconds * SECOND), channels))
    return made[:, 0] if channels == 1 else made


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


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
def test_every_known_kind_of_file_is_read(tmp_path, kind):
    path = tmp_path / f"clip.{kind}"
    soundfile.write(path, tone(), 16000)
    assert np.corrcoef(read(path), tone())[0, 1] > 0.99


def test_sixteen_bit_samples_are_rounded_and_clipped():
    samples = np.array([0.6, -0.6, 0.4, 1.5 * 32768, -1.5 * 32768]) / 32768
    assert to_int16(samples).tolist() == [1, -1, 0, 32767, -32768]


class TestFullScale:
    """Integers have one; float samples are taken for what they must be, and that is told."""

    @pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
    @pytest.mark.parametrize("level", [1.0, 0.01, 3e-5])
    def test_up_to_it_samples_are_rounded_to_sixteen_bits_and_nothing_is_told(
        self, tmp_path, subtype, level
    ):
        samples = noise(level=level)
        soundfile.write(tmp_path / "clip.wav", samples, SECOND, subtype=subtype)
        assert np.abs(read(tmp_path / "clip.wav") - 32768 * samples).max() <= 1
        assert examine(tmp_path / "clip.wav") is None

    @pytest.mark.parametrize("bits", [16, 32])
    def test_integers_saved_as_float_are_read_as_those_integers(self, tmp_path, bits):
        samples, scale = noise(0.5), 2.0 ** (bits - 1)
        soundfile.write(tmp_path / "clip.wav", samples * scale, SECOND, subtype="FLOAT")
        assert np.abs(read(tmp_path / "clip.wav")[:8000] - 32768 * samples).max() <= 0.51
        assert np.allclose(read_whole(tmp_path / "clip.wav", SECOND), samples, atol=1e-6)
        told = examine(tmp_path / "clip.wav")
        peak = f"{scale * np.abs(samples).max():,.0f}"
        assert told == f"float samples up to {peak}, divided by {int(scale):,}"

    @pytest.mark.parametrize("peak", [1, 7])
    def test_so_are_the_faintest_of_them(self, tmp_path, peak):
        samples = np.rint(noise(level=peak + 0.4))
        soundfile.write(tmp_path / "clip.wav", samples, SECOND, subtype="FLOAT")
        assert np.array_equal(read(tmp_path / "clip.wav"), samples)

    def test_silence_saved_as_float_is_silence(self, tmp_path):
        soundfile.write(tmp_path / "clip.wav", np.zeros(SECOND), SECOND, subtype="FLOAT")
        assert not read(tmp_path / "clip.wav").any()
        assert examine(tmp_path / "clip.wav") is None

    def test_a_mix_that_is_too_loud_is_made_to_fit(self, tmp_path):
        soundfile.write(tmp_path / "clip.wav", 3 * tone(), SECOND, subtype="FLOAT")
        assert np.abs(read(tmp_path / "clip.wav") - 65534 * tone()).max() <= 2
        assert examine(tmp_path / "clip.wav") == "float samples up to 1.5, divided by 1.5"

    def test_a_lossy_format_that_overshoots_is_clipped(self, tmp_path):
        soundfile.write(tmp_path / "clip.ogg", 0.999 * np.sign(tone(hz=500) + 1e-9), SECOND)
        assert np.abs(soundfile.read(tmp_path / "clip.ogg")[0]).max() > 1
        assert read(tmp_path / "clip.ogg").max() == 32767
        assert examine(tmp_path / "clip.ogg") is None

    @pytest.mark.parametrize("sample", [np.nan, np.inf, 1e12])
    def test_samples_that_are_no_numbers_are_named(self, tmp_path, sample):
        soundfile.write(tmp_path / "clip.wav", np.array([0.0, sample, 0.0]), SECOND, "FLOAT")
        with pytest.raises(DataError, match=r"clip\.wav: holds samples that are no finite"):
            read(tmp_path / "clip.wav")


class TestBounds:
    """What a header claims is refused before anything is decoded."""

    @pytest.mark.parametrize("rate", [1, 999, 768_001])
    def test_a_rate_that_no_recording_has(self, tmp_path, rate):
        path = write(tmp_path / "clip.wav", tone(), rate)
        with pytest.raises(DataError, match=rf"clip\.wav: a sampling rate of {rate} Hz; 1000 to"):
            read(path)

    def test_more_channels_than_a_microphone_array_has(self, tmp_path):
        path = write(tmp_path / "clip.wav", np.zeros((10, 65)))
        with pytest.raises(DataError, match=r"clip\.wav: 65 channels; at most 64 can be read"):
            read(path)

    def test_more_than_an_hour(self, tmp_path):
        path = write(tmp_path / "clip.flac", np.zeros(SECOND, np.int16))
        assert len(read(path)) == SECOND
        content = bytearray(path.read_bytes())
        content[22:26] = (int(LONGEST_IN_S * SECOND) + 1).to_bytes(4, "big")
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"clip\.flac: longer than 60 minutes; cut it"):
            read(path)


def test_a_file_of_no_samples_is_named(tmp_path):
    path = write(tmp_path / "empty.wav", np.zeros(0))
    with pytest.raises(DataError, match=r"empty\.wav: holds no samples"):
        read(path)


def test_a_file_of_no_bytes_is_named(tmp_path):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(DataError, match=r"empty\.wav: not a readable audio file"):
        read(tmp_path / "empty.wav")


def test_text_called_wav_is_named(tmp_path):
    (tmp_path / "notes.wav").write_text("go, stop")
    with pytest.raises(DataError, match=r"notes\.wav: not a readable audio file"):
        read(tmp_path / "notes.wav")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_flac_file_that_ends_early_is_named(tmp_path, kept):
    path = write(tmp_path / "clip.flac", noise(3))
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(DataError, match=r"clip\.flac: ends after \d+ of its 48000 samples"):
        read(path)


def test_a_flac_file_that_does_not_tell_its_length_is_read_to_its_end(tmp_path):
    path = write(tmp_path / "clip.flac", noise())
    told = read(path)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert np.array_equal(read(path), told) and SECOND % BLOCK


def test_a_flac_file_with_damaged_frames_is_named(tmp_path):
    path = write(tmp_path / "clip.flac", noise())
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"clip\.flac: ends after \d+ of its 16000 samples"):
        read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.wav: cannot be read \(No such file"):
        read(tmp_path / "gone.wav")


def test_a_folder_called_wav_is_named(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    with pytest.raises(DataError, match=r"folder\.wav: cannot be read \(Is a directory"):
        read(tmp_path / "folder.wav")


def test_a_recording_tells_what_was_read_of_it(tmp_path):
    recording = Recording(write(tmp_path / "clip.wav", tone(1.5, rate=8000), 8000))
    assert [len(block) for block in recording] == [12000]
    assert (recording.rate, recording.samples) == (8000, 12000)
    assert recording.peak == pytest.approx(0.5, abs=1e-4)


READING = """
import signal, sys
from sweep.audio.clips import examine
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
try:
    while True:
        examine(sys.argv[1])
except KeyboardInterrupt:
    sys.exit(42)
"""


def test_an_interrupt_while_reading_is_an_interrupt_and_not_a_damaged_clip(tmp_path):
    path = tmp_path / "long.flac"
    soundfile.write(path, noise(30, 0.5), SECOND)
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
