import os
import unicodedata

import pytest

from sweep.audio.layout import (
    check_label,
    clip_of,
    find_clips,
    label_of,
    noise_names,
    passed_over,
    reserved_folders,
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
    ("split", "folders"),
    [
        ("training", ["training", "train", "Train", "TRAINING"]),
        ("validation", ["validation", "valid", "val", "dev", "Valid", "Dev"]),
        ("testing", ["testing", "test", "Test"]),
    ],
)
def test_a_folder_for_each_split(tmp_path, split, folders):
    touch(tmp_path, *(f"{folder}/go/a_nohash_0.wav" for folder in folders))
    found = [(clip.name, clip.label, clip.split) for clip in find_clips(tmp_path)]
    assert found == [(f"{folder}/go/a_nohash_0.wav", "go", split) for folder in sorted(folders)]


def test_a_folder_of_another_name_is_no_split(tmp_path):
    touch(tmp_path, "go/a.wav", "trainer/go/a.wav", "validate/go/b.wav")
    assert [clip.name for clip in find_clips(tmp_path)] == ["go/a.wav"]
    told = passed_over(tmp_path, find_clips(tmp_path))
    assert told == ["trainer/go/a.wav", "validate/go/b.wav"]


def test_where_all_lies_too_deep_the_names_of_splits_are_told(tmp_path):
    touch(tmp_path, "fold1/go/a.wav", "fold2/go/a.wav")
    with pytest.raises(DataError) as refused:
        find_clips(tmp_path)
    assert str(refused.value).endswith(
        "; fold1/go/a.wav lies too deep: folders of words lie in the folder itself, or in folders"
        " named training, train, validation, valid, val, dev, testing, test"
    )


class TestUnicode:
    """A letter with an accent is one letter, whether its accent is apart or not."""

    @pytest.mark.parametrize("form", ["NFC", "NFD"])
    def test_a_label_and_a_speaker_are_the_same_in_either_form(self, tmp_path, form):
        name = unicodedata.normalize(form, "größe/jürgen_nohash_0.wav")
        touch(tmp_path, name)
        (clip,) = find_clips(tmp_path)
        assert (clip.name, clip.label, clip.speaker) == (name, "größe", "jürgen")
        assert label_of(name) == "größe"

    @pytest.mark.parametrize("form", ["NFC", "NFD"])
    def test_a_label_is_brought_into_one_form(self, form):
        assert check_label(unicodedata.normalize(form, "für")) == "für"


class TestNames:
    """With ``label_from: name`` the word is the beginning of the file's name."""

    @pytest.mark.parametrize(
        ("file", "label", "stem"),
        [
            ("yes.0012ab.wav", "yes", "0012ab"),
            ("turn_on.0012ab.wav", "turn_on", "0012ab"),
            ("yes_03.wav", "yes", "03"),
            ("yes-anna-3.flac", "yes", "anna-3"),
            ("yes (3).mp3", "yes", "(3)"),
            ("yes03.wav", "yes", "03"),
            ("7_jackson_32.wav", "7", "jackson_32"),
            ("yes.wav", "yes", "yes"),
            ("7.wav", "7", "7"),
            ("yes_anna_nohash_0.wav", "yes", "anna_nohash_0"),
        ],
    )
    def test_a_word_ends_where_something_else_begins(self, file, label, stem):
        clip = clip_of(file, "name")
        assert (clip.label, clip.stem, clip.split) == (label, stem, None)

    def test_clips_lie_in_the_folder_or_in_those_of_splits(self, tmp_path):
        touch(tmp_path, "yes_1.wav", "Train/no.2.wav", "test/yes.3.wav", "anna/yes.4.wav")
        found = find_clips(tmp_path, "name")
        assert [(c.name, c.label, c.split) for c in found] == [
            ("Train/no.2.wav", "no", "training"),
            ("test/yes.3.wav", "yes", "testing"),
            ("yes_1.wav", "yes", None),
        ]
        assert [clip_of(clip.name, "name") for clip in found] == found

    def test_it_is_offered_where_a_folder_looks_like_it(self, tmp_path):
        touch(tmp_path, *(f"{word}_{i}.wav" for word in ("yes", "no") for i in range(3)))
        with pytest.raises(
            DataError,
            match="the names of its files begin with no, yes; where these are the words, write"
            r" label_from: name in the dataset section \(sweep data check --label-from name\)",
        ):
            find_clips(tmp_path)

    @pytest.mark.parametrize(
        "files", [["rec.1.wav", "rec.2.wav"], ["a1b2.wav", "c3d4.wav", "e5.wav"], ["notes.txt"]]
    )
    def test_it_is_not_offered_where_it_does_not(self, tmp_path, files):
        touch(tmp_path, *files)
        with pytest.raises(DataError, match="put recordings in a folder for each word"):
            find_clips(tmp_path)


def test_folders_that_begin_with_an_underscore_are_counted(tmp_path):
    touch(tmp_path, "go/a.wav", "_unknown_/a.wav", "_unknown_/b.wav", "_unknown_/c.txt")
    touch(tmp_path, "_background_noise_/hum.wav", "train/_silence_/a.flac", "_empty_/x.txt")
    assert reserved_folders(tmp_path) == {"_unknown_": 2, "train/_silence_": 1}
    assert reserved_folders(tmp_path / "go") == {}


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
