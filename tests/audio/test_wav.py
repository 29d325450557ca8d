"""WAV files without soundfile: the same samples, and the same complaints."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep.audio import clips, recording, wav
from sweep.errors import DataError

RATE = 8000
SUBTYPES = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which neither soundfile nor soxr is installed."""
    monkeypatch.setattr(recording, "soundfile", wav)
    monkeypatch.setattr(recording, "open_with_help", wav.open_with_help)
    monkeypatch.setattr(clips, "soxr", None)


def write(path: Path, subtype: str = "PCM_16", channels: int = 1, form: str = "WAV") -> Path:
    """Write noise that reaches both ends of the scale, more than one block of it."""
    noise = np.random.default_rng(0).uniform(-1.1, 1.1, (3 * RATE, channels))
    soundfile.write(path, np.clip(noise, -1, 1), RATE, subtype=subtype, format=form)
    return path


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_samples_are_those_of_soundfile_bit_for_bit(
    tmp_path: Path, subtype: str, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "noise.wav", subtype, channels, form="WAV")
    expected = clips.read_whole(file, RATE)
    clip = clips.read_clip(file, RATE, RATE)
    monkeypatch.setattr(recording, "soundfile", wav)
    assert np.array_equal(clips.read_whole(file, RATE), expected)
    assert np.array_equal(clips.read_clip(file, RATE, RATE), clip)


@pytest.mark.parametrize(("form", "subtype"), [("WAV", "FLOAT"), ("FLAC", "PCM_16")])
def test_other_formats_ask_for_soundfile(
    bare: None, tmp_path: Path, form: str, subtype: str
) -> None:
    file = write(tmp_path / "noise.wav", subtype, form=form)
    with pytest.raises(
        DataError, match="noise.wav: no WAV file of integers; .* pip install soundfile"
    ):
        clips.read_whole(file, RATE)


def test_samples_wider_than_32_bits_are_refused(bare: None, tmp_path: Path) -> None:
    file = write(tmp_path / "noise.wav")
    header = bytearray(file.read_bytes())
    header[34:36] = (64).to_bytes(2, "little")
    file.write_bytes(header)
    with pytest.raises(DataError, match="noise.wav: samples of 64 bits; 8 to 32 can be read"):
        clips.read_whole(file, RATE)


def test_other_rates_ask_for_soxr(bare: None, tmp_path: Path) -> None:
    file = write(tmp_path / "noise.wav")
    with pytest.raises(
        DataError, match="noise.wav: has 8000 Hz and 16000 Hz are needed; pip install soxr"
    ):
        clips.read_clip(file, 2 * RATE, 2 * RATE)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_cut_short_is_refused_as_with_soundfile(
    bare: None, tmp_path: Path, channels: int
) -> None:
    file = write(tmp_path / "noise.wav", channels=channels)
    file.write_bytes(file.read_bytes()[: 44 + 1001])
    with pytest.raises(DataError, match=f"ends after {500 // channels} of its 24000 samples"):
        clips.read_whole(file, RATE)


def test_an_empty_file_is_refused(bare: None, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    with pytest.raises(DataError, match="empty.wav: holds no samples"):
        clips.read_whole(tmp_path / "empty.wav", RATE)
