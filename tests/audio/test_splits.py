import hashlib
import unicodedata

import pytest

from sweep.audio.layout import Clip, clip_of, find_clips
from sweep.audio.splits import SPLITS, speaker_split, split_clips
from sweep.errors import DataError


def clip(name, split=None):
    label, file = name.split("/")
    return Clip(name, label, file.removesuffix(".flac"), split)


CLIPS = [clip(f"{word}/{who}_nohash_0.flac") for word in ("go", "stop") for who in "abc"]


def lists(folder, **content):
    paths = {}
    for split, lines in content.items():
        paths[split] = str(folder / f"{split}.txt")
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return paths


def names(split):
    return [clip.name for clip in split]


@pytest.mark.parametrize("split", SPLITS)
def test_the_hash_rule_agrees_with_the_official_lists(split, speech_commands_lists):
    lines = (speech_commands_lists / f"official_{split}_list.txt").read_text().split()
    speakers = {line.split("/")[1].split("_nohash_")[0] for line in lines}
    assert speakers and {speaker_split(speaker) for speaker in speakers} == {split}


def test_the_hash_rule_gives_exactly_the_official_lists(speech_commands, speech_commands_lists):
    split = split_clips(find_clips(speech_commands), "speaker")
    for name in SPLITS:
        lines = (speech_commands_lists / f"official_{name}_list.txt").read_text().split()
        assert names(split[name]) == sorted(lines)


@pytest.mark.parametrize("kind", ["official", "polito2022"])
def test_lists_give_exactly_what_they_list(kind, speech_commands, speech_commands_lists):
    paths = {split: speech_commands_lists / f"{kind}_{split}_list.txt" for split in SPLITS}
    split = split_clips(find_clips(speech_commands), {k: str(path) for k, path in paths.items()})
    for name, path in paths.items():
        assert names(split[name]) == sorted(path.read_text().split())


def test_the_hash_rule_is_the_published_one():
    hashed = int(hashlib.sha1(b"bed1").hexdigest(), 16) % 2**27
    percentage = hashed * (100.0 / (2**27 - 1))
    expected = "validation" if percentage < 10 else "testing" if percentage < 20 else "training"
    assert speaker_split("bed1") == expected


def test_the_hash_rule_gives_about_a_tenth_each_to_validation_and_testing():
    splits = [speaker_split(f"speaker {i}") for i in range(5000)]
    assert 0.08 < splits.count("validation") / 5000 < 0.12
    assert 0.08 < splits.count("testing") / 5000 < 0.12


def test_a_speaker_is_in_one_split_only(speech_commands):
    split = split_clips(find_clips(speech_commands), "speaker")
    speakers = [{clip.speaker for clip in split[name]} for name in SPLITS]
    assert not speakers[0] & speakers[1] and not speakers[0] & speakers[2]
    assert not speakers[1] & speakers[2]


def test_without_nohash_the_whole_name_is_the_speaker():
    assert clip("go/anna_2.flac").speaker == "anna_2"


def test_folders_decide_where_they_are_asked():
    clips = [clip(f"go/{split}.flac", split) for split in SPLITS] + [clip("go/extra.flac")]
    found = split_clips(clips, "folders")
    assert {split: names(found[split]) for split in SPLITS} == {
        split: [f"go/{split}.flac"] for split in SPLITS
    }


def test_folders_are_not_asked_where_there_are_none():
    with pytest.raises(DataError, match="no folders named training, validation and testing"):
        split_clips(CLIPS, "folders")


def test_an_unknown_rule_is_named():
    with pytest.raises(DataError, match="unknown split 'random'"):
        split_clips(CLIPS, "random")


def test_lists_match_by_stem_and_pass_over_blank_lines(tmp_path):
    paths = lists(
        tmp_path,
        training=["go/a_nohash_0.wav", "", "./stop/a_nohash_0.wav"],
        validation=["go/b_nohash_0"],
        testing=["go\\c_nohash_0.flac"],
    )
    found = split_clips(CLIPS, paths)
    assert names(found["training"]) == ["go/a_nohash_0.flac", "stop/a_nohash_0.flac"]
    assert names(found["validation"]) == ["go/b_nohash_0.flac"]
    assert names(found["testing"]) == ["go/c_nohash_0.flac"]


