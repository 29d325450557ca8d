import os
import pickle
import shutil
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep.audio import dataset as dataset_module
from sweep.audio.clips import read_clip
from sweep.audio.dataset import open_dataset, typical_length
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.location import locate
from sweep.audio.splits import SPLITS
from sweep.errors import DataError

from .recordings import speakers, tone, write


@pytest.fixture
def spec(recordings):
    return DatasetSpec(source=str(recordings), labels=("stop", "go"))


def test_clips_are_counted_by_split(spec):
    assert open_dataset(spec).counts == {"training": 12, "validation": 4, "testing": 4}


class TestLengths:
    def test_clips_have_the_length_asked_for(self, spec, recordings):
        dataset = open_dataset(replace(spec, clip_length_in_s=0.5))
        assert dataset.fingerprint == open_dataset(spec).fingerprint
        waveforms = dataset.waveforms("validation", 16000)
        assert waveforms.shape == (4, 8000)
        for name, waveform in zip(dataset.names("validation"), waveforms, strict=True):
            assert np.array_equal(waveform, read_clip(recordings / name, 16000, 8000))
        assert open_dataset(spec).waveforms("validation", 16000).shape == (4, 16000)

    def test_spoken_words_are_made_of_that_length(self):
        spec = DatasetSpec(
            "synthetic", ("go",), parameters={"clips_per_label": 10}, clip_length_in_s=2.5
        )
        assert soundfile.info(next(locate(spec).glob("go/*"))).frames == 40000
        assert open_dataset(spec).waveforms("training", 8000).shape == (8, 20000)

    def test_the_recordings_tell_it_where_asked_to(self, spec, recordings):
        paths = sorted(recordings.rglob("*.wav"))
        for i, path in enumerate(paths):
            write(path, tone(0.5 + 0.02 * i, hz=300 + i))
        dataset = open_dataset(replace(spec, clip_length_in_s="auto"))
        lengths = [
            soundfile.info(recordings / name).duration
            for split in ("training", "validation")
            for name in dataset.names(split)
        ]
        assert max(lengths) <= dataset.clip_length_in_s < max(lengths) + 0.05
        assert dataset.waveforms("training", 8000).shape[1] == 8000 * dataset.clip_length_in_s

    def test_of_testing_clips_nothing_is_known_then(self, spec, recordings):
        for name in open_dataset(spec).listed["testing"]:
            write(recordings / name, tone(3))
        assert open_dataset(replace(spec, clip_length_in_s="auto")).clip_length_in_s == 1.0

    @pytest.mark.parametrize(
        ("lengths", "typical"),
        [
            ([1.0] * 100, 1.0),
            ([0.61] * 95 + [2.0] * 5, 0.65),
            ([0.61] * 94 + [2.0] * 6, 2.0),
            ([0.05], 0.25),
            ([60.0], 4.0),
            ([14400 / 16000], 0.9),
        ],
    )
    def test_a_typical_length_holds_95_of_100_recordings(self, lengths, typical):
        assert typical_length(lengths) == typical


def test_waveforms_are_the_clips_one_by_one(spec, recordings):
    dataset = open_dataset(spec)
    for split in SPLITS:
        waveforms = dataset.waveforms(split, 8000)
        assert waveforms.dtype == np.int16 and waveforms.shape == (dataset.counts[split], 8000)
        for name, waveform in zip(dataset.names(split), waveforms, strict=True):
            assert np.array_equal(waveform, read_clip(recordings / name, 8000, 8000))


def test_waveforms_cannot_be_written(spec):
    waveforms = open_dataset(spec).waveforms("training", 16000)
    with pytest.raises(ValueError, match="read-only"):
        waveforms[0, 0] = 1


def test_targets_are_places_in_labels(spec):
    dataset = open_dataset(spec)
    for split in SPLITS:
        targets = dataset.targets(split)
        assert targets.dtype == np.int64
        assert [dataset.labels[t] for t in targets] == [
            name.split("/")[0] for name in dataset.names(split)
        ]


def test_waveforms_are_prepared_once_for_each_rate(spec, monkeypatch):
    dataset = open_dataset(spec)
    first = np.array(dataset.waveforms("validation", 8000))
    monkeypatch.setattr(dataset_module, "read_clip", None)
    assert np.array_equal(dataset.waveforms("validation", 8000), first)
    with pytest.raises(TypeError):
        dataset.waveforms("validation", 4000)


def test_a_dataset_travels_to_another_process(spec):
    dataset = open_dataset(spec)
    code = (
        "import pickle, sys; d = pickle.load(sys.stdin.buffer); "
        "print(d.fingerprint, d.waveforms('training', 8000).sum(), d.targets('training').sum())"
    )
    child = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(dataset),
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    total = dataset.waveforms("training", 8000).sum()
    assert child.stdout.decode().split() == [dataset.fingerprint, str(total), "6"]


