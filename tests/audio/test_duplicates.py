import pytest

from sweep.audio.duplicates import find_duplicates, same_files
from sweep.audio.layout import clip_of

NAMES = ["go/a.wav", "go/b.wav", "stop/a.wav", "stop/b.wav"]
CLIPS = [clip_of(name) for name in NAMES]
SPLITS = dict(zip(NAMES, ("training", "validation", "training", "training"), strict=True))


def test_a_recording_in_two_splits_is_no_test():
    (found,) = find_duplicates([["go/a.wav", "go/b.wav"]], CLIPS, SPLITS)
    assert (found.what, found.words) == ("duplicates", ("go",))
    assert (
        found.figures == "1 of the recordings of go are in several splits, as go/a.wav = go/b.wav"
    )
    assert found.advice == "delete all but one of each: what was trained on is no test"


def test_a_recording_of_two_words_has_a_wrong_label():
    (found,) = find_duplicates([["go/a.wav", "stop/a.wav"]], CLIPS, SPLITS)
    assert found.words == ("go", "stop") and "are in several words" in found.figures
    assert found.advice == "keep it in the folder of what is said, delete the others"


def test_a_recording_twice_in_one_split_of_one_word_fools_nobody():
    assert find_duplicates([["stop/a.wav", "stop/b.wav"]], CLIPS, SPLITS) == []
    assert find_duplicates([], CLIPS, SPLITS) == []


def test_a_clip_in_no_split_is_in_no_other():
    assert find_duplicates([["go/a.wav", "go/b.wav"]], CLIPS, {"go/a.wav": "training"}) == []


def test_a_recording_may_be_wrong_in_both():
    found = find_duplicates([["go/b.wav", "stop/a.wav"]], CLIPS, SPLITS)
    assert ["words" in one.figures for one in found] == [True, False]


@pytest.mark.parametrize("size", [0, 10, 50_000])
def test_files_are_the_same_where_all_their_bytes_are(tmp_path, size):
    content = bytes(i % 251 for i in range(size))
    (tmp_path / "a").write_bytes(content)
    (tmp_path / "b").write_bytes(content)
    (tmp_path / "c").write_bytes(content + b"x")
    (tmp_path / "d").write_bytes(b"y" + content)
    (tmp_path / "e").write_bytes((b"z" + content[1:]) if size else b"z")
    assert same_files(tmp_path, "abcde") == [["a", "b"]]
