"""What several tests stand on: a cache of their own, and small real data sets."""

import os
from pathlib import Path

import pytest

from sweep.audio.dataset import Dataset, DatasetSpec, open_dataset


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run that all its processes share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def _own_cache(shared: Path) -> None:
    """Keep the tests out of the cache of whoever runs them."""
    os.environ["SWEEP_CACHE"] = str(shared / "cache")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The real go and stop recordings, where ``SPEECH_COMMANDS`` names their folder."""
    folder = os.environ.get("SPEECH_COMMANDS")
    if not folder:
        pytest.skip("SPEECH_COMMANDS does not name the folder of recordings")
    return Path(folder)


@pytest.fixture(scope="session")
def spoken() -> Dataset:
    """Two words spoken by eSpeak NG, 60 clips each, in little noise: learnt in a second."""
    return open_dataset(
        DatasetSpec("synthetic", ("stop", "go"), clips_per_label=60, snr_db=(10.0, 30.0))
    )
