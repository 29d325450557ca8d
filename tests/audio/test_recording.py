"""What a file of sound may be, and what is told of one that cannot be used."""

import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep.audio import recording as recording_module
from sweep.audio.clips import examine, read_clip, read_whole
from sweep.audio.layout import SUFFIXES
from sweep.audio.recording import BLOCK, LONGEST_IN_S, Recording
from sweep.errors import DataError

from .recordings import noise, tone, write

SECOND = 16000


def read(path):
    """Return one second at 16 kHz."""
    return read_clip(path, SECOND, SECOND)


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
        assert examine(tmp_path / "clip.wav").note is None

    @pytest.mark.parametrize("bits", [16, 32])
    def test_integers_saved_as_float_are_read_as_those_integers(self, tmp_path, bits):
        samples, scale = noise(0.5), 2.0 ** (bits - 1)
        soundfile.write(tmp_path / "clip.wav", samples * scale, SECOND, subtype="FLOAT")
        assert np.abs(read(tmp_path / "clip.wav")[:8000] - 32768 * samples).max() <= 0.51
        assert np.allclose(read_whole(tmp_path / "clip.wav", SECOND), samples, atol=1e-6)
        told = examine(tmp_path / "clip.wav").note
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
        assert examine(tmp_path / "clip.wav").note is None

    def test_a_mix_that_is_too_loud_is_made_to_fit(self, tmp_path):
        soundfile.write(tmp_path / "clip.wav", 3 * tone(), SECOND, subtype="FLOAT")
        assert np.abs(read(tmp_path / "clip.wav") - 65534 * tone()).max() <= 2
        assert examine(tmp_path / "clip.wav").note == "float samples up to 1.5, divided by 1.5"

    def test_a_lossy_format_that_overshoots_is_clipped(self, tmp_path):
        soundfile.write(tmp_path / "clip.ogg", 0.999 * np.sign(tone(hz=500) + 1e-9), SECOND)
        assert np.abs(soundfile.read(tmp_path / "clip.ogg")[0]).max() > 1
        assert read(tmp_path / "clip.ogg").max() == 32767
        assert examine(tmp_path / "clip.ogg").note is None

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

    def test_more_samples_than_are_decoded_in_seconds(self, tmp_path, monkeypatch):
        path = write(tmp_path / "clip.wav", np.zeros((1000, 3)))
        monkeypatch.setattr(recording_module, "MOST_SAMPLES", 3000)
        read(path)
        monkeypatch.setattr(recording_module, "MOST_SAMPLES", 2999)
        with pytest.raises(DataError, match=r"clip\.wav: more than 2,999 samples in all channels;"):
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


def test_a_pipe_called_wav_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(DataError, match=r"pipe\.wav: not a regular file"):
        read(tmp_path / "pipe.wav")


def test_a_link_to_a_recording_is_one(tmp_path):
    (tmp_path / "link.wav").symlink_to(write(tmp_path / "clip.wav", tone()))
    assert read(tmp_path / "link.wav").any()


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


FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "aiff": ("AIFF", "PCM_16"),
    "aif": ("AIFF", "PCM_24"),
    "au": ("AU", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
}


def save(path: Path, samples: np.ndarray = noise(2)) -> Path:
    """Write a recording in the format its suffix names."""
    form, subtype = FORMATS[path.suffix[1:]]
    soundfile.write(path, samples, SECOND, format=form, subtype=subtype)
    return path


def cut(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    return path


class TestFormats:
    """What libsndfile reads, by whatever suffix it has in ``layout.SUFFIXES``."""

    def test_every_suffix_of_a_recording_is_tried(self):
        assert sorted(f".{suffix}" for suffix in FORMATS) == sorted(SUFFIXES)

    @pytest.mark.parametrize("suffix", FORMATS)
    def test_it_is_read(self, tmp_path, suffix):
        path = save(tmp_path / f"clip.{suffix}", tone(2))
        assert np.corrcoef(read_whole(path, SECOND)[:SECOND], tone())[0, 1] > 0.99

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
    @pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "aif", "au", "w64", "rf64", "mp3"])
    def test_a_file_cut_short_tells_how_much_of_it_is_left(self, tmp_path, suffix, share):
        path = cut(save(tmp_path / f"clip.{suffix}"), share)
        with pytest.raises(DataError) as refused:
            examine(path)
        told = re.fullmatch(
            r".*clip\.\w+: ends after (\d+) of its 32000 samples", str(refused.value)
        )
        assert told and 0 < int(told[1]) < 32000
        assert int(told[1]) / 32000 == pytest.approx(share, abs=0.15)

    @pytest.mark.parametrize("suffix", ["caf", "ogg", "opus"])
    def test_or_that_nothing_is_left_of_it(self, tmp_path, suffix):
        with pytest.raises(DataError, match=r"clip\.\w+: (damaged, or cut|holds no)"):
            examine(cut(save(tmp_path / f"clip.{suffix}"), 0.4))


