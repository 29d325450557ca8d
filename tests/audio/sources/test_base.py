"""Sources from outside: recordings that a class yields."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.layout import find_clips
from sweep.audio.location import linked, locate
from sweep.audio.sources.base import Source, Utterance, Wanted
from sweep.audio.sources.lookup import is_folder, source_of
from sweep.errors import DataError, PluginError
from sweep.parameters import parameter
from sweep.registry import search_in
from sweep.space import Space

EXAMPLES = Path(__file__).parents[3] / "examples"
WANTED = Wanted(("stop", "go"))


class Tones(Source):
    """Tones in place of words, made when they are asked for."""

    speakers: int = parameter(10, low=1, high=100, meaning="speakers of each word")

    def utterances(self, wanted):
        for pitch, label in enumerate(wanted.words, start=2):
            for speaker in range(self.speakers):
                wave = np.sin(np.arange(8000) * pitch * (100 + speaker) / 8000)
                yield Utterance(label, (wave * 20000).astype(np.int16), 8000, speaker=f"s{speaker}")


@pytest.fixture
def listed(tmp_path):
    """A CSV file of recordings in one folder, which names words, splits and speakers."""

    def write(*columns, changes=()):
        rng, rows = np.random.default_rng(0), []
        for label in ("stop", "go"):
            for i, split in enumerate(["train"] * 6 + ["val"] * 2 + ["test"] * 2):
                name = f"take {i} of {label}.wav"
                soundfile.write(tmp_path / name, rng.uniform(-0.5, 0.5, 16000), 16000)
                rows.append({"path": name, "label": label, "split": split, "speaker": f"p{i}"})
        for index, change in changes:
            rows[index] |= change
        with open(tmp_path / "clips.csv", "w", newline="") as file:
            table = csv.DictWriter(file, columns, extrasaction="ignore")
            table.writeheader()
            table.writerows(rows)
        search_in(EXAMPLES)
        return DatasetSpec(
            "csv_source:CSV", ("stop", "go"), parameters={"file": tmp_path / "clips.csv"}
        )

    return write


def test_samples_that_a_source_yields_are_split_by_their_speakers(tmp_path):
    folder = Tones(speakers=12).folder(WANTED)
    clips = find_clips(folder)
    assert len(clips) == 24
    assert {clip.speaker for clip in clips if clip.label == "go"} == {f"s{i}" for i in range(12)}
    samples, rate = soundfile.read(folder / clips[0].name, dtype="int16")
    assert rate == 8000 and abs(samples).max() == pytest.approx(20000, abs=10)
    assert Tones(speakers=12).folder(WANTED) == folder
    assert Tones(speakers=11).folder(WANTED) != folder


def test_a_csv_names_recordings_and_their_splits(listed, tmp_path):
    dataset = open_dataset(listed("path", "label", "split", "speaker"))
    assert dataset.counts == {"training": 12, "validation": 4, "testing": 4}
    assert dataset.speakers.counts == {"training": 6, "validation": 2, "testing": 2}
    assert dataset.speakers.disjoint
    assert "go/p6_nohash_take 6 of go.wav" in dataset.names("validation")
    assert dataset.waveforms("testing", 16000).shape == (4, 16000)
    assert linked(dataset.spec) == (tmp_path,)


def test_without_splits_the_rule_of_the_data_set_holds(listed):
    spec = listed("path", "label")
    assert source_of(spec.source, spec.parameters).lists(locate(spec)) == {}
    assert sum(open_dataset(spec).counts.values()) == 20


def test_a_recording_that_changes_makes_another_data_set(listed, tmp_path):
    spec = listed("path", "label", "split")
    before = open_dataset(spec)
    assert open_dataset(spec).fingerprint == before.fingerprint
    soundfile.write(tmp_path / "take 0 of go.wav", np.ones(16000) / 2, 16000)
    assert open_dataset(spec).fingerprint != before.fingerprint


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"path": "gone.wav"}, DataError, "gone.wav: no such file"),
        ({"path": "take.txt"}, PluginError, r"csv_source.py:\d+: ValueError: .*take.txt: is none"),
        ({"label": "../up"}, PluginError, r"csv_source.py:\d+: ValueError: label '../up' cannot"),
        ({"speaker": "a/b"}, PluginError, r"csv_source.py:\d+: ValueError: speaker 'a/b' cannot"),
        ({"split": "dev2"}, PluginError, r"csv_source.py:\d+: ValueError: 'dev2' is no split"),
        ({"split": ""}, PluginError, r"csv_source.py:\d+: ValueError: gives some recordings a"),
    ],
)
def test_what_is_wrong_with_a_row_is_told(listed, change, error, message):
    spec = listed("path", "label", "split", "speaker", changes=[(3, change)])
    with pytest.raises(error, match=message):
        open_dataset(spec)


def test_a_row_without_a_label_is_told_with_its_line(listed):
    spec = listed("path", "label", changes=[(4, {"label": ""})])
    with pytest.raises(Exception, match=r"clips.csv:6: needs a path and a label"):
        open_dataset(spec)


def test_a_source_that_fails_is_told_with_its_line():
    class Failing(Source):
        """Fails."""

        def utterances(self, wanted):
            yield Utterance(**{"word": "go"})

    class Silent(Source):
        """Yields nothing."""

        def utterances(self, wanted):
            return iter(())

    class Unfinished(Source):
        """Says nothing."""

    for kind, message in (
        (Failing, "TypeError: .*'word'"),
        (Silent, "yields no recording"),
        (Unfinished, r"Unfinished does not define utterances\(\)"),
    ):
        with pytest.raises(PluginError, match=rf"test_base.py:\d+: .*{message}"):
            kind().folder(WANTED)


def test_recordings_of_one_name_are_both_there(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "1.wav", np.zeros(800), 16000)

    class Two(Source):
        """Two files of one name."""

        def utterances(self, wanted):
            yield Utterance("go", tmp_path / "a/1.wav")
            yield Utterance("go", tmp_path / "b/1.wav")

    assert len(find_clips(Two().folder(WANTED))) == 2


@pytest.mark.parametrize("name", ["synthetic", "speech_commands", "module:Name", "a.b:C"])
def test_a_name_is_no_folder(name):
    assert not is_folder(name)


@pytest.mark.parametrize("name", ["recordings", "./a:b", "C:\\words", "/data/go:stop", "1:2"])
def test_a_path_is(name):
    assert is_folder(name)


CSV_SPACE = "dataset: {{source: 'csv_source:CSV', labels: [stop, go], {}}}"


def test_parameters_of_a_source_are_keys_of_the_data_set(tmp_path, monkeypatch):
    search_in(EXAMPLES)
    monkeypatch.chdir(tmp_path)
    section = Space.parse(CSV_SPACE.format("file: mine.csv")).file.dataset
    assert section.spec().parameters == {"file": tmp_path / "mine.csv"}
    again = Space.parse(Space.parse(CSV_SPACE.format("seed: 1")).text()).file.dataset
    assert again.parameters == {"file": tmp_path / "clips.csv"} and again.seed == 1
    assert section.at("words").spec().parameters == {}
