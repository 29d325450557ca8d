"""``sweep detect``: an exported spotter at work on streams of sound."""

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import sweep as package
from sweep.api import Study
from sweep.audio.clips import resample
from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.sound import of_pipe, of_recording
from sweep.audio.spoken import Stream
from sweep.audio.streams import stream_of
from sweep.detection import match
from sweep.detector import Event
from sweep.report.guard import Guard
from sweep.report.recordings import stretch
from sweep.report.server import make_app
from sweep.study import confirm
from sweep.study.reader import Studies

from ..memory import resident_mb
from .shell import SPOTTER, SWEEP, refused, sweep


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_dataset(package.Space.parse(SPOTTER).file.dataset.spec())


@pytest.fixture(scope="module")
def stream(dataset: Dataset) -> Stream:
    return stream_of(dataset, "validation", 16000)


@pytest.fixture(scope="module")
def events(spotter: Path, stream: Stream) -> list[Event]:
    found = package.Detector(spotter).feed(stream.samples)
    assert len(found) > 5
    return found


def detected(*arguments: object, cwd: Path) -> list[Event]:
    done = sweep("detect", *arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return [Event(**json.loads(line)) for line in done.stdout.splitlines()]


def piped(spotter: Path, content: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [str(SWEEP), "detect", str(spotter), "-"]
    return subprocess.run(command, input=content, capture_output=True, timeout=240)


def test_detecting_in_the_validation_stream_gives_what_was_measured(
    spotter: Path, stream: Stream, events: list[Event], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "stream.wav", stream.samples, stream.rate)
    assert detected(spotter, "stream.wav", cwd=tmp_path) == events
    wanted = [word for word in stream.spoken if word.label in ("stop", "go")]
    found = match(events, wanted, stream.hours, window_in_s=1.0)
    record = package.load("words", spotter.parent / "results").record
    searched = record.trials[0].evaluation.result
    told = json.loads((spotter / "metadata.json").read_text())
    for name, value in (
        ("false_alarms_per_hour", found.false_alarms_per_hour),
        ("miss_rate", found.miss_rate),
        ("detection_delay_ms", found.delay_ms),
    ):
        assert value == told["metrics"][name]["value"] == searched[name]
    assert found.false_alarms_per_hour <= 60 and 0 < len(found.hits)
    assert told["detector"]["threshold"] == searched.point.threshold


@pytest.mark.parametrize("length", [1, 37, 16000, 1_000_000])
def test_the_stream_may_be_cut_into_any_blocks(
    spotter: Path, stream: Stream, events: list[Event], length: int
) -> None:
    samples = stream.samples[: 16000 * (2 if length == 1 else 60)]
    detector = package.Detector(spotter)
    blocks = (samples[i : i + length] for i in range(0, len(samples), length))
    found = [event for block in blocks for event in detector.feed(block)]
    assert found == [event for event in events if event.time_in_s <= len(samples) / 16000]


def in_recording(spotter: Path, file: Path) -> list[Event]:
    detector = package.Detector(spotter)
    return [e for block in of_recording(file, detector.rate) for e in detector.feed(block)]


def test_another_rate_and_another_channel_change_little(
    spotter: Path, stream: Stream, events: list[Event], tmp_path: Path
) -> None:
    samples = stream.samples.astype(np.float32) / 32768
    for rate, channels in ((44100, 2), (8000, 1)):
        other = np.concatenate([*resample([samples], 16000, rate)])
        soundfile.write(tmp_path / "other.wav", np.stack([other] * channels, axis=1), rate)
        found = in_recording(spotter, tmp_path / "other.wav")
        assert bool(found) and all(event.time_in_s <= stream.hours * 3600 for event in found)
        if rate > 16000:
            same = {round(e.time_in_s, 2) for e in found} & {round(e.time_in_s, 2) for e in events}
            assert len(same) >= 0.8 * len(events)


def test_nothing_is_detected_in_silence_or_in_less_than_a_window(
    spotter: Path, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(20 * 16000), 16000)
    soundfile.write(tmp_path / "short.wav", np.zeros(800), 16000)
    assert in_recording(spotter, tmp_path / "silence.wav") == []
    assert in_recording(spotter, tmp_path / "short.wav") == []


def test_csv_has_a_row_and_text_a_line_for_each(
    spotter: Path, stream: Stream, events: list[Event], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "stream.wav", stream.samples, stream.rate)
    rows = [
        *csv.reader(sweep("detect", spotter, "stream.wav", "--csv", cwd=tmp_path).stdout.split())
    ]
    assert rows[0] == ["time_in_s", "keyword", "score"]
    assert [Event(float(t), keyword, float(s)) for t, keyword, s in rows[1:]] == events
    done = sweep("detect", spotter, "stream.wav", cwd=tmp_path)
    assert done.stdout.splitlines() == [str(event) for event in events]
    assert done.stderr.strip() == f"180.0 s; detections: {len(events)}"


class TestPipes:
    def test_bare_samples_are_detected_in(
        self, spotter: Path, stream: Stream, events: list[Event]
    ) -> None:
        done = piped(spotter, stream.samples.astype("<i2").tobytes())
        assert done.returncode == 0, done.stderr
        assert done.stdout.decode().splitlines() == [str(event) for event in events]

    def test_one_that_ends_in_the_middle_of_a_sample_is_told_after_its_events(
        self, spotter: Path, stream: Stream, events: list[Event]
    ) -> None:
        done = piped(spotter, stream.samples.astype("<i2").tobytes() + b"\0")
        assert done.returncode == 1
        assert done.stdout.decode().splitlines() == [str(event) for event in events]
        assert done.stderr.decode() == "sweep: -: ended in the middle of a sample of 16 bits\n"

    def test_a_file_with_a_header_is_refused(self, spotter: Path) -> None:
        file = io.BytesIO()
        soundfile.write(file, np.zeros(16000), 16000, format="WAV")
        done = piped(spotter, file.getvalue())
        assert done.returncode == 1
        assert b"pipe bare samples: 16 bits, mono, 16000 Hz" in done.stderr

    def test_samples_cut_anywhere_are_put_together(self) -> None:
        samples = np.arange(-5000, 5000, 7).astype("<i2")

        class Dripping(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                return super().read(min(size or 1, 3))

        found = np.concatenate([*of_pipe(Dripping(samples.tobytes()), 16000)])
        np.testing.assert_array_equal(found * 32768, samples)


class TestWhatDoesNotWork:
    def test_no_microphone_is_one_line(self, spotter: Path, tmp_path: Path) -> None:
        assert "sounddevice" in refused("detect", spotter, "--microphone", cwd=tmp_path, code=1)

    def test_one_source_is_named(self, spotter: Path, tmp_path: Path) -> None:
        for given in ([], ["a.wav", "--microphone"]):
            line = refused("detect", spotter, *given, cwd=tmp_path, code=2)
            assert "name one of FILE, - and --microphone" in line

    def test_a_damaged_file_is_told_before_anything_is_detected(
        self, spotter: Path, stream: Stream, tmp_path: Path
    ) -> None:
        soundfile.write(tmp_path / "cut.wav", stream.samples, stream.rate)
        content = (tmp_path / "cut.wav").read_bytes()
        (tmp_path / "cut.wav").write_bytes(content[: len(content) // 2])
        done = sweep("detect", spotter, "cut.wav", cwd=tmp_path)
        assert done.returncode == 1 and not done.stdout and "ends after" in done.stderr

    @pytest.mark.parametrize(
        "point",
        [
            None,
            {"stride": 0, "smoothing": 3, "threshold": 0.5, "refractory": 10},
            {"stride": 1600, "smoothing": 10**9, "threshold": 0.5, "refractory": 10},
            {"stride": 1600, "smoothing": 3, "threshold": float("nan"), "refractory": 10},
            {"stride": 1600.5, "smoothing": 3, "threshold": 0.5, "refractory": 10},
            {"stride": 1600},
            "often",
        ],
    )
    def test_an_operating_point_that_is_none_is_told(
        self, spotter: Path, tmp_path: Path, point: object
    ) -> None:
        shutil.copytree(spotter, tmp_path / "edited")
        file = tmp_path / "edited/metadata.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"detector": point}))
        told = "has no operating point" if point is None else "detector: cannot be used"
        with pytest.raises(package.SweepError, match=told):
            package.Detector(tmp_path / "edited")


def test_memory_does_not_grow_with_the_length_of_a_stream(spotter: Path, stream: Stream) -> None:
    def fed(times: int) -> Iterator[float]:
        detector = package.Detector(spotter)
        for _ in range(times):
            detector.feed(stream.samples[: 20 * 16000])
            yield resident_mb()

    grown = [*fed(12)]
    assert grown[-1] - grown[2] < 5


@pytest.fixture(scope="module")
def confirmed(spotter: Path, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study of the spotter with a finalist, whose training is that of the search."""
    folder = tmp_path_factory.mktemp("confirmed")
    shutil.copytree(spotter.parent / "results", folder / "results")
    study = package.load("words", folder / "results")
    (trial,) = study.record.trials
    again = confirm._again(trial, 1)
    place = confirm._job(study.folder.retrainings, "0_1", again, dataset).place
    place.mkdir(parents=True)
    for name in ("frontend.tflite", "model.tflite"):
        shutil.copy(spotter / name, place / name)
    (place / "evaluation.json").write_text(json.dumps(trial.evaluation.to_json()))
    study.finalists(top=1, seeds=1, folds=0, workers=1)
    return study


def test_a_finalist_is_measured_in_a_stream_of_test_speakers(
    confirmed: Study, dataset: Dataset
) -> None:
    record = confirmed.record
    (one,) = record.finalists
    assert one.exposures["false_alarms_per_hour"] == pytest.approx(0.05)
    low, high = one.interval("false_alarms_per_hour")
    assert low <= one.mean("false_alarms_per_hour") <= high and high > 50
    assert 0 <= one.chance(record.space.limits) <= 1
    (point,) = {trial.evaluation.result.point for trial in record.trials}
    tested = stream_of(dataset, "testing", 16000)
    assert one.listening.spoken == tested.spoken
    assert one.listening.threshold == point.threshold
    alarms = sum(one.listening.false)
    assert one.mean("false_alarms_per_hour") == pytest.approx(alarms / tested.hours)
    assert one.mean("miss_rate") == sum(one.listening.missed) / one.exposures["miss_rate"]


def test_the_stream_of_a_finalist_is_played_where_it_is(
    confirmed: Study, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    record = confirmed.record
    tested = stream_of(dataset, "testing", 16000)
    samples, rate = soundfile.read(io.BytesIO(stretch(record, 0, 3, 9)), dtype="int16")
    assert rate == 16000
    np.testing.assert_array_equal(samples, tested.samples[3 * 16000 : 9 * 16000])
    app = make_app(Studies.find(None, confirmed.folder.path.parent), Guard(frozenset(), None, ""))
    served = app.test_client().get("/study/words/finalist/0/stream/3-9.wav")
    assert served.mimetype == "audio/wav" and served.data == stretch(record, 0, 3, 9)
    assert len(stretch(record, 0, 0, 10**6)) < 2 * 16000 * 61
    assert stretch(record, 0, 10**6, 10**6 + 9) is None and stretch(record, 1, 0, 9) is None
    (one,) = record.finalists
    for key in ("../../secret", "0" * 20, ""):
        elsewhere = replace(one, listening=replace(one.listening, sound=key))
        assert stretch(replace(record, finalists=(elsewhere,)), 0, 0, 9) is None
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path))
    assert stretch(record, 0, 3, 9) is None


def test_false_alarms_of_a_recording_become_other_words(
    spotter: Path, stream: Stream, events: list[Event], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "radio.wav", stream.samples, stream.rate)
    rows = [f"{word.start_in_s}\t{word.end_in_s}\t{word.label}" for word in stream.spoken]
    (tmp_path / "radio.txt").write_text("\n".join(rows))
    mine = ("data", "mine", spotter, "radio.wav", "--times", "radio.txt", "--out")
    told = json.loads(sweep(*mine, "mined", "--json", cwd=tmp_path).stdout)
    wanted = [word for word in stream.spoken if word.label in ("stop", "go")]
    expected = match(events, wanted, stream.hours, window_in_s=1.0)
    assert [one["time_in_s"] for one in told["false_alarms"]] == [
        event.time_in_s for event in expected.false_alarms
    ]
    assert (told["keywords"], told["misses"]) == (expected.keywords, len(expected.misses))
    nowhere = ("data", "mine", spotter, "radio.wav", "--out", "no", "--relearn")
    assert "no study at results/words" in refused(*nowhere, cwd=tmp_path, code=1)
    every = ("data", "mine", spotter, "radio.wav", "--out", "all")
    *lines, count, advice = sweep(*every, cwd=tmp_path).stdout.splitlines()
    assert len(lines) == len(events) and f"{len(events)} false alarms in 0.05 h" in count
    assert "unknown: {folder: all" in advice
    assert "has clips of radio.wav already" in refused(*every, cwd=tmp_path, code=1)
    heard = [package.Classifier(spotter).predict(tmp_path / line.split()[-1]) for line in lines]
    assert {prediction.label for prediction in heard} <= {"stop", "go", "_unknown_"}
