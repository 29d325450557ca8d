"""Words that nobody says, made of recorded ones."""

import numpy as np
import pytest
import soundfile

from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.layout import label_of
from sweep.audio.near_misses import make_near_misses
from sweep.audio.open_set import UnknownSpec
from sweep.errors import DataError

from .recordings import tone


def spectrum(samples):
    """Return the frequency in Hz that is strongest."""
    return np.fft.rfftfreq(len(samples), 1 / 16000)[np.abs(np.fft.rfft(samples)).argmax()]


@pytest.fixture
def made(recordings, tmp_path):
    return tmp_path / "others", make_near_misses([recordings], (), None, tmp_path / "others")


def test_spliced_clips_are_halves_of_two_words_of_one_speaker(tmp_path):
    for word, hz in (("go", 400), ("stop", 1200)):
        for speaker in ("anna", "carl"):
            (tmp_path / "words" / word).mkdir(parents=True, exist_ok=True)
            file = tmp_path / "words" / word / f"{speaker}_nohash_0.wav"
            soundfile.write(file, tone(hz=hz + (50 if speaker == "carl" else 0)), 16000)
    counts = make_near_misses([tmp_path / "words"], (), None, tmp_path / "out")
    assert counts == {"spliced-go": 2, "spliced-stop": 2}
    found = set()
    for file in sorted((tmp_path / "out").glob("spliced-*/*")):
        samples, _ = soundfile.read(file)
        half = len(samples) // 2
        found.add(
            (
                file.name.split("_")[0],
                *(round(spectrum(part)) for part in (samples[: half - 200], samples[half + 200 :])),
            )
        )
    near = {("anna", 400, 1200), ("anna", 1200, 400), ("carl", 450, 1250), ("carl", 1250, 450)}
    for speaker, first, second in near:
        assert any(s == speaker and abs(a - first) < 5 and abs(b - second) < 5 for s, a, b in found)


def test_only_the_words_named_are_used(recordings, tmp_path):
    assert make_near_misses([recordings], (), ["go", "stop"], tmp_path / "out").keys() == {
        "spliced-go",
        "spliced-stop",
    }
    with pytest.raises(DataError, match="no clips of sit"):
        make_near_misses([recordings], (), ["go", "sit"], tmp_path / "other")


def test_none_begins_with_a_keyword(recordings, tmp_path):
    counts = make_near_misses([recordings], ["stop"], ["go", "stop"], tmp_path / "out")
    assert counts.keys() == {"spliced-go"} and counts["spliced-go"] > 0
    assert {folder.name for folder in (tmp_path / "out").iterdir()} == counts.keys()


def test_keywords_alone_or_none_are_told(recordings, tmp_path):
    with pytest.raises(DataError, match="no clips of other words than go, stop$"):
        make_near_misses([recordings], ["go", "stop"], ["go", "stop"], tmp_path / "out")
    with pytest.raises(DataError, match="no clips of sit$"):
        make_near_misses([recordings], ["sit"], None, tmp_path / "out")


def test_near_misses_that_are_there_are_left_alone(recordings, made):
    out, _ = made
    with pytest.raises(DataError, match="is there already"):
        make_near_misses([recordings], (), None, out)


def test_a_data_set_rejects_them_with_speakers_apart(recordings, made):
    out, _ = made
    unknown = UnknownSpec(folder=str(out), share=9, held_out=0)
    dataset = open_dataset(DatasetSpec(str(recordings), ("go", "stop"), unknown=unknown))
    assert dataset.speakers.disjoint
    words = {label_of(name) for name in dataset.names("training")}
    assert {"spliced-go", "spliced-stop"} <= words
