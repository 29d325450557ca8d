import json
import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from sweep import cache
from sweep.errors import SweepError

PROCESSES = multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SWEEP_CACHE_GB", raising=False)
    return tmp_path / "cache" / "tinysweep"


def build(folder: Path) -> None:
    (folder / "file").write_text("done")


def leftovers(root: Path) -> list[str]:
    """Return what a cache holds besides locks."""
    return sorted(str(path.relative_to(root)) for path in (root / "kind").rglob("*"))


def test_an_entry_is_on_the_disk_before_it_has_its_name(root, monkeypatch):
    settled = []
    monkeypatch.setattr(
        "os.fsync", lambda handle: settled.append(os.readlink(f"/proc/self/fd/{handle}"))
    )
    folder = cache.entry("kind", "key", build)
    there = [folder.with_name(f".building-{folder.name}") / file.name for file in folder.iterdir()]
    assert there and set(map(str, there)) < set(settled)


def test_many_files_are_put_on_the_disk_together(monkeypatch):
    synced = []
    monkeypatch.setattr("os.sync", lambda: synced.append("all"))
    monkeypatch.setattr("os.fsync", lambda handle: synced.append("one"))

    def build_many(folder: Path) -> None:
        for i in range(300):
            (folder / str(i)).touch()

    cache.entry("kind", "many", build_many)
    assert synced == ["all"]


def test_the_files_of_an_entry_are_counted_once(root, monkeypatch):
    kept = cache.entry("kind", "kept", _build_of(300))
    cache.entry("kind", "other", build)
    looked = []
    walk = Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda path, text: looked.append(path) or walk(path, text))
    cache.entry("kind", "another", build)
    assert looked and kept not in looked


def test_an_entry_is_built_once(root):
    folder = cache.entry("kind", "key", build)
    assert folder == root / "kind" / "key"
    assert (folder / "file").read_text() == "done"
    assert cache.entry("kind", "key", pytest.fail) == folder


def test_another_key_is_another_entry():
    assert cache.entry("kind", "one", build) != cache.entry("kind", "two", build)


def _count_builds(log: str) -> None:
    def build_slowly(folder: Path) -> None:
        with open(log, "a") as file:
            file.write("built\n")
        time.sleep(0.2)
        build(folder)

    assert (cache.entry("kind", "key", build_slowly) / "file").read_text() == "done"