def test_a_relative_folder_is_found_from_elsewhere(recordings, monkeypatch, tmp_path):
    monkeypatch.chdir(recordings.parent)
    dataset = open_dataset(DatasetSpec(recordings.name, ("go", "stop")))
    monkeypatch.chdir(tmp_path_elsewhere := tmp_path / "recordings" / "go")
    assert tmp_path_elsewhere.is_dir()
    assert dataset.waveforms("training", 8000).shape == (12, 8000)


def test_testing_clips_are_not_read_until_they_are_asked_for(spec, recordings):
    before = open_dataset(spec)
    for speaker in speakers("testing", 2):
        for word in spec.labels:
            (recordings / word / f"{speaker}_nohash_0.wav").write_text("not to be read")
    dataset = open_dataset(spec)
    dataset.waveforms("training", 16000)
    dataset.waveforms("validation", 16000)
    assert dataset.counts == before.counts and dataset.fingerprint == before.fingerprint
    assert dataset.skipped == ()
    with pytest.raises(DataError, match="no usable clip of stop, go for testing"):
        dataset.waveforms("testing", 16000)


def test_a_testing_clip_that_cannot_be_read_is_left_out_everywhere(spec, recordings):
    name = f"go/{speakers('testing', 1)[0]}_nohash_0.wav"
    (recordings / name).write_text("not a recording")
    dataset = open_dataset(spec)
    assert dataset.counts["testing"] == 4
    assert dataset.skipped_in("testing") == (f"{name}: not a readable audio file",)
    assert name not in dataset.names("testing")
    assert len(dataset.names("testing")) == len(dataset.targets("testing")) == 3
    assert len(dataset.waveforms("testing", 8000)) == 3


def test_testing_clips_that_were_replaced_are_prepared_again(spec, recordings):
    dataset = open_dataset(spec)
    first = np.array(dataset.waveforms("testing", 8000))
    write(recordings / dataset.names("testing")[0], tone(0.5, hz=1000))
    assert not np.array_equal(dataset.waveforms("testing", 8000), first)


def test_unusable_clips_are_named_and_left_out(spec, recordings):
    speaker = speakers("training", 1)[0]
    (recordings / "go" / f"{speaker}_nohash_1.wav").write_text("go")
    write(recordings / "go" / f"{speaker}_nohash_2.flac", np.zeros(0))
    noise = 0.1 * np.random.default_rng(0).standard_normal(16000)
    cut = write(recordings / "stop" / f"{speaker}_nohash_3.flac", noise)
    cut.write_bytes(cut.read_bytes()[:5000])
    (recordings / "stop" / f"{speaker}_nohash_4.wav").symlink_to("gone")
    dataset = open_dataset(spec)
    assert dataset.counts["training"] == len(dataset.waveforms("training", 8000)) == 12
    assert [line.split(": ")[0] for line in dataset.skipped] == [
        f"go/{speaker}_nohash_1.wav",
        f"go/{speaker}_nohash_2.flac",
        f"stop/{speaker}_nohash_3.flac",
        f"stop/{speaker}_nohash_4.wav",
    ]
    assert dataset.skipped_in("training") == dataset.skipped
    assert dataset.skipped_in("validation") == ()


def test_float_clips_beyond_full_scale_are_used_and_noted(spec, recordings):
    name = f"go/{speakers('training', 1)[0]}_nohash_0.wav"
    samples = soundfile.read(recordings / name)[0]
    soundfile.write(recordings / name, 32768 * samples, 16000, subtype="FLOAT")
    dataset = open_dataset(spec)
    (line,) = dataset.noted
    assert line.startswith(f"{name}: float samples up to") and not dataset.skipped
    waveform = dataset.waveforms("training", 16000)[dataset.names("training").index(name)]
    assert np.abs(waveform - 32768 * samples).max() <= 0.5


def test_a_file_that_may_not_be_read_is_named(spec, recordings, monkeypatch):
    refused = recordings / "go" / f"{speakers('training', 1)[0]}_nohash_0.wav"
    plain_open = open

    def guarded(path, *args, **kwargs):
        if path == refused:
            raise PermissionError(13, "Permission denied")
        return plain_open(path, *args, **kwargs)

    monkeypatch.setattr("builtins.open", guarded)
    (line,) = open_dataset(spec).skipped
    assert line.endswith("_nohash_0.wav: cannot be read (Permission denied)")


