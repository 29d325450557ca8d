"""Small recordings, a cache that is thrown away, and the real recordings where there are any."""

import os
import threading
from pathlib import Path

import pytest

from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.open_set import SilenceSpec, UnknownSpec
from sweep.audio.splits import SPLITS

from .recordings import OTHERS, noise, speakers, tone, write, write_words
from .server import Server


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def speech_commands() -> Path:
    """The folder of real recordings named by SPEECH_COMMANDS."""
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        pytest.skip("SPEECH_COMMANDS does not name a folder of recordings")
    return Path(folder)


@pytest.fixture
def speech_commands_lists(speech_commands) -> Path:
    """The folder of published lists beside the real recordings."""
    return speech_commands.with_name("speech_commands_splits")


@pytest.fixture
def recordings(tmp_path) -> Path:
    """A folder with go and stop by six speakers for training and two for each other split."""
    folder = tmp_path / "recordings"
    for i, split in enumerate(SPLITS):
        for j, speaker in enumerate(speakers(split, 6 if split == "training" else 2)):
            for k, word in enumerate(("go", "stop")):
                pitch = 200.0 + 100 * i + 10 * j + k
                write(folder / word / f"{speaker}_nohash_0.wav", tone(hz=pitch))
    return folder


@pytest.fixture
def open_set(tmp_path) -> DatasetSpec:
    """Keywords and background in one folder, other words in another."""
    write_words(tmp_path / "keywords", ("go", "stop"), 300)
    write_words(tmp_path / "others", OTHERS, 1000)
    write(tmp_path / "keywords/_background_noise_/fan.wav", noise(30))
    write(tmp_path / "keywords/_background_noise_/click.wav", noise(2))
    unknown = UnknownSpec(folder=str(tmp_path / "others"), share=1.0, held_out=("up", "left"))
    return DatasetSpec(
        str(tmp_path / "keywords"), ("go", "stop"), unknown=unknown, silence=SilenceSpec(0.5)
    )


@pytest.fixture
def server():
    """A server of an archive on this machine."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