def test_processes_that_ask_at_once_build_once(tmp_path):
    log = tmp_path / "log"
    processes = [PROCESSES.Process(target=_count_builds, args=(str(log),)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert log.read_text() == "built\n"


def test_a_build_that_fails_leaves_nothing(root):
    def fail(folder: Path) -> None:
        build(folder)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.entry("kind", "key", fail)
    assert leftovers(root) == []
    assert (cache.entry("kind", "key", build) / "file").exists()


def _build_for_ever(started: str) -> None:
    def build_for_ever(folder: Path) -> None:
        (folder / "half").write_text("x")
        Path(started).touch()
        time.sleep(600)

    cache.entry("kind", "key", build_for_ever)


def _building(tmp_path: Path) -> BaseProcess:
    """Return a process that has begun to build and will not end."""
    started = tmp_path / "started"
    process = PROCESSES.Process(target=_build_for_ever, args=(str(started),))
    process.start()
    while not started.exists():
        time.sleep(0.01)
    return process


def test_a_build_that_is_killed_leaves_nothing_that_lasts(root, tmp_path):
    process = _building(tmp_path)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not (root / "kind" / "key").exists()
    cache.entry("kind", "another", build)
    assert leftovers(root) == ["kind/another", "kind/another/file"]


def test_what_another_process_is_building_is_left_alone(root, tmp_path):
    process = _building(tmp_path)
    before = leftovers(root)
    cache.entry("kind", "another", build)
    assert set(before) <= set(leftovers(root))
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def _build_of(size: int):
    return lambda folder: (folder / "file").write_bytes(bytes(size))


def test_the_entries_used_longest_ago_make_room(root, monkeypatch):
    monkeypatch.setenv("SWEEP_CACHE_GB", str(2500 / 1024**3))
    for age, key in enumerate(("old", "older")):
        os.utime(cache.entry("kind", key, _build_of(1000)), (100 - age, 100 - age))
    cache.entry("kind", "older", pytest.fail)  # used again, just now
    cache.entry("kind", "new", _build_of(1000))
    assert sorted(folder.name for folder in (root / "kind").iterdir()) == ["new", "older"]


def test_what_another_process_has_removed_counts_as_room(root, monkeypatch):
    for age, key in enumerate(("older", "old")):
        os.utime(cache.entry("kind", key, _build_of(1000)), (100 + age, 100 + age))
    monkeypatch.setenv("SWEEP_CACHE_GB", str(2500 / 1024**3))
    remove = cache._remove

    def beaten(folder):
        monkeypatch.setattr(cache, "_remove", remove)
        remove(folder)
        raise FileNotFoundError

    monkeypatch.setattr(cache, "_remove", beaten)
    cache.entry("kind", "new", _build_of(1000))
    assert sorted(one.name for one in (root / "kind").iterdir()) == ["new", "old"]


def test_an_entry_whose_removal_is_cut_short_is_made_anew(root, monkeypatch):
    cache.entry("kind", "old", _build_of(1000))
    monkeypatch.setenv("SWEEP_CACHE_GB", "0")
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *given, **options: None)  # killed before it
        cache.entry("kind", "new", _build_of(1000))
    assert sorted(one.name for one in (root / "kind").iterdir()) == [".removing-old", "new"]
    built = []
    cache.entry("kind", "old", built.append)
    assert built and ".removing-old" not in leftovers(root)


def test_an_entry_is_never_removed_for_its_own_sake(root, monkeypatch):
    monkeypatch.setenv("SWEEP_CACHE_GB", "0")
    cache.entry("kind", "one", _build_of(1000))
    folder = cache.entry("kind", "two", _build_of(1000))
    assert [one.name for one in (root / "kind").iterdir()] == [folder.name]


def test_what_is_not_the_caches_own_is_left_alone(root, monkeypatch):
    monkeypatch.setenv("SWEEP_CACHE_GB", "0")
    thesis = root.parent / "documents" / "thesis" / "draft.txt"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("years of work")
    cache.entry("kind", "key", _build_of(1000))
    assert thesis.read_text() == "years of work"


@pytest.mark.parametrize("kind", ["downloads", "latency", "counts"])
def test_what_cannot_be_had_again_or_is_tiny_stays(kind, root, monkeypatch):
    monkeypatch.setenv("SWEEP_CACHE_GB", "0")
    kept = cache.entry(kind, "key", _build_of(1000))
    cache.entry("kind", "new", _build_of(1000))
    assert kept.is_dir()


def test_within_the_limit_everything_stays(root):
    for key in "abc":
        cache.entry("kind", key, _build_of(1000))
    assert len(list((root / "kind").iterdir())) == 3


def test_a_limit_that_is_no_number_is_told(monkeypatch):
    monkeypatch.setenv("SWEEP_CACHE_GB", "much")
    with pytest.raises(SweepError, match="SWEEP_CACHE_GB: 'much' is not a number of gigabytes"):
        cache.entry("kind", "key", build)


def test_damaged_files_are_told_with_what_to_remove_and_whole_ones_are_read(tmp_path):
    for content in ("", "[1", "{}", "[]", "null"):
        with pytest.raises(SweepError, match=f"^{tmp_path}: damaged; remove it, and run the same"):
            with cache.readable(tmp_path):
                json.loads(content)["clips"]
    with cache.readable(tmp_path):
        assert json.loads('{"clips": 3}')["clips"] == 3


def test_a_cache_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(SweepError, match="cannot write the cache .Not a directory.; set SWEEP_C"):
        cache.entry("kind", "key", build)


def test_a_full_disk_is_told_and_leaves_nothing(root):
    def fill(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(SweepError, match="kind/key: cannot write the cache .No space left on dev"):
        cache.entry("kind", "key", fill)
    assert leftovers(root) == []


def test_a_lock_is_held_by_one_at_a_time():
    held, order = threading.Event(), []

    def wait_for_it() -> None:
        held.wait()
        with cache.locked("name"):
            order.append("second")

    thread = threading.Thread(target=wait_for_it)
    thread.start()
    with cache.locked("name"):
        held.set()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
