import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweep import cache
from sweep.audio import travel
from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.folds import with_folds
from sweep.audio.location import locate
from sweep.audio.open_set import StreamSpec, UnknownSpec
from sweep.audio.streams import stream_of
from sweep.audio.travel import Lacking, accept, at_hand, begin, parts, receive
from sweep.errors import DataError

from .recordings import tone, write

RATE = 8000


@pytest.fixture
def folder(spoken, tmp_path) -> Path:
    """A folder of recordings that can be taken away."""
    return Path(shutil.copytree(locate(spoken.spec), tmp_path / "recordings"))


@pytest.fixture
def dataset(folder) -> Dataset:
    return with_folds(open_dataset(DatasetSpec(str(folder), ("stop", "go"))), 2)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """The cache and the temporary files of another machine."""
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(travel.tempfile, "tempdir", str(tmp_path / "temporary"))


def clips(dataset: Dataset) -> list[np.ndarray]:
    """Return all that a search reads."""
    every = [
        (one, split) for one in (dataset, *dataset.folds) for split in ("training", "validation")
    ]
    return [*(one.waveforms(split, RATE) for one, split in every), dataset.noise(RATE)]


def test_recordings_that_are_in_their_folder_do_not_travel(dataset):
    assert at_hand(dataset) is dataset
    assert not begin(dataset)


def test_recordings_travel_once_and_are_the_same_there(dataset, folder, elsewhere):
    here, sent = clips(dataset), list(parts(dataset))
    assert sum(len(content) for part in sent for _, content in part) > 0
    folder.rename(folder.with_name("away"))
    shutil.rmtree(cache.root())
    with pytest.raises(Lacking, match=f"^{folder}: no such folder$"):
        at_hand(dataset)
    assert begin(dataset)
    for part in sent:
        receive(part)
    accept(dataset)
    assert not begin(dataset)
    there = clips(at_hand(dataset))
    assert all(np.array_equal(a, b) for a, b in zip(here, there, strict=True))
    assert not list(travel._arriving().parent.glob("*"))


def test_recordings_that_are_damaged_on_the_way_are_refused(dataset, folder, elsewhere):
    sent = [list(part) for part in parts(dataset)]
    name, content = sent[0][0]
    sent[0][0] = name, content[:-1] + bytes([content[-1] ^ 1])
    folder.rename(folder.with_name("away"))
    assert begin(dataset)
    for part in sent:
        receive(part)
    with pytest.raises(DataError, match="the recordings did not arrive as they were"):
        accept(dataset)
    assert begin(dataset)


def test_what_is_received_twice_begins_anew(dataset, folder, elsewhere):
    sent = list(parts(dataset))
    folder.rename(folder.with_name("away"))
    for _ in range(2):
        assert begin(dataset)
        receive(sent[0])
    for part in sent[1:]:
        receive(part)
    accept(dataset)
    assert at_hand(dataset).folder.is_dir()


def test_long_recordings_travel_in_parts(dataset, monkeypatch):
    monkeypatch.setattr(travel, "_PART_BYTES", 1000)
    name = dataset.listed["training"][0]
    pieces = [piece for part in parts(dataset) for n, piece in part if n == name]
    assert len(pieces) > 1 and b"".join(pieces) == (dataset.folder / name).read_bytes()


def test_too_many_recordings_do_not_travel(dataset, monkeypatch):
    monkeypatch.setattr(travel, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="GB are too much to send to workers that lack the folder"):
        next(parts(dataset))


def test_a_folder_of_other_words_is_needed_too(dataset, tmp_path):
    words = UnknownSpec(folder=str(tmp_path / "words"))
    with pytest.raises(Lacking):
        at_hand(replace(dataset, spec=replace(dataset.spec, unknown=words)))
    (tmp_path / "words").mkdir()
    at_hand(replace(dataset, spec=replace(dataset.spec, unknown=words)))


def test_long_recordings_of_streams_travel_too(folder, elsewhere, tmp_path):
    long = tmp_path / "long"
    for split in ("validation", "testing"):
        write(long / split / "kitchen.wav", tone(3.0))
        lines = (f"{i / 10} {i / 10 + 0.05} go" for i in range(12))
        (long / split / "kitchen.txt").write_text("\n".join(lines).replace(" ", "\t"))
    streams = StreamSpec(hours=0, recordings=str(long))
    dataset = open_dataset(DatasetSpec(str(folder), ("stop", "go"), streams=streams))
    here, sent = stream_of(dataset, "validation", RATE), list(parts(dataset))
    long.rename(tmp_path / "away")
    assert begin(dataset)
    for part in sent:
        receive(part)
    accept(dataset)
    there = stream_of(at_hand(dataset), "validation", RATE)
    assert there.spoken == here.spoken and np.array_equal(there.samples, here.samples)
