"""Words cut out of recordings of speech."""

import numpy as np
import pytest
import soundfile

from sweep.audio import cutting
from sweep.audio.cutting import cut_words
from sweep.audio.layout import clip_of, find_clips
from sweep.errors import DataError, SweepError

RATE = 16000


def speech(length_in_s, *words, rate=RATE):
    """Return faint noise with a tone from one second to another for each word."""
    rng, times = np.random.default_rng(0), np.arange(round(length_in_s * rate)) / rate
    samples = 1e-4 * rng.standard_normal(len(times))
    for begin, end in words:
        said = (times >= begin) & (times < end)
        samples[said] += 0.3 * np.sin(2 * np.pi * 500 * times[said])
    return samples.astype(np.float32)


def written(folder, name, samples, rate=RATE):
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / name, samples, rate, subtype="PCM_16")
    return folder / name


def loud(clip):
    """Return from when to when a clip is loud, in seconds."""
    at = np.flatnonzero(np.abs(clip) > 0.05)
    return round(at[0] / RATE, 1), round(at[-1] / RATE, 1)


def clips(out):
    return [soundfile.read(file)[0] for file in sorted(out.glob("speech-*/*"))]


def test_each_word_is_in_the_middle_of_a_clip_among_what_was_recorded_around_it(tmp_path):
    file = written(tmp_path, "a.wav", speech(5, (0.5, 0.9), (1.9, 2.5), (2.65, 3.0)))
    found = cut_words([file], tmp_path / "out")
    assert found.clips == {"speech-1": 3} and found.skipped == ()
    first, second, third = clips(tmp_path / "out")
    assert {len(clip) for clip in (first, second, third)} == {RATE}
    assert loud(first) == (0.3, 0.7)
    assert loud(second) == (0.2, 1.0), "the next word begins before the clip ends"
    assert loud(third) == (0.0, 0.7), "the word before ends after the clip begins"
    assert np.abs(first).min() == 0 and np.abs(first[:1600]).max() > 0, "no digital silence"


def test_a_short_pause_is_within_a_word(tmp_path):
    file = written(tmp_path, "a.wav", speech(2, (0.5, 0.7), (0.74, 0.95)))
    assert cut_words([file], tmp_path / "out").clips == {"speech-1": 1}


def test_speech_without_a_pause_is_cut_in_pieces_the_same_for_a_seed(tmp_path):
    file = written(tmp_path, "a.wav", speech(10, (1.0, 9.0)))
    found = cut_words([file], tmp_path / "out")
    assert 8 / 0.8 <= found.clips["speech-1"] <= 8 / 0.3
    cut_words([file], tmp_path / "again")
    assert all(map(np.array_equal, clips(tmp_path / "out"), clips(tmp_path / "again")))
    cut_words([file], tmp_path / "other", seed=1)
    assert not np.array_equal(clips(tmp_path / "out")[0], clips(tmp_path / "other")[0])


def test_a_recording_shorter_than_a_clip_is_in_its_middle(tmp_path):
    file = written(tmp_path, "a.wav", speech(0.4, (0.1, 0.3)))
    cut_words([file], tmp_path / "out")
    (clip,) = clips(tmp_path / "out")
    assert len(clip) == RATE and loud(clip) == (0.4, 0.6)


def test_the_length_of_a_clip_is_settable(tmp_path):
    file = written(tmp_path, "a.wav", speech(4, (1, 1.5)))
    cut_words([file], tmp_path / "out", length_in_s=2)
    assert [len(clip) for clip in clips(tmp_path / "out")] == [2 * RATE]


def test_the_words_of_a_minute_are_of_one_speaker(tmp_path):
    every = [(at, at + 0.5) for at in range(5, 130, 10)]
    file = written(tmp_path, "a.wav", speech(130, *every))
    cut_words([file], tmp_path / "out")
    speakers = [clip.speaker for clip in find_clips(tmp_path / "out")]
    assert len(speakers) == 13
    assert sorted(map(speakers.count, set(speakers))) == [1, 6, 6]


def test_recordings_of_one_name_in_two_folders_are_of_two_speakers(tmp_path):
    for place in ("x/deep", "y"):
        written(tmp_path / "talk" / place, "a.wav", speech(2, (1, 1.5)))
    assert cut_words([tmp_path / "talk"], tmp_path / "out").clips == {"speech-1": 2}
    assert len({clip.speaker for clip in find_clips(tmp_path / "out")}) == 2


def test_speakers_whom_names_tell_stay_speakers(tmp_path):
    for name in ("anna_nohash_0.wav", "anna_nohash_1.wav", "_nohash_2.wav"):
        written(tmp_path / "talk", name, speech(2, (1, 1.5)))
    cut_words([tmp_path / "talk"], tmp_path / "out")
    speakers = [clip.speaker for clip in find_clips(tmp_path / "out")]
    assert len(speakers) == 3 and speakers.count("anna") == 2


def test_many_words_are_dealt_into_folders_that_count_as_a_word_each(tmp_path, monkeypatch):
    monkeypatch.setattr(cutting, "_CLIPS_A_FOLDER", 2)
    file = written(tmp_path, "a.wav", speech(9, *((at, at + 0.5) for at in range(1, 8, 2))))
    assert cut_words([file], tmp_path / "out").clips == {"speech-1": 2, "speech-2": 2}
    assert {clip_of(clip.name).label for clip in find_clips(tmp_path / "out")} == {
        "speech-1",
        "speech-2",
    }


def test_any_rate_and_channels_will_do(tmp_path):
    one = speech(3, (1, 1.5), rate=8000)
    file = written(tmp_path, "a.flac", np.stack([one, one], axis=1), 8000)
    assert cut_words([file], tmp_path / "out").clips == {"speech-1": 1}
    assert loud(clips(tmp_path / "out")[0]) == pytest.approx((0.25, 0.75), abs=0.051)


def test_damaged_recordings_are_left_out_and_told(tmp_path):
    written(tmp_path / "talk", "a.wav", speech(2, (1, 1.5)))
    (tmp_path / "talk/b.wav").write_bytes(b"RIFF, so to say")
    (tmp_path / "talk/notes.txt").write_text("no sound")
    found = cut_words([tmp_path / "talk"], tmp_path / "out")
    assert found.clips == {"speech-1": 1}
    (told,) = found.skipped
    assert told.startswith(f"{tmp_path}/talk/b.wav: ")


def test_where_nothing_is_said_nothing_is_cut(tmp_path):
    file = written(tmp_path, "a.wav", np.zeros(3 * RATE, np.float32))
    with pytest.raises(DataError, match=f"^{file}: no words were found$"):
        cut_words([file], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no recordings"):
        cut_words([tmp_path / "empty"], tmp_path / "out")


def test_what_was_cut_before_is_not_mixed_with_more(tmp_path):
    file = written(tmp_path, "a.wav", speech(2, (1, 1.5)))
    cut_words([file], tmp_path / "out")
    with pytest.raises(DataError, match="cut out of speech already; remove them first$"):
        cut_words([file], tmp_path / "out")


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    file = written(tmp_path, "a.wav", speech(2, (1, 1.5)))
    (tmp_path / "out").write_text("a file")
    with pytest.raises(SweepError, match="cannot be written"):
        cut_words([file], tmp_path / "out")
