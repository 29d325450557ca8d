"""False alarms in a long recording, cut out as clips."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep.audio.layout import find_clips
from sweep.detector import Event
from sweep.errors import DataError
from sweep.mining import mine

RATE, WINDOW = 8000, 8000


class Clicks:
    """A detector that says ``go`` a second after each full-scale sample."""

    labels, rate, samples = ("go", "stop", "_unknown_"), RATE, WINDOW

    def __init__(self) -> None:
        self._fed = 0

    def feed(self, samples: np.ndarray) -> list[Event]:
        """Return an event a window long that begins at each click."""
        places = self._fed + np.flatnonzero(samples > 0.9)
        self._fed += len(samples)
        return [Event((place + 1) / RATE, "go", 0.9) for place in places.tolist()]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Five minutes of noise with a click every 20 s."""
    sound = np.random.default_rng(0).uniform(-0.1, 0.1, 300 * RATE)
    sound[10 * RATE :: 20 * RATE] = 0.95
    soundfile.write(tmp_path / "radio.wav", sound, RATE)
    return tmp_path / "radio.wav"


def test_a_clip_is_the_window_before_each_false_alarm(recording: Path, tmp_path: Path) -> None:
    found = mine(Clicks(), recording, None, tmp_path / "others")
    samples, _ = soundfile.read(recording, dtype="int16")
    assert found.hours == pytest.approx(300 / 3600)
    assert [round(one.time_in_s) for one in found.false_alarms] == [*range(10, 300, 20)]
    for one in found.false_alarms:
        clip, rate = soundfile.read(one.clip, dtype="int16")
        end = round(one.time_in_s * RATE)
        assert rate == RATE
        np.testing.assert_array_equal(clip, samples[end - WINDOW : end])


def test_clips_of_a_minute_stay_together_as_those_of_a_speaker(
    recording: Path, tmp_path: Path
) -> None:
    mine(Clicks(), recording, None, tmp_path / "others")
    clips = find_clips(tmp_path / "others")
    assert {clip.label for clip in clips} == {"false-alarms"} and len(clips) == 15
    assert {clip.speaker for clip in clips} == {f"radio-{minute}" for minute in range(5)}


def test_keywords_that_are_said_are_no_false_alarms(recording: Path, tmp_path: Path) -> None:
    times = tmp_path / "radio.csv"
    times.write_text("9.5,10,go\n29.5,30,stop\n49.5,50,up\n100,101,go\n")
    found = mine(Clicks(), recording, times, tmp_path / "others")
    assert (found.keywords, found.misses) == (3, 2)
    assert [round(one.time_in_s) for one in found.false_alarms] == [*range(30, 300, 20)]


def test_a_recording_without_false_alarms_writes_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "quiet.wav", np.zeros(3 * RATE), RATE)
    assert mine(Clicks(), tmp_path / "quiet.wav", None, tmp_path / "others").false_alarms == ()
    assert not (tmp_path / "others").exists()


def test_a_recording_is_not_mined_twice_into_one_folder(recording: Path, tmp_path: Path) -> None:
    mine(Clicks(), recording, None, tmp_path / "others")
    with pytest.raises(DataError, match="has clips of radio.wav already; remove them first"):
        mine(Clicks(), recording, None, tmp_path / "others")
    other = recording.rename(tmp_path / "street.wav")
    mine(Clicks(), other, None, tmp_path / "others")
    assert len(find_clips(tmp_path / "others")) == 30


def test_a_folder_that_cannot_be_written_is_told(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataError, match="cannot be written"):
        mine(Clicks(), recording, None, tmp_path / "file")
