import shutil

import numpy as np
import pytest
import soundfile

from sweep.audio.check import inspect_clips, inspect_folder
from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.splits import SPLITS, speaker_split
from sweep.errors import DataError

from .recordings import noise, speakers, tone, write


def test_a_good_folder_has_nothing_to_report(recordings):
    report = inspect_folder(recordings)
    assert [(r.label, r.clips, r.speakers) for r in report.labels] == [
        ("go", 10, 10),
        ("stop", 10, 10),
    ]
    assert report.clips == 20 and report.sample_rates == {16000: 20} and report.noises == 0
    assert not report.silent and not report.repeated and not report.unreadable


def test_clips_are_counted_by_the_split_their_speaker_falls_into(tmp_path):
    for speaker, split in (("anna", "validation"), ("ben", "testing"), ("0a7c2a8d", "training")):
        assert speaker_split(speaker) == split
        for i in range(2):
            write(tmp_path / "go" / f"{speaker}_nohash_{i}.wav", tone(1.0))
    write(tmp_path / "stop" / "anna_nohash_0.wav", tone(0.5))
    go, stop = inspect_folder(tmp_path).labels
    assert go.splits == {"training": 2, "validation": 2, "testing": 2}
    assert stop.splits == {"training": 0, "validation": 1, "testing": 0}


def test_folders_of_splits_are_believed(tmp_path):
    for split, count in (("training", 3), ("validation", 2), ("testing", 1)):
        for i in range(count):
            write(tmp_path / split / "go" / f"anna_nohash_{i}.wav", tone(0.5 + i / 10))
    (label,) = inspect_folder(tmp_path).labels
    assert label.splits == {"training": 3, "validation": 2, "testing": 1}


def test_lengths_are_in_seconds(tmp_path):
    for i, seconds in enumerate((0.5, 1.0, 3.0)):
        write(tmp_path / "go" / f"{i}.wav", tone(seconds, rate=8000), 8000)
    (label,) = inspect_folder(tmp_path).labels
    assert (label.shortest_in_s, label.median_in_s, label.longest_in_s) == (0.5, 1.0, 3.0)


def test_silent_repeated_and_unreadable_clips_are_named(recordings):
    write(recordings / "go" / "hush.wav", 0.0005 * np.ones(16000))
    write(recordings / "go" / "soft.wav", 0.002 * np.ones(16000))
    original = soundfile.read(next((recordings / "stop").iterdir()), dtype="int16")[0]
    write(recordings / "go" / "again.flac", original)
    (recordings / "go" / "text.wav").write_text("no sound")
    write(recordings / "stop" / "empty.wav", np.zeros(0))
    report = inspect_folder(recordings)
    assert report.silent == ("go/hush.wav",)
    assert [names[0] for names in report.repeated] == ["go/again.flac"]
    assert report.unreadable == (
        "go/text.wav: not a readable audio file",
        "stop/empty.wav: holds no samples",
    )


def test_float_clips_beyond_full_scale_are_named_and_those_within_are_not(recordings):
    soundfile.write(recordings / "go" / "loud.wav", 20000 * tone(), 16000, subtype="FLOAT")
    soundfile.write(recordings / "go" / "soft.wav", 0.0005 * tone(), 16000, subtype="FLOAT")
    report = inspect_folder(recordings)
    assert report.noted == ("go/loud.wav: float samples up to 10,000, divided by 32,768",)
    assert report.silent == ("go/soft.wav",) and not report.unreadable


def test_clips_whose_names_tell_no_speaker_are_counted(recordings):
    assert inspect_folder(recordings).speakers.unnamed == 0
    write(recordings / "go" / "anna_0.wav", tone())
    assert inspect_folder(recordings).speakers.unnamed == 1


def test_a_word_without_one_usable_clip_is_still_reported(tmp_path):
    write(tmp_path / "go" / "empty.wav", np.zeros(0))
    (label,) = inspect_folder(tmp_path).labels
    assert (label.label, label.clips, label.median_in_s) == ("go", 0, 0.0)


def test_the_folders_of_the_course_are_known(tmp_path):
    write(tmp_path / "msc-train" / "go_anna_nohash_0.wav", tone())
    write(tmp_path / "msc-test" / "go_anna_nohash_1.wav", tone(hz=500))
    (label,) = inspect_folder(tmp_path).labels
    assert (label.label, label.clips, label.speakers) == ("go", 2, 1)


