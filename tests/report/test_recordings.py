from dataclasses import replace
from pathlib import Path

import pytest

from sweep.report.recordings import listed_clip
from sweep.study.finalist import Finalist, Retraining

from .fake_studies import SPACE, make_record

SOUND = b"RIFF sound"


def record_of(folder, mistakes):
    """A study of one trial that heard these clips of a folder wrong."""
    record = make_record(1, space=SPACE.replace("mini_speech_commands", str(folder)))
    (trial,) = record.trials
    trial = replace(trial, evaluation=replace(trial.evaluation, mistakes=tuple(mistakes)))
    return replace(record, trials=(trial,), about={"source": str(folder)})


@pytest.fixture
def clips(tmp_path) -> Path:
    folder = tmp_path / "clips"
    (folder / "stop").mkdir(parents=True)
    (folder / "stop/a.wav").write_bytes(SOUND)
    (folder / "stop/notes.txt").write_text("no sound")
    (tmp_path / "secret.wav").write_bytes(b"secret")
    return folder


class TestListedClip:
    def test_is_the_clip_at_that_place(self, clips):
        record = record_of(clips, ["stop/gone.wav", "stop/a.wav"])
        assert listed_clip(record, "trial", 0, 1) == clips / "stop/a.wav"
        assert listed_clip(record, "trial", 0, 0) is None

    def test_is_nothing_that_was_not_a_mistake(self, clips):
        record = record_of(clips, ["stop/a.wav"])
        assert listed_clip(record, "trial", 0, 1) is None
        assert listed_clip(record, "trial", 7, 0) is None

    @pytest.mark.parametrize("name", ["../secret.wav", "stop/../../secret.wav", "stop/notes.txt"])
    def test_never_leads_out_of_the_folder_nor_to_what_is_no_sound(self, clips, name):
        assert listed_clip(record_of(clips, [name]), "trial", 0, 0) is None

    def test_follows_no_absolute_name_and_no_link_outwards(self, clips, tmp_path):
        (clips / "stop/link.wav").symlink_to(tmp_path / "secret.wav")
        names = [str(tmp_path / "secret.wav"), "stop/link.wav"]
        record = record_of(clips, names)
        assert [listed_clip(record, "trial", 0, place) for place in range(2)] == [None, None]

    def test_downloads_and_makes_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
        for source in ("mini_speech_commands", "synthetic"):
            record = replace(record_of(source, ["stop/a.wav"]), about={"source": source})
            assert listed_clip(record, "trial", 0, 0) is None
        assert not (tmp_path / "cache").exists()

    def test_is_no_recording_of_hours(self, clips, monkeypatch):
        monkeypatch.setattr("sweep.report.recordings._LARGEST_BYTES", len(SOUND) - 1)
        assert listed_clip(record_of(clips, ["stop/a.wav"]), "trial", 0, 0) is None

    def test_of_a_finalist_is_one_of_its_worst(self, clips):
        record = record_of(clips, [])
        heard = Retraining(1, {}, {}, mistakes=("stop/gone.wav", "stop/a.wav"))
        finalist = Finalist(0, {"accuracy": 0.9}, (heard,), 10)
        record = replace(record, finalists=(finalist,))
        assert listed_clip(record, "finalist", 0, 1) == clips / "stop/a.wav"
        assert listed_clip(record, "finalist", 0, 0) is None
        assert listed_clip(record, "finalist", 1, 0) is None
        assert listed_clip(record, "trial", 0, 1) is None
