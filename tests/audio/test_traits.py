import numpy as np
import pytest
import soundfile

from sweep.audio.clips import resample
from sweep.audio.traits import measure
from sweep.errors import DataError

from .recordings import noise, tone, write


def test_a_recording_is_measured(tmp_path):
    samples = np.concatenate((noise(0.5, 0.001), tone(1.5)))
    traits = measure(write(tmp_path / "clip.wav", samples))
    assert (traits.rate_hz, traits.form, traits.length_in_s) == (16000, "WAV PCM_16", 2.0)
    assert traits.level_dbfs == pytest.approx(10 * np.log10(0.75 * 0.5**2 / 2), abs=0.05)
    assert traits.floor_dbfs == pytest.approx(10 * np.log10(0.001**2 / 3), abs=0.5)


def test_it_is_measured_alike_in_any_format(tmp_path):
    samples = noise(3, 0.1, channels=2)
    measured = []
    for form in ("PCM_16", "PCM_24", "FLOAT"):
        soundfile.write(tmp_path / f"{form}.wav", samples, 16000, subtype=form)
        measured.append(measure(tmp_path / f"{form}.wav"))
    soundfile.write(tmp_path / "scaled.wav", samples * 32768, 16000, subtype="FLOAT")
    measured.append(measure(tmp_path / "scaled.wav"))
    assert [one.form for one in measured] == [
        f"WAV {form}, 2 channels" for form in ("PCM_16", "PCM_24", "FLOAT", "FLOAT")
    ]
    for name in ("level_dbfs", "floor_dbfs", "bandwidth_hz"):
        assert np.ptp([getattr(one, name) for one in measured]) < 0.01


@pytest.mark.parametrize("rate", [8000, 11025, 16000])
@pytest.mark.parametrize("level", [0.5, 0.001])
def test_bandwidth_is_what_a_lower_rate_has_left(tmp_path, rate, level):
    there = [*resample([noise(1, level).astype(np.float32)], 16000, rate)]
    back = np.concatenate([*resample(there, rate, 16000)])
    found = measure(write(tmp_path / "clip.wav", back)).bandwidth_hz
    assert found == pytest.approx(rate / 2, rel=0.07)


def test_silence_has_the_least_level_and_no_bandwidth(tmp_path):
    traits = measure(write(tmp_path / "clip.wav", np.zeros(16000)))
    assert (traits.level_dbfs, traits.floor_dbfs, traits.bandwidth_hz) == (-100, -100, 0)


@pytest.mark.parametrize("samples", [1, 100, 321, 16385])
def test_a_few_samples_are_measured_too(tmp_path, samples):
    traits = measure(write(tmp_path / "clip.wav", np.full(samples, 0.5)))
    assert traits.length_in_s == samples / 16000 and traits.level_dbfs < 0


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "clip.wav").write_text("no sound")
    with pytest.raises(DataError, match=r"clip\.wav: not a readable audio file"):
        measure(tmp_path / "clip.wav")
