import numpy as np
import pytest
import soundfile

from sweep.arrays import to_float
from sweep.audio import espeak, synthesis
from sweep.audio.check import inspect_folder
from sweep.audio.clips import read_clip
from sweep.audio.layout import find_clips, noise_names
from sweep.audio.splits import SPLITS, speaker_split, split_clips
from sweep.audio.synthesis import coloured_noise, synthesize, voice_order
from sweep.errors import DataError


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_each_word_gets_its_clips_of_one_second_at_16_khz():
    report = inspect_folder(synthesize(["go", "turn on"], clips_per_label=30))
    assert [(r.label, r.clips) for r in report.labels] == [("go", 30), ("turn on", 30)]
    assert report.sample_rates == {16000: 60}
    assert all(r.shortest_in_s == r.longest_in_s == 1.0 for r in report.labels)
    assert not report.silent and not report.repeated and not report.unreadable


@pytest.mark.parametrize("seconds", [0.25, 4.0])
def test_clips_of_another_length_are_made_of_that_length(seconds):
    report = inspect_folder(synthesize(["go"], 10, clip_length_in_s=seconds))
    assert all(r.shortest_in_s == r.longest_in_s == seconds for r in report.labels)
    assert not report.silent


def test_the_same_request_gives_the_same_bytes(tmp_path, monkeypatch):
    made = []
    for name in ("first", "second"):
        monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / name))
        made.append(contents(synthesize(["go"], clips_per_label=40)))
    assert made[0] == made[1] and len(made[0]) == 43


def test_a_word_does_not_depend_on_the_others():
    alone = contents(synthesize(["go"], clips_per_label=15))
    together = contents(synthesize(["stop", "go"], clips_per_label=15))
    assert {path: together[path] for path in alone} == alone


def test_what_was_asked_for_before_is_not_made_again(monkeypatch):
    folder = synthesize(["go", "stop"], clips_per_label=10)
    monkeypatch.setattr(espeak, "speak", None)
    assert synthesize(["stop", "go"], clips_per_label=10) == folder


@pytest.mark.parametrize("change", [{"seed": 1}, {"snr_db": (0.0, 20.0)}])
def test_another_request_gives_other_clips(change):
    first = contents(synthesize(["go"], clips_per_label=10))
    other = contents(synthesize(["go"], clips_per_label=10, **change))
    assert not set(first.values()) & set(other.values()) - set(noise(first))


def noise(files):
    return [content for path, content in files.items() if path.parts[0].startswith("_")]


def test_voices_are_split_about_80_10_10_and_never_shared():
    voices = voice_order(0)
    splits = [speaker_split(f"espeak_{voice.replace(' ', '_')}") for voice in voices]
    assert sorted(voices) == espeak.voices() and len(voices) > 100
    shares = [splits.count(split) / len(splits) for split in SPLITS]
    assert np.allclose(shares, (0.8, 0.1, 0.1), atol=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_even_ten_clips_reach_every_split(seed):
    clips = find_clips(synthesize(["go"], clips_per_label=10, seed=seed))
    counts = {split: len(own) for split, own in split_clips(clips, "speaker").items()}
    assert counts == {"training": 8, "validation": 1, "testing": 1}


def test_the_signal_to_noise_ratio_is_the_one_asked_for(monkeypatch):
    speech = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
    seen = []
    monkeypatch.setattr(synthesis, "coloured_noise", lambda *_: np.ones(16000, np.float32))
    for snr_db in (-5.0, 0.0, 15.0):
        clip = synthesis._in_noise(speech, 16000, snr_db, np.random.default_rng(1))
        level = np.median(clip)
        inside = np.flatnonzero(np.abs(clip - level) > 1e-6 * np.abs(level))
        loud = clip[inside[0] : inside[0] + 4000] - level
        seen.append(10 * np.log10(np.sum(loud**2) / 16000 / level**2))
    assert np.allclose(seen, (-5.0, 0.0, 15.0), atol=0.05)


def test_clips_are_neither_clipped_nor_faint():
    folder = synthesize(["go"], clips_per_label=20)
    for clip in find_clips(folder):
        assert 0.09 < np.max(np.abs(to_float(read_clip(folder / clip.name, 16000, 16000)))) < 0.91


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_coloured_noise_has_unit_power_and_falls_as_told(exponent):
    noise = coloured_noise(1 << 16, exponent, np.random.default_rng(0))
    assert noise.dtype == np.float32 and np.mean(noise**2) == pytest.approx(1.0, abs=1e-3)
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [np.mean(power[2**k : 2 ** (k + 1)]) for k in range(6, 15)]
    slope = np.polyfit(np.arange(9), np.log2(octaves), 1)[0]
    assert slope == pytest.approx(-exponent, abs=0.1)


def test_background_noise_is_written_beside_the_words():
    folder = synthesize(["go"], clips_per_label=10)
    names = noise_names(folder)
    assert len(names) == 3
    assert all(soundfile.info(folder / name).duration == 10 for name in names)


def test_a_long_text_keeps_one_second():
    folder = synthesize(["a very long sentence about sweeping"], clips_per_label=10)
    assert len(find_clips(folder)) == 10


def test_a_label_that_cannot_be_said_is_named(monkeypatch):
    monkeypatch.setattr(espeak, "speak", lambda asked: [np.zeros(154, np.int16)] * len(asked))
    with pytest.raises(DataError, match="says nothing for the label 'hm'"):
        synthesize(["hm"], clips_per_label=10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": ["../go"]}, "cannot name a folder"),
        ({"labels": ["go"], "clips_per_label": 0}, "at least 1"),
        ({"labels": ["go"], "snr_db": (5.0, 0.0)}, "must rise"),
    ],
)
def test_requests_that_cannot_be(arguments, message):
    with pytest.raises(DataError, match=message):
        synthesize(**arguments)


def test_progress_names_the_word():
    seen = []
    synthesize(["go"], clips_per_label=10, progress=lambda text, share: seen.append((text, share)))
    assert seen == [("speaking 'go'", 0.0), ("speaking", 1.0)]