def test_the_fingerprint_tells_other_recordings_labels_and_names(spec, recordings):
    def fingerprint(labels=("stop", "go")):
        return open_dataset(DatasetSpec(str(recordings), labels)).fingerprint

    first = fingerprint()
    assert fingerprint() == first
    assert fingerprint(("go", "stop")) != first
    validation, testing = (speakers(split, 1)[0] for split in ("validation", "testing"))
    seen = {first}
    for change in (
        lambda: write(recordings / "go" / f"{validation}_nohash_0.wav", tone(hz=99)),
        lambda: write(recordings / "go" / f"{testing}_nohash_7.wav", tone()),
        lambda: write(recordings / "_background_noise_" / "hum.wav", tone(hz=50)),
    ):
        change()
        assert fingerprint() not in seen
        seen.add(fingerprint())


def test_the_fingerprint_does_not_depend_on_where_the_folder_lies(spec, recordings):
    first = open_dataset(spec).fingerprint
    moved = recordings.rename(recordings.with_name("moved"))
    assert open_dataset(DatasetSpec(str(moved), spec.labels)).fingerprint == first


def test_recordings_that_changed_since_are_noticed(spec, recordings):
    dataset = open_dataset(spec)
    write(recordings / dataset.names("training")[0], tone(hz=99))
    with pytest.raises(DataError, match="training clips have changed since"):
        dataset.waveforms("training", 16000)


def test_recordings_that_went_away_are_noticed(spec, recordings):
    dataset = open_dataset(spec)
    (recordings / dataset.names("training")[0]).unlink()
    with pytest.raises(DataError, match="training clips have changed since"):
        dataset.waveforms("training", 16000)
    shutil.rmtree(recordings)
    with pytest.raises(DataError, match="no such folder"):
        dataset.waveforms("validation", 16000)


def test_noise_is_every_background_recording_in_a_row(spec, recordings):
    first = write(recordings / "_background_noise_" / "a.wav", tone(0.5, rate=8000), 8000)
    write(recordings / "_background_noise_" / "b.wav", tone(0.25))
    (recordings / "_background_noise_" / "c.wav").write_text("no sound")
    dataset = open_dataset(spec)
    noise = dataset.noise(8000)
    assert noise.dtype == np.float32 and noise.shape == (6000,)
    assert np.array_equal(noise[:4000], soundfile.read(first, dtype="float32")[0])
    assert dataset.skipped == ("_background_noise_/c.wav: not a readable audio file",)


def test_without_background_recordings_noise_is_empty(spec):
    noise = open_dataset(spec).noise(16000)
    assert noise.dtype == np.float32 and noise.shape == (0,)


def test_a_label_that_is_not_there_is_told_with_those_that_are(recordings):
    with pytest.raises(DataError, match="no clips of left, up; there are: go, stop"):
        open_dataset(DatasetSpec(str(recordings), ("left", "go", "up")))


@pytest.mark.parametrize("labels", [("../go", "stop"), ("go", "go"), ()])
def test_labels_that_cannot_be(recordings, labels):
    with pytest.raises(DataError, match="label"):
        open_dataset(DatasetSpec(str(recordings), labels))


def test_words_that_are_not_searched_for_do_not_change_how_clips_are_dealt(tmp_path):
    for i, speaker in enumerate(speakers("training", 5)):
        for word in ("go", "stop"):
            write(tmp_path / word / f"{speaker}_nohash_0.wav", tone(hz=200 + i))
    spec = DatasetSpec(str(tmp_path), ("go", "stop"))
    before = open_dataset(spec).listed
    for i in range(30):
        write(tmp_path / "up" / f"{speakers('training', 1)[0]}_nohash_{i}.wav", tone(0.1))
    assert open_dataset(spec).listed == before


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_labels_are_found_in_any_unicode_form(recordings, form):
    for old, new in (("go", "für"), ("stop", "größe")):
        (recordings / old).rename(recordings / unicodedata.normalize(form, new))
    wanted = unicodedata.normalize("NFD" if form == "NFC" else "NFC", "für größe").split()
    dataset = open_dataset(DatasetSpec(str(recordings), tuple(wanted)))
    assert dataset.labels == ("für", "größe")
    assert sorted(dataset.targets("validation")) == [0, 0, 1, 1]


def test_words_may_be_in_the_names_of_files(recordings, tmp_path):
    for clip in recordings.rglob("*.wav"):
        clip.rename(tmp_path / f"{clip.parent.name}.{clip.name}")
    shutil.rmtree(recordings)
    dataset = open_dataset(DatasetSpec(str(tmp_path), ("stop", "go"), label_from="name"))
    assert dataset.counts == {"training": 12, "validation": 4, "testing": 4}
    assert dataset.targets("validation").tolist() == [1, 1, 0, 0]


