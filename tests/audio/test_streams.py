"""Streams with words at known times."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from sweep.audio.clips import read_clip
from sweep.audio.dataset import open_dataset
from sweep.audio.layout import label_of
from sweep.audio.open_set import SilenceSpec, StreamSpec
from sweep.audio.streams import stream_of
from sweep.errors import DataError

from .recordings import write

RATE = 8000
SPEC = StreamSpec(hours=0.02, words_per_hour=1200)


def made(spec, split="validation", rate=RATE, **changes):
    """Return a data set and the stream of a split."""
    dataset = open_dataset(replace(spec, streams=replace(SPEC, **changes)))
    return dataset, stream_of(dataset, split, rate)


def starts(stream):
    return np.array([word.start_in_s for word in stream.spoken])


def lone(dataset, stream):
    """Yield each word that no neighbour touches, its clip, and what is in the stream there."""
    names, clips = dataset.names("validation"), dataset.waveforms("validation", RATE)
    for word in stream.spoken:
        if np.sort(np.abs(starts(stream) - word.start_in_s))[1] > 1.1:
            clip = clips[names.index(word.clip)].astype(float)
            # A tone has its energy everywhere, so the word begins after 2 % of the clip.
            begin = round((word.start_in_s - 0.02) * RATE)
            near = [stream.samples[i : i + RATE] for i in range(begin - 20, begin + 20)]
            yield word, clip, max(near, key=lambda part: np.dot(part.astype(float), clip))


def test_it_is_as_long_as_asked_and_of_16_bits(open_set):
    _, stream = made(open_set)
    assert stream.samples.shape == (0.02 * 3600 * RATE,) and stream.samples.dtype == np.int16
    assert stream.hours == pytest.approx(0.02) and stream.rate == RATE


def test_each_word_is_where_it_is_said_to_be(open_set):
    found = [*lone(*made(open_set, snr_db=(50, 50)))]
    assert len(found) > 5
    for word, clip, there in found:
        assert np.corrcoef(there, clip)[0, 1] > 0.99
        assert 0.9 < word.end_in_s - word.start_in_s < 1


def test_noise_is_as_loud_as_its_ratio_says(open_set):
    spec = replace(open_set, silence=SilenceSpec(share=5.0))
    found = [*lone(*made(spec, snr_db=(0, 20)))]
    assert len(found) > 5
    steady = slice(RATE // 5, RATE * 6 // 10)
    for word, clip, there in found:
        ratio = np.std(clip) / np.std((there - clip)[steady])
        assert 20 * np.log10(ratio) == pytest.approx(word.snr_db, abs=2.5)


def test_only_clips_of_the_split_are_spoken_and_other_words_were_never_trained_on(open_set):
    for split, unheard in (("validation", "up"), ("testing", "left")):
        dataset, stream = made(open_set, split)
        assert {word.clip for word in stream.spoken} <= set(dataset.names(split))
        others = {label_of(word.clip) for word in stream.spoken if word.label == "_unknown_"}
        assert others == {unheard}
        assert {word.label for word in stream.spoken} == {"go", "stop", "_unknown_"}


def test_no_clip_is_spoken_twice_before_each_was_once(open_set):
    _, stream = made(open_set)
    for keyword in (True, False):
        clips = [w.clip for w in stream.spoken if (w.label != "_unknown_") == keyword]
        counts = Counter(clips).values()
        assert max(counts) - min(counts) <= 1 < len(clips)


def test_the_shares_and_numbers_are_those_asked_for(open_set):
    _, stream = made(open_set, hours=0.2, keyword_share=0.25)
    keywords = sum(word.label != "_unknown_" for word in stream.spoken)
    assert len(stream.spoken) == pytest.approx(0.2 * 1200, rel=0.15)
    assert keywords / len(stream.spoken) == pytest.approx(0.25, abs=0.07)


def test_neighbours_overlap_by_their_edges_at_most(open_set):
    _, stream = made(open_set, words_per_hour=3600)
    distances = np.diff(starts(stream))
    assert 0.8 <= distances.min() + 1e-3 and distances.min() < 1


def test_the_same_spec_gives_the_same_sound_and_another_seed_another(open_set, tmp_path):
    _, one = made(open_set)
    _, same = made(open_set)
    _, other = made(open_set, seed=1)
    assert one.spoken == same.spoken != other.spoken
    np.testing.assert_array_equal(one.samples, same.samples)
    assert not np.array_equal(one.samples, other.samples)


def test_clips_that_were_replaced_make_another_stream(open_set, tmp_path):
    _, before = made(open_set, "testing")
    for file in (tmp_path / "keywords/go").iterdir():
        write(file, np.zeros(16000))
    _, after = made(open_set, "testing")
    assert not np.array_equal(before.samples, after.samples)


def test_without_silence_there_is_noise_between_the_words(open_set):
    _, stream = made(replace(open_set, silence=None), snr_db=(0, 10))
    between = stream.samples[: round((stream.spoken[0].start_in_s - 0.1) * RATE)]
    assert np.std(between) > 100


def test_without_other_words_only_keywords_are_spoken(open_set):
    _, stream = made(replace(open_set, unknown=None), words_per_hour=2400)
    assert {word.label for word in stream.spoken} == {"go", "stop"}


@pytest.fixture
def long(tmp_path):
    """A folder of long recordings: two for validation, of which one has times, one for testing."""
    rng = np.random.default_rng(1)
    for split, name, seconds in (
        ("validation", "kitchen", 20),
        ("validation", "radio", 10),
        ("testing", "street", 8),
    ):
        (tmp_path / split).mkdir(exist_ok=True)
        sound = rng.uniform(-0.3, 0.3, 44100 * seconds)
        soundfile.write(tmp_path / split / f"{name}.flac", sound, 44100)
    words = ["{0}\t{1}\tgo".format(i, i + 0.5) for i in range(12)] + ["15\t15.5\tup"]
    (tmp_path / "validation/kitchen.txt").write_text("\n".join(words))
    return tmp_path


class TestLongRecordings:
    def test_follow_what_is_made_of_clips(self, open_set, long):
        _, plain = made(open_set)
        _, found = made(open_set, recordings=str(long))
        begins = len(plain.samples)
        np.testing.assert_array_equal(found.samples[:begins], plain.samples)
        assert found.spoken[: len(plain.spoken)] == plain.spoken
        kitchen, radio = (round(RATE * seconds) for seconds in (20, 10))
        assert len(found.samples) == begins + 2 * RATE + kitchen + radio
        first, *_, last = found.spoken[len(plain.spoken) :]
        assert (first.label, first.start_in_s) == ("go", begins / RATE + 1)
        assert (last.label, last.clip, last.snr_db) == ("_unknown_", "up/kitchen", None)
        assert last.start_in_s == pytest.approx(begins / RATE + 16)
        assert not found.samples[begins : begins + RATE].any()
        expected = read_clip(long / "validation/kitchen.flac", RATE, kitchen)
        there = found.samples[begins + RATE :][:kitchen]
        assert np.abs(there.astype(int) - expected).max() <= 1

    def test_may_be_all_there_is(self, open_set, long):
        _, found = made(open_set, recordings=str(long), hours=0)
        assert found.hours == pytest.approx(32 / 3600)
        assert Counter(word.label for word in found.spoken) == {"go": 12, "_unknown_": 1}

    def test_that_say_too_few_keywords_are_told(self, open_set, long):
        dataset = open_dataset(
            replace(open_set, streams=replace(SPEC, hours=0, recordings=str(long)))
        )
        with pytest.raises(DataError, match="0 keywords are said in the recordings for testing"):
            stream_of(dataset, "testing", RATE)

    def test_that_are_replaced_make_another_stream_and_another_data_set(self, open_set, long):
        first, before = made(open_set, recordings=str(long))
        (long / "validation/kitchen.txt").write_text("3,4,go")
        second, after = made(open_set, recordings=str(long))
        assert len(after.spoken) == len(before.spoken) - 12
        assert second.fingerprint != first.fingerprint

    def test_that_cannot_be_used_are_told_when_the_data_set_is_opened(self, open_set, long):
        (long / "validation/radio.csv").write_text("1,2")
        with pytest.raises(DataError, match="radio.csv: line 1"):
            made(open_set, recordings=str(long))
        (long / "testing/street.flac").unlink()
        with pytest.raises(DataError, match="radio.csv|testing: has no recordings"):
            made(open_set, recordings=str(long))
        (long / "validation/radio.csv").unlink()
        with pytest.raises(DataError, match="testing: has no recordings"):
            made(open_set, recordings=str(long))
        (long / "testing").rmdir()
        with pytest.raises(DataError, match="put long recordings into folders named validation"):
            made(open_set, recordings=str(long))
