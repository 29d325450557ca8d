"""What several tests stand on: a cache of their own, and small real data sets."""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from sweep.api import Study
from sweep.audio.dataset import Dataset, open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.space import Space
from sweep.stages.evaluate import evaluate
from sweep.study.storage import StudyFolder
from sweep.study.trials import ask, finish

from .cli.shell import CLEAR, SPOTTER, space_file, sweep


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
    return open_dataset(DatasetSpec("synthetic", ("stop", "go"), parameters=CLEAR))


@pytest.fixture(scope="session")
def finished(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a small sweep has been run to its end.

    Whichever process comes first runs it; each has a copy of its own.
    """
    once, told = shared / "finished", shared / "finished.txt"
    with FileLock(shared / "finished.lock"):
        if not told.is_file():
            once.mkdir()
            done = sweep("run", space_file(once), "--workers", 1, cwd=once)
            assert done.returncode == 0, done.stderr
            assert "next: sweep report words --open" in done.stdout
            told.write_text(done.stdout)
        return Path(shutil.copytree(once, tmp_path_factory.mktemp("finished") / "finished"))


@pytest.fixture(scope="session")
def spotter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of one trial that was run over a stream, and that trial exported."""
    return exported_spotter(tmp_path_factory.mktemp("spotting"), SPOTTER)


def exported_spotter(folder: Path, text: str) -> Path:
    """Return the export of the one trial of a space.

    It is evaluated in this process: no worker is started.
    """
    space = Space.parse(text)
    dataset = open_dataset(space.file.dataset.spec())
    about = {"source": dataset.spec.source, "fingerprint": dataset.fingerprint}
    candidate = space.candidate({})
    evaluation, files = evaluate(candidate, dataset, space.limits, metrics=space.metrics)
    assert evaluation.outcome == "feasible", evaluation.reason
    kept = StudyFolder(folder / "results", "words")
    with kept.owned():
        study = kept.create(space, None, about)
        trial = ask(study, space)
        kept.keep_files(trial, files)
        finish(study, trial, evaluation)
    Study(kept).export(0, folder / "spotter")
    return folder / "spotter"