def test_that_is_offered_where_folders_of_splits_hold_the_files(recordings, tmp_path):
    for i, clip in enumerate(sorted(recordings.rglob("*.wav"))):
        split = tmp_path / ("training", "testing")[i % 2]
        split.mkdir(exist_ok=True)
        clip.rename(split / f"{clip.parent.name}.{clip.name}")
    shutil.rmtree(recordings)
    with pytest.raises(
        DataError,
        match="no clips of go, stop; there are: testing, training; names of files begin with them:"
        " write label_from: name",
    ):
        open_dataset(DatasetSpec(str(tmp_path), ("go", "stop"), split="folders"))


def test_lists_may_name_words_that_are_not_searched_for(spec, recordings, tmp_path):
    lists = {split: str(tmp_path / f"{split}.txt") for split in ("validation", "testing")}
    for split, path in lists.items():
        named = [f"{word}/{speakers(split, 1)[0]}_nohash_0.wav" for word in ("go", "stop", "bed")]
        Path(path).write_text("\n".join(named))
    dataset = open_dataset(replace(spec, split=lists))
    assert dataset.counts == {"training": 16, "validation": 2, "testing": 2}


@pytest.mark.parametrize(
    ("split", "advice"),
    [
        ("speaker", "training; record more, or name the clips"),
        ("folders", "validation; put some in a folder named validation or valid or val or dev"),
    ],
)
def test_what_a_split_lacks_is_told_by_its_rule(tmp_path, split, advice):
    for folder in ("Train", "validate", "Test"):
        for word in ("go", "stop"):
            write(tmp_path / folder / word / "anna_nohash_0.wav", tone())
    with pytest.raises(DataError, match=f"no usable clip of go, stop for {advice}"):
        open_dataset(DatasetSpec(str(tmp_path), ("go", "stop"), split=split))


def test_a_split_without_a_word_tells_what_to_do(recordings):
    for clip in sorted((recordings / "stop").iterdir())[2:]:
        clip.unlink()
    with pytest.raises(DataError, match="no usable clip of stop for testing; record more"):
        open_dataset(DatasetSpec(str(recordings), ("go", "stop")))


def test_a_split_whose_clips_cannot_be_used_names_one_of_them(spec, recordings):
    for speaker in speakers("validation", 2):
        (recordings / "stop" / f"{speaker}_nohash_0.wav").write_text("stop")
    with pytest.raises(DataError) as refused:
        open_dataset(spec)
    message = str(refused.value)
    assert message.startswith(f"{recordings}: no usable clip of stop for validation (2 cannot be")
    assert "_nohash_0.wav: not a readable audio file)" in message


def test_a_source_that_is_neither_a_name_nor_a_folder(tmp_path):
    with pytest.raises(DataError, match="gone: no such folder; .* synthetic or mini_speech"):
        open_dataset(DatasetSpec(str(tmp_path / "gone"), ("go", "stop")))


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="holds no clips"):
        open_dataset(DatasetSpec(str(tmp_path), ("go", "stop")))


def test_clips_may_be_split_by_their_folders(tmp_path):
    for split, folder in zip(SPLITS, ("msc-train", "msc-val", "msc-test"), strict=True):
        for word in ("go", "stop"):
            write(tmp_path / folder / f"{word}_anna_nohash_{split}.wav", tone())
    dataset = open_dataset(DatasetSpec(str(tmp_path), ("go", "stop"), split="folders"))
    assert dataset.counts == dict.fromkeys(SPLITS, 2)
    assert dataset.names("validation")[1] == "msc-val/stop_anna_nohash_validation.wav"
    assert dataset.targets("testing").tolist() == [0, 1]


def test_progress_is_told(spec):
    seen = []
    open_dataset(spec, lambda text, share: seen.append((text, share)))
    assert seen and all(0 <= share <= 1 for _, share in seen)


def test_synthetic_speech_is_a_dataset_like_any_other():
    spec = DatasetSpec("synthetic", ("yes", "no"), parameters={"clips_per_label": 20})
    dataset = open_dataset(spec)
    assert sum(dataset.counts.values()) == 40
    assert dataset.waveforms("training", 16000).shape == (dataset.counts["training"], 16000)
    assert len(dataset.noise(16000)) > 16000


def test_the_official_counts(speech_commands):
    dataset = open_dataset(DatasetSpec(str(speech_commands), ("stop", "go")))
    assert dataset.counts == {"training": 1582, "validation": 206, "testing": 212}
    assert dataset.skipped == ()
    waveforms = dataset.waveforms("validation", 16000)
    for i in (0, 100, 205):
        samples = soundfile.read(speech_commands / dataset.names("validation")[i], dtype="int16")[0]
        assert np.array_equal(waveforms[i, : len(samples)], samples)
        assert not waveforms[i, len(samples) :].any()