def test_lists_prefer_the_file_they_name(tmp_path):
    pair = [Clip("go/a.wav", "go", "a"), Clip("go/a.flac", "go", "a")]
    found = split_clips(pair, lists(tmp_path, validation=["go/a.wav"], testing=["go/a.flac"]))
    assert (names(found["validation"]), names(found["testing"])) == (["go/a.wav"], ["go/a.flac"])


def test_without_a_list_for_training_it_is_the_rest(tmp_path):
    paths = lists(tmp_path, validation=["go/a_nohash_0.wav"], testing=["go/b_nohash_0.wav"])
    assert len(split_clips(CLIPS, paths)["training"]) == 4


def test_a_clip_in_two_lists_names_both_places(tmp_path):
    paths = lists(tmp_path, validation=["go/a_nohash_0.wav"], testing=["", "go/a_nohash_0.flac"])
    with pytest.raises(DataError, match=r"testing\.txt:2: .* already, at .*validation\.txt:1"):
        split_clips(CLIPS, paths)


def test_lines_for_words_that_are_not_searched_for_are_passed_over(tmp_path):
    paths = lists(
        tmp_path,
        validation=["backward/a_nohash_0.wav", "go/a_nohash_0.wav"],
        testing=["bed/a_nohash_0.wav", "stop/b_nohash_0.wav"],
    )
    found = split_clips(CLIPS, paths)
    assert names(found["validation"]) == ["go/a_nohash_0.flac"]
    assert names(found["testing"]) == ["stop/b_nohash_0.flac"]
    assert len(found["training"]) == 4


@pytest.mark.parametrize("line", ["a_nohash_1.wav", "data/stop/a_nohash_1.wav", "stop/a.wav"])
def test_a_line_of_no_word_or_for_a_searched_one_is_not(tmp_path, line):
    with pytest.raises(DataError, match=rf"validation\.txt:1: no clip named {line}"):
        split_clips(CLIPS, lists(tmp_path, validation=[line], testing=[]))


def test_lists_match_in_any_unicode_form(tmp_path):
    for form, other in (("NFC", "NFD"), ("NFD", "NFC")):
        name = unicodedata.normalize(form, "für/jürgen_0.wav")
        paths = lists(tmp_path, validation=[unicodedata.normalize(other, name)], testing=[])
        assert names(split_clips([clip_of(name)], paths)["validation"]) == [name]


def test_lists_name_clips_without_folders_where_names_begin_with_the_word(tmp_path):
    clips = [clip_of(f"{name}.wav", "name") for name in ("yes_1", "yes_2", "no_1")]
    paths = lists(tmp_path, validation=["yes_1.wav", "up_7.wav"], testing=["no_1.wav"])
    found = split_clips(clips, paths, "name")
    assert [names(found[split]) for split in SPLITS] == [["yes_2.wav"], ["yes_1.wav"], ["no_1.wav"]]
    with pytest.raises(DataError, match="no clip named yes_3.wav"):
        split_clips(clips, lists(tmp_path, validation=["yes_3.wav"], testing=[]), "name")


def test_a_line_for_a_missing_clip_names_list_and_line(tmp_path):
    paths = lists(tmp_path, validation=["go/a_nohash_0.wav", "go/gone.wav"], testing=[])
    with pytest.raises(DataError, match=r"validation\.txt:2: no clip named go/gone\.wav"):
        split_clips(CLIPS, paths)


def test_lists_for_some_splits_are_not_enough(tmp_path):
    with pytest.raises(DataError, match="name a list for training, validation and testing"):
        split_clips(CLIPS, lists(tmp_path, training=[], testing=[]))


def test_a_missing_list_is_named(tmp_path):
    paths = lists(tmp_path, testing=[]) | {"validation": str(tmp_path / "gone.txt")}
    with pytest.raises(DataError, match=r"gone\.txt: cannot be read \(No such file"):
        split_clips(CLIPS, paths)


