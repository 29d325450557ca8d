import hashlib
import os
import shutil
import socket
from pathlib import Path

import pytest

from sweep import machine
from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.location import locate
from sweep.errors import SweepError
from sweep.study import crew as crew_module
from sweep.study.workers import DaskWorkers

from .fake_work import ALONE, FINE, listen
from .real_workers import (
    PATIENCE_IN_S,
    ROOT,
    candidate,
    joining,
    result,
    scheduler,
    started,
    wait_until,
)

pytestmark = pytest.mark.usefixtures("no_trace_of_dask")


def test_a_scheduler_that_no_worker_joins_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(crew_module, "_PATIENCE_IN_S", 1)
    with scheduler(workers=0) as cluster:
        address = cluster.scheduler_address
        told = f"^{address}: has no workers; start some with sweep worker {address}$"
        with pytest.raises(SweepError, match=told):
            started(tmp_path, address=address)


def test_a_search_that_no_worker_is_left_for_ends(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(crew_module, "_DESERTED_IN_S", 2)
    with scheduler(workers=1) as cluster:
        address = cluster.scheduler_address
        with started(tmp_path, address=address, say=said.append) as workers:
            monkeypatch.setattr(crew_module, "_PATIENCE_IN_S", 1)
            cluster.scale(0)
            assert wait_until(lambda: not workers._client.nthreads())
            workers.submit(0, candidate(FINE))
            with pytest.raises(SweepError, match="no worker has been left for 2 s; run the same"):
                result(workers)
    assert said == ["no worker is left; waiting for one"]


def other_version(folder: Path) -> dict[str, str]:
    """Return the environment of a machine on which another version is installed."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "from importlib import metadata\n"
        "real = metadata.version\n"
        "metadata.version = lambda name: '0.0.9' if name == 'tinysweep' else real(name)\n"
    )
    path = os.pathsep.join(filter(None, [str(folder), str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def elsewhere(folder: Path) -> dict[str, str]:
    """Return the environment of a machine with another processor."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "from sweep import machine\nmachine.processor = lambda: 'other Slow'\n"
    )
    path = os.pathsep.join(filter(None, [str(folder), str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def without(hidden: Path, folder: Path) -> dict[str, str]:
    """Return the environment of a machine with a cache of its own that cannot see a folder."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        f"import os, pathlib, sys\nhidden, real = {str(hidden)!r}, pathlib.Path.is_dir\n"
        "pathlib.Path.is_dir = lambda path: not str(path).startswith(hidden) and real(path)\n"
        "def hide(event, given):\n"
        "    if event == 'open' and str(given[0]).startswith(hidden):\n"
        "        raise FileNotFoundError(given[0])\n"
        "sys.addaudithook(hide)\n"
    )
    path = os.pathsep.join(filter(None, [str(folder), str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "SWEEP_CACHE": str(folder / "cache")}


REFUSED = "this worker has tinysweep 0.0.9 instead of"


def test_a_worker_of_another_version_is_refused_whether_it_comes_first_or_later(tmp_path):
    environment, said = other_version(tmp_path / "other"), []
    with scheduler(workers=1) as cluster:
        address = cluster.scheduler_address
        with joining(address, env=environment) as before:
            assert wait_until(lambda: len(cluster.scheduler_info["workers"]) == 2)
            with started(tmp_path, address=address, say=said.append) as workers:
                assert before.wait(PATIENCE_IN_S) == 1
                assert REFUSED in before.stderr.read()
                assert len(said) == 1 and REFUSED in said[0]
                with joining(address, env=environment) as later:
                    assert later.wait(PATIENCE_IN_S) == 1
                    assert REFUSED in later.stderr.read()
                workers.submit(0, candidate(FINE))
                found = result(workers).evaluation
        assert (found.outcome, found.machine) == ("infeasible", socket.gethostname())


def test_where_latencies_compare_a_worker_with_another_processor_is_refused(tmp_path):
    environment, said = elsewhere(tmp_path / "other"), []
    with scheduler(workers=1) as cluster:
        address = cluster.scheduler_address
        with joining(address, env=environment) as other:
            assert wait_until(lambda: len(cluster.scheduler_info["workers"]) == 2)
            with started(tmp_path, address=address) as workers:
                assert workers.capacity == 2
                for number in range(4):
                    workers.submit(number, candidate(ALONE, epochs=number + 1))
                found = [result(workers).evaluation for _ in range(4)]
            assert {one.processor for one in found} == {machine.processor(), "other Slow"}
            own = machine.processor()
            with started(tmp_path, address=address, processor=own, say=said.append):
                assert other.wait(PATIENCE_IN_S) == 1
    assert f"this worker has processor other Slow instead of {own}, so latencies" in said[0]


def test_recordings_travel_to_a_machine_that_lacks_them_once(tmp_path, spoken):
    folder, said = tmp_path / "recordings", []
    shutil.copytree(locate(spoken.spec), folder)
    dataset = open_dataset(DatasetSpec(str(folder), ("stop", "go")))
    environment = without(folder, tmp_path / "other")
    with scheduler(workers=0) as cluster:
        address = cluster.scheduler_address
        with joining(address, env=environment):
            for _ in range(2):
                with DaskWorkers(
                    dataset, [], 0, address, tmp_path, listen, say=said.append
                ) as workers:
                    workers.submit(0, candidate(FINE))
                    found = result(workers).evaluation
                    content = dataset.waveforms("training", 8000).tobytes()
                    assert found.reason == hashlib.sha256(content).hexdigest()
    assert len(said) == 1 and said[0].endswith(f"has no {folder}: recordings are sent")
    assert list((tmp_path / "other/cache/tinysweep/recordings").iterdir())


def test_where_every_worker_is_of_another_version_the_search_does_not_begin(tmp_path):
    with scheduler(workers=0) as cluster:
        address = cluster.scheduler_address
        with joining(address, env=other_version(tmp_path / "other")):
            with pytest.raises(SweepError, match=f"{address}: no worker is left; .*{REFUSED}"):
                started(tmp_path, address=address)
