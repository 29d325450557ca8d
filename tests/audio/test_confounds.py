"""Traits that tell words apart are found, and words alike in them raise no alarm."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.stats import ks_2samp

from sweep.audio.clips import resample
from sweep.audio.confounds import MOST_CLIPS_A_WORD, compare, find_confounds, told_apart
from sweep.audio.layout import find_clips
from sweep.audio.traits import Traits

from .recordings import tone, write

PLAIN = Traits(16000, "WAV PCM_16", 1.0, -25.0, -60.0, 8000.0)


def word(clips=100, seed=0, share=1.0, **other):
    """Return traits that vary as those of recordings do, with others for a share of the clips."""
    rng = np.random.default_rng(seed)
    return [
        replace(
            PLAIN,
            level_dbfs=rng.normal(-25, 8),
            floor_dbfs=rng.normal(-60, 15),
            length_in_s=rng.uniform(0.8, 1.0),
            bandwidth_hz=rng.uniform(7000, 8000),
            **(other if i < share * clips else {}),
        )
        for i in range(clips)
    ]


class TestCompare:
    @pytest.mark.parametrize("clips", [2, 5, 20, 100, 1000])
    def test_words_that_are_alike_in_all_raise_no_alarm(self, clips):
        for seed in range(20):
            words = {name: word(clips, 3 * seed + i) for i, name in enumerate(("a", "b", "c"))}
            assert compare(words) == []

    @pytest.mark.parametrize(
        ("other", "what", "figure", "advice"),
        [
            ({"rate_hz": 8000}, "sampling rate", "(8000 Hz)", "downsampling_rate at the lowest"),
            ({"form": "OGG OPUS"}, "file format", "(OGG OPUS)", "convert all words"),
            ({"bandwidth_hz": 3900.0}, "bandwidth", "(3900 Hz)", "upper_frequency below"),
            ({"length_in_s": 0.5}, "length", "(0.50 s)", "cut all words to one length"),
            ({"level_dbfs": -5.0}, "loudness", "(-5 dB)", "gain_db"),
            ({"floor_dbfs": -100.0}, "noise floor", "(-100 dB)", "noise_snr_db"),
        ],
    )
    def test_a_trait_of_one_word_is_named_with_figures_and_what_to_do(
        self, other, what, figure, advice
    ):
        fixed = {name: value for name, value in other.items() if name in ("rate_hz", "form")}
        stop = [replace(one, **other) for one in word(seed=1, **fixed)]
        (found,) = compare({"go": word(), "stop": stop})
        assert (found.what, found.words) == (what, ("go", "stop"))
        assert figure in found.figures and "it alone tells" in found.figures
        assert advice in found.advice
        assert str(found) == f"{what}: {found.figures}; {found.advice}"

    def test_a_difference_within_what_words_have_raises_none(self):
        louder = [replace(one, level_dbfs=one.level_dbfs + 4) for one in word(200, 1)]
        assert not compare({"go": word(200), "stop": louder})
        louder = [replace(one, level_dbfs=one.level_dbfs + 16) for one in word(200, 1)]
        (found,) = compare({"go": word(200), "stop": louder})
        assert found.what == "loudness" and 0.75 < found.pairs[0].share < 0.95

    def test_nor_does_one_that_nobody_notices(self):
        for step, told in ((1.9, False), (2.1, True)):
            words = {
                name: [replace(one, level_dbfs=level) for one in word(seed=i)]
                for i, (name, level) in enumerate((("go", -20.0), ("stop", -20.0 - step)))
            }
            assert bool(compare(words)) == told

    @pytest.mark.parametrize(("share", "told"), [(0.1, False), (0.4, True)])
    def test_a_rate_is_told_though_only_some_clips_have_it(self, share, told):
        some = [replace(one, rate_hz=8000) for one in word(200, 1)[: int(200 * share)]]
        found = compare({"go": word(200), "stop": some + word(200, 2)[len(some) :]})
        assert [one.what for one in found] == ["sampling rate"] * told

    def test_a_trait_that_all_words_have_in_the_same_share_is_none(self):
        half = [replace(one, rate_hz=8000) for one in word(50)]
        assert not compare({"go": half + word(50, 1), "stop": half + word(50, 2)})

    def test_where_the_rate_differs_bandwidth_is_not_told_again(self):
        narrow = [replace(one, rate_hz=8000, bandwidth_hz=4000) for one in word()]
        other = [replace(one, bandwidth_hz=4000) for one in word()]
        found = compare({"a": word(seed=1), "b": narrow, "c": other})
        assert [one.what for one in found] == ["sampling rate", "bandwidth"]
        assert [pair.words for pair in found[1].pairs] == [("a", "c")]

    def test_of_many_pairs_the_clearest_is_named(self):
        loud = {level: [replace(one, level_dbfs=level) for one in word()] for level in (-9, -5)}
        (found,) = compare({"a": word(seed=1), "b": loud[-9], "c": loud[-5]})
        assert found.words == ("b", "c") and found.pairs[0].share == 1
        assert found.figures.endswith("apart, and 2 more pairs of words")
        assert {pair.words for pair in found.pairs} == {("a", "b"), ("a", "c"), ("b", "c")}

    def test_fewer_clips_must_differ_more(self):
        def of(clips):
            soft = [replace(one, level_dbfs=-60.0) for one in word(clips, 1)]
            return compare({"go": word(clips), "stop": soft})

        assert not of(7) and of(8)


def test_the_share_is_that_of_kolmogorov_and_smirnov():
    rng = np.random.default_rng(0)
    for shift in (0, 1, 3):
        one, other = rng.normal(0, 1, 50), rng.normal(shift, 1, 80)
        assert told_apart(one, other) == pytest.approx(0.5 + ks_2samp(one, other).statistic / 2)


def test_of_kinds_it_is_that_of_the_side_where_each_is_commoner():
    assert told_apart(["a", "a", "b", "b"], ["a", "b", "b", "b"]) == 0.625
    assert told_apart(["a"], ["b", "c"]) == 1 and told_apart(["a", "b"], ["b", "a"]) == 0.5


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "loudness": lambda clip: clip / 10,
    "length": lambda clip: clip[:12000],
    "noise floor": lambda clip: clip * np.repeat([0, 1], (4000, 12000)),
    "bandwidth": lambda clip: np.concatenate([*resample([*resample([clip], 2, 1)], 1, 2)]),
}


def sound(rng: np.random.Generator) -> np.ndarray:
    """Return a second with a tone in noise, both as loud as may be."""
    begin, level, floor = rng.integers(4000), rng.uniform(-30, -10), rng.uniform(-80, -40)
    made = 10 ** (floor / 20) * rng.standard_normal(16000)
    made[begin : begin + 8000] += 10 ** (level / 20) * tone(0.5, rng.uniform(100, 3000))
    return made.astype(np.float32)


class TestFolders:
    @pytest.fixture
    def record(self, tmp_path: Path) -> Callable[..., list[str]]:
        """A function that records two words, one of them changed, and returns what is found."""

        def record(change=lambda clip: clip, rate: int = 16000, suffix: str = ".wav") -> list[str]:
            rng = np.random.default_rng(0)
            for i in range(40):
                write(tmp_path / "stop" / f"{i}.wav", sound(rng))
                (tmp_path / "go").mkdir(exist_ok=True)
                samples = np.concatenate([*resample([sound(rng)], 16000, rate)])
                soundfile.write(tmp_path / "go" / f"{i}{suffix}", change(samples), rate)
            return [found.what for found in find_confounds(tmp_path, find_clips(tmp_path))]

        return record

    def test_words_recorded_alike(self, record):
        assert record() == []

    @pytest.mark.parametrize("what", CHANGES)
    def test_one_recorded_otherwise(self, record, what):
        assert what in record(CHANGES[what])

    def test_one_of_another_rate(self, record):
        assert record(rate=8000) == ["sampling rate"]

    def test_one_of_another_format(self, record):
        assert "file format" in record(suffix=".ogg")

    def test_what_cannot_be_read_is_left_out(self, record, tmp_path):
        record()
        for clip in find_clips(tmp_path)[:20]:
            (tmp_path / clip.name).write_text("no sound")
        assert find_confounds(tmp_path, find_clips(tmp_path)) == []

    def test_of_many_clips_some_are_measured(self, record, tmp_path, monkeypatch):
        record()
        measured = []
        monkeypatch.setattr(
            "sweep.audio.confounds.measure", lambda path: measured.append(path) or PLAIN
        )
        clips = find_clips(tmp_path)
        assert find_confounds(tmp_path, clips * 6) == []
        assert len(measured) == 2 * MOST_CLIPS_A_WORD


@pytest.mark.parametrize("words", [("go", "stop"), ("up", "down", "left", "right")])
def test_real_words_raise_no_alarm(speech_commands, words):
    folder = Path(speech_commands)
    if not (folder / words[0]).is_dir():
        folder = folder.with_name("speech_commands_more")
    if not (folder / words[0]).is_dir():
        pytest.skip("no recordings of these words beside those of SPEECH_COMMANDS")
    assert find_confounds(folder, find_clips(folder)) == []