def test_a_list_that_is_not_text_is_named(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00\x80")
    paths = lists(tmp_path, testing=[]) | {"validation": str(tmp_path / "list.txt")}
    with pytest.raises(DataError, match=r"list\.txt: not a text file"):
        split_clips(CLIPS, paths)


def said(words, **clips):
    """Return clips of people who say each of some words so many times."""
    return [
        clip(f"{word}/{who}_nohash_{i}.wav")
        for who, count in clips.items()
        for word in words
        for i in range(count)
    ]


def counts(split):
    """Return how many clips each split has, and how many speakers."""
    clips_of = {name: len(some) for name, some in split.items()}
    return clips_of, {name: len({one.speaker for one in some}) for name, some in split.items()}


WORDS = ("go", "no", "on", "up", "yes")
SIX = dict.fromkeys(("carl", "emil", "fay", "gus", "hedy", "ida"), 20)


def words_everywhere(split, words=WORDS):
    return all({one.label for one in split[name]} == set(words) for name in SPLITS)


def test_six_speakers_are_dealt_whole_where_the_hash_rule_leaves_a_split_empty():
    clips = said(WORDS, **SIX)
    assert {speaker_split(who) for who in SIX} != set(SPLITS)
    found = split_clips(clips, "speaker")
    assert words_everywhere(found)
    assert list(counts(found)[1].values()) == [4, 1, 1]
    who = [{one.speaker for one in found[name]} for name in SPLITS]
    assert who[0] | who[1] | who[2] == set(SIX)


def test_the_hash_rule_stands_where_it_gives_every_split_every_word():
    names = [f"person{i}" for i in range(200)]
    clips = said(WORDS, **dict.fromkeys(names, 2))
    found = split_clips(clips, "speaker")
    assert all(speaker_split(one.speaker) == name for name in SPLITS for one in found[name])


def test_the_hash_rule_does_not_stand_where_training_would_be_small():
    people = {}
    for i in range(1000):
        people.setdefault(speaker_split(f"person{i}"), []).append(f"person{i}")
    few = [people["training"][0], *people["validation"][:4], people["testing"][0]]
    found = split_clips(said(WORDS, **dict.fromkeys(few, 3)), "speaker")
    assert list(counts(found)[1].values()) == [4, 1, 1]


@pytest.mark.parametrize("number", range(3, 31))
def test_shares_come_within_a_speaker_of_80_10_10(number):
    clips = said(("go", "no"), **{f"q{number}x{i}": 10 + i % 4 for i in range(number)})
    found = split_clips(clips, "speaker")
    assert words_everywhere(found, ("go", "no"))
    sizes, speakers = counts(found)
    assert sum(speakers.values()) == number
    hashed = all(speaker_split(one.speaker) == name for name in SPLITS for one in found[name])
    for name in SPLITS[1:]:
        assert hashed or abs(sizes[name] - len(clips) / 10) <= 2 * 13


def test_the_speaker_with_the_most_clips_is_in_training():
    found = split_clips(said(WORDS, anna=90, ben=10, carl=10), "speaker")
    assert {one.speaker for one in found["training"]} == {"anna"}


def test_a_word_that_three_of_many_say_is_in_every_split():
    clips = said(("go",), **{f"p{i}": 5 for i in range(40)})
    clips += [clip(f"rare/p{i}_nohash_0.wav") for i in (7, 8, 9)]
    assert words_everywhere(split_clips(clips, "speaker"), ("go", "rare"))


def test_a_deal_depends_on_speakers_and_their_counts_alone():
    clips = said(WORDS, **SIX)
    found = split_clips(clips, "speaker")
    turned = split_clips(clips[::-1], "speaker")
    renamed = split_clips(
        [clip(f"{one.label}/{one.speaker}_nohash_take{i}.wav") for i, one in enumerate(clips)],
        "speaker",
    )
    who = [{one.speaker for one in found[name]} for name in SPLITS]
    for other in (turned, renamed):
        assert [{one.speaker for one in other[name]} for name in SPLITS] == who


@pytest.mark.parametrize("people", [{"anna": 20}, {"anna": 20, "ben": 12}])
def test_the_recordings_of_one_or_two_speakers_are_dealt(people):
    clips = said(WORDS, **people)
    found = split_clips(clips, "speaker")
    assert words_everywhere(found)
    sizes, speakers = counts(found)
    assert [round(10 * size / len(clips)) for size in sizes.values()] == [8, 1, 1]
    assert set(speakers.values()) == {len(people)}


def test_recordings_are_dealt_where_a_word_has_too_few_speakers():
    clips = said(("go",), **SIX) + said(("rare",), anna=10, ben=10)
    found = split_clips(clips, "speaker")
    assert words_everywhere(found, ("go", "rare"))


def test_a_word_of_two_recordings_cannot_be_in_three_splits():
    clips = said(("go",), **SIX) + said(("rare",), anna=1, ben=1)
    found = split_clips(clips, "speaker")
    assert not words_everywhere(found, ("go", "rare"))
    assert sum(map(len, found.values())) == len(clips)