def reheaded(path: Path, riff: int, data: int) -> Path:
    """Put other sizes into the header of a WAV file."""
    content = bytearray(path.read_bytes())
    content[4:8], content[40:44] = struct.pack("<I", riff), struct.pack("<I", data)
    path.write_bytes(content)
    return path


class TestSizesOfWav:
    """A recorder that was cut off leaves sizes that are none; a cut file has those it once had."""

    @pytest.mark.parametrize(
        ("riff", "data"),
        [(0, 0), (8, 0), (36, 0), (2**32 - 1, 2**32 - 1), (2**31 - 1, 2**31 - 37), (64036, 0)],
    )
    @pytest.mark.parametrize("samples", [noise(2), np.zeros(32000)], ids=["noise", "silence"])
    def test_one_that_was_never_closed_is_read_to_its_end(self, tmp_path, samples, riff, data):
        path = save(tmp_path / "clip.wav", samples)
        told = read_whole(path, SECOND)
        assert np.array_equal(read_whole(reheaded(path, riff, data), SECOND), told)
        assert len(told) == 32000

    def test_nor_is_it_changed(self, tmp_path):
        path = reheaded(save(tmp_path / "clip.wav"), 0, 0)
        before = path.read_bytes()
        examine(path)
        assert path.read_bytes() == before

    def test_one_that_is_empty_is_not_taken_for_one(self, tmp_path):
        path = save(tmp_path / "clip.wav", np.zeros(0))
        path.write_bytes(path.read_bytes() + b"LIST\x04\0\0\0INFO")
        with pytest.raises(DataError, match=r"clip\.wav: holds no samples"):
            examine(path)

    @pytest.mark.parametrize("more", [8, 36, 44])
    def test_a_header_that_counts_itself_is_no_cut(self, tmp_path, more):
        path = reheaded(save(tmp_path / "clip.wav"), 64036 + more, 64000 + more)
        assert len(read_whole(path, SECOND)) == 32000

    def test_what_stands_behind_the_sound_may_be_missing(self, tmp_path):
        path = save(tmp_path / "clip.wav")
        reheaded(path, 64036 + 5000, 64000)
        assert len(read_whole(path, SECOND)) == 32000

    def test_a_file_of_adpcm_that_is_cut_is_named_too(self, tmp_path):
        path = tmp_path / "clip.wav"
        soundfile.write(path, noise(2), SECOND, subtype="IMA_ADPCM")
        with pytest.raises(DataError, match=r"clip\.wav: ends after \d+ of its 32\d+ samples"):
            examine(cut(path, 0.5))

    def test_mp3_in_a_wav_file_is_read(self, tmp_path):
        told = read_whole(save(tmp_path / "clip.mp3", tone()), SECOND)
        sound = (tmp_path / "clip.mp3").read_bytes()
        form = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 0x55, 1, SECOND, 4000, 1, 0, 0)
        body = b"WAVE" + form + struct.pack("<4sI", b"data", len(sound)) + sound
        (tmp_path / "clip.wav").write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
        assert np.array_equal(read_whole(tmp_path / "clip.wav", SECOND), told)

    @pytest.mark.parametrize(
        "content", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEdata"]
    )
    def test_a_stub_is_no_sound(self, tmp_path, content):
        (tmp_path / "clip.wav").write_bytes(content)
        with pytest.raises(DataError, match=r"clip\.wav: "):
            examine(tmp_path / "clip.wav")