def test_progress_goes_from_nought_towards_one(recordings):
    seen = []
    inspect_folder(recordings, lambda text, share: seen.append((text, share)))
    assert seen[0] == ("reading clips", 0.0) and all(0 <= share <= 1 for _, share in seen)


def test_recordings_of_another_format_or_too_deep_are_named(recordings):
    (recordings / "go" / "more").mkdir()
    shutil.copy(next((recordings / "go").glob("*.*")), recordings / "go" / "more" / "deep.wav")
    (recordings / "go" / "phone.m4a").touch()
    (recordings / "README.md").touch()
    assert inspect_folder(recordings).passed_over == ("go/more/deep.wav", "go/phone.m4a")


def test_what_may_fool_a_search_is_found(recordings):
    assert not inspect_folder(recordings).findings
    for i in range(40):
        room = noise(0.5, 0.01)
        write(recordings / "go" / f"{i}_nohash_0.wav", tone(0.5, hz=100 + i) + room)
        write(recordings / "stop" / f"{i}_nohash_0.wav", 0.01 * tone(0.5, hz=100 + i) + room)
    write(recordings / "stop" / "0_nohash_1.wav", tone(0.5, hz=100) + noise(0.5, 0.01))
    found = inspect_folder(recordings).findings
    assert [(one.what, one.words) for one in found] == [
        ("loudness", ("go", "stop")),
        ("noise floor", ("go", "stop")),
        ("duplicates", ("go", "stop")),
    ]


def test_of_a_data_set_only_the_clips_a_search_reads_are_looked_at(recordings):
    known = {split: speakers(split, 1)[0] for split in SPLITS}
    dataset = open_dataset(DatasetSpec(str(recordings), ("go", "stop")))
    assert inspect_clips(dataset) == []
    copied = recordings / "go" / f"{known['training']}_nohash_0.wav"
    for split in ("validation", "testing"):
        shutil.copy(copied, recordings / "stop" / f"{known[split]}_nohash_0.wav")
    words, splits = inspect_clips(open_dataset(DatasetSpec(str(recordings), ("go", "stop"))))
    assert words.figures.startswith("1 of the recordings of go, stop are in several words")
    assert known["validation"] in splits.figures and known["testing"] not in splits.figures


def test_folders_of_no_word_are_told(recordings):
    assert inspect_folder(recordings).reserved == {}
    write(recordings / "_unknown_" / "a.wav", tone())
    assert inspect_folder(recordings).reserved == {"_unknown_": 1}


def test_one_word_alone_is_told(recordings):
    assert not inspect_folder(recordings).advice
    shutil.rmtree(recordings / "stop")
    (line,) = inspect_folder(recordings).advice
    assert line == "go is the only word, and a search needs two; record what else is said"


def test_a_split_without_a_word_is_told_by_what_it_lacks(tmp_path):
    for name in ("Train/go/a.wav", "Train/no/a.wav", "Dev/go/a.wav", "TEST/go/a.wav"):
        write(tmp_path / name, tone())
    assert inspect_folder(tmp_path).advice == (
        "no clip of no for validation: put some in a folder named validation or valid or val or"
        " dev",
        "no clip of no for testing: put some in a folder named testing or test",
    )


def test_words_in_the_names_of_files_are_offered_and_taken(tmp_path):
    for split in ("training", "validation", "testing"):
        for word in ("go", "stop"):
            write(tmp_path / split / f"{word}.{split}.wav", tone())
    (line,) = inspect_folder(tmp_path).advice[:1]
    assert line.startswith("names of files begin with go, stop: --label-from name takes them")
    report = inspect_folder(tmp_path, label_from="name")
    assert [(label.label, label.clips) for label in report.labels] == [("go", 3), ("stop", 3)]
    assert not report.advice


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match="gone: no such folder"):
        inspect_folder(tmp_path / "gone")


def test_the_real_recordings(speech_commands):
    report = inspect_folder(speech_commands)
    assert report.clips == 2000 and report.sample_rates == {16000: 2000} and report.noises == 6
    assert len(report.silent) == 23 and not report.unreadable
    words = [names[0].split("/")[0] for names in report.repeated]
    assert (words.count("go"), words.count("stop")) == (6, 4)
    assert min(label.shortest_in_s for label in report.labels) == pytest.approx(0.43, abs=0.005)
