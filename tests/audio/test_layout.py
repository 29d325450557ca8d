import os

import pytest

from sweep.audio.layout import (
    check_label,
    clip_of,
    find_clips,
    label_of,
    noise_names,
    without_suffix,
)
from sweep.errors import DataError


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_folder_of_words(tmp_path):
    touch(tmp_path, "stop/b_nohash_1.FLAC", "go/a_nohash_0.wav", "go/c.Ogg")
    found = [(c.name, c.label, c.speaker, c.split) for c in find_clips(tmp_path)]
    assert found == [
        ("go/a_nohash_0.wav", "go", "a", None),
        ("go/c.Ogg", "go", "c", None),
        ("stop/b_nohash_1.FLAC", "stop", "b", None),
    ]


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("training", "training"),
        ("train", "training"),
        ("validation", "validation"),
        ("val", "validation"),
        ("testing", "testing"),
        ("test", "testing"),
    ],
)
def test_a_folder_for_each_split(tmp_path, folder, split):
    touch(tmp_path, f"{folder}/go/a_nohash_0.wav")
    (clip,) = find_clips(tmp_path)
    assert (clip.name, clip.label, clip.split) == (f"{folder}/go/a_nohash_0.wav", "go", split)


def test_the_folders_of_the_course(tmp_path):
    touch(tmp_path, "msc-train/go_a_nohash_0.wav", "msc-val/up_b.wav", "msc-test/no_c_nohash_2.wav")
    found = [(c.label, c.speaker, c.split) for c in find_clips(tmp_path)]
    assert found == [("no", "c", "testing"), ("go", "a", "training"), ("up", "b", "validation")]


def test_a_word_may_be_called_like_a_split(tmp_path):
    touch(tmp_path, "train/a_nohash_0.wav", "train/more/b.wav", "plane/a_nohash_0.wav")
    found = [(c.label, c.split) for c in find_clips(tmp_path)]
    assert found == [("plane", None), ("train", None)]


def test_a_clip_is_known_by_its_name_alone(tmp_path):
    touch(tmp_path, "train/a_nohash_0.wav", "val/go/a_nohash_1.wav", "up/b_nohash_0.wav")
    touch(tmp_path, "msc-test/go_c_nohash_0.wav")
    found = find_clips(tmp_path)
    assert [clip_of(clip.name) for clip in found] == found
    assert [(c.label, c.speaker, c.split) for c in found] == [
        ("go", "c", "testing"),
        ("train", "a", None),
        ("up", "b", None),
        ("go", "a", "validation"),
    ]


def test_hidden_files_noise_and_other_files_are_no_clips(tmp_path):
    touch(tmp_path, "go/a.wav", "go/._a.wav", "go/a.txt", "_background_noise_/hum.wav", "x.wav")
    assert [clip.name for clip in find_clips(tmp_path)] == ["go/a.wav"]
    assert noise_names(tmp_path) == ["_background_noise_/hum.wav"]


def test_no_noise_folder_means_no_noise(tmp_path):
    assert noise_names(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="gone: no such folder"):
        find_clips(tmp_path / "gone")


def test_a_file_is_no_folder(tmp_path):
    touch(tmp_path, "file")
    with pytest.raises(DataError, match=r"file: cannot be read \(Not a directory\)"):
        find_clips(tmp_path / "file")


def test_an_empty_folder_tells_what_to_do(tmp_path):
    with pytest.raises(
        DataError,
        match=r"holds no clips \(.wav, .flac, .ogg, .*\); put recordings in a folder for each word",
    ):
        find_clips(tmp_path)


@pytest.mark.parametrize("label", ["go", "turn on", "don't", "über", "走", "a.b", "0"])
def test_labels_that_can_name_a_folder(label):
    assert check_label(label) == label


@pytest.mark.parametrize(
    "label", ["", " ", "..", ".", "../go", "a/b", "a\\b", "C:", "_noise", "\0"]
)
def test_labels_that_cannot_name_a_folder(label):
    with pytest.raises(DataError, match="cannot name a folder"):
        check_label(label)


def test_names_tell_their_label():
    assert label_of("go/a_nohash_0.wav") == "go"
    assert label_of("training/go/a_nohash_0.wav") == "go"
    assert label_of("msc-train/go_a_nohash_0.wav") == "go"


def test_only_known_suffixes_are_taken_off():
    assert without_suffix("go/a.b.WAV") == "go/a.b"
    assert without_suffix("go/a.b") == "go/a.b"


def test_a_name_that_is_not_utf_8_is_told(tmp_path):
    (tmp_path / "go").mkdir()
    with open(os.fsencode(tmp_path / "go") + b"/caf\xe9_nohash_0.wav", "wb"):
        pass
    with pytest.raises(DataError, match=r"go: the name 'caf.udce9_nohash_0.wav' is not UTF-8"):
        find_clips(tmp_path)
