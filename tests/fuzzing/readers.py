"""What reads something from outside: how an input is made, and how it is read."""

import hashlib
import json
import os
import random
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from sweep.audio.dataset_spec import DatasetSpec

from .mutation import mutated, mutated_tree

TRACE_OF_SPLITS = tuple(f"{word}/{name}_nohash_0.wav" for word in ("go", "ü") for name in "abcdef")


def spec(folder: Path) -> DatasetSpec:
    """Return what asks for the recordings of a folder."""
    return DatasetSpec(str(folder), ("go", "stop"))


def _one(rng: random.Random, folder: Path) -> Path:
    return rng.choice(sorted(folder.iterdir()))


class Reader:
    """One file that is damaged byte by byte; its seeds lie in a folder of its name.

    Attributes:
        share: how many inputs of all it gets, relative to others: fewer where each takes long.
        may_crash: whether commands have it at work in a process that may crash.
    """

    share = 4
    may_crash = False

    def prepare(self) -> None:
        """Import what reading needs."""

    def write(self, rng: random.Random, seeds: Path, inside: Path) -> None:
        """Put an input into a folder."""
        seed = _one(rng, seeds)
        content = mutated(seed.read_bytes(), rng, _one(rng, seeds).read_bytes())
        (inside / f"input{seed.suffix}").write_bytes(content)

    def read(self, inside: Path, rng: random.Random) -> None:
        """Read the input as the commands do."""
        raise NotImplementedError(f"{type(self).__name__} does not define read()")

    @staticmethod
    def input(inside: Path) -> Path:
        """Return the one input of a folder."""
        return next(inside.glob("input*"))


class Spaces(Reader):
    """Search-space files, as ``sweep check`` reads them."""

    def prepare(self) -> None:
        from sweep.space import Space
        from sweep.study.samplers import make_sampler

        self.load, self.make_sampler = Space.load, make_sampler

    def read(self, inside: Path, rng: random.Random) -> None:
        space = self.load(self.input(inside))
        search = space.file.search
        self.make_sampler(space, search.sampler, search.seed)
        assert space.facts()


class Recordings(Reader):
    """Files of sound, as training and prediction read them."""

    def prepare(self) -> None:
        from sweep.audio.clips import examine, read_clip

        self.examine, self.read_clip = examine, read_clip

    def read(self, inside: Path, rng: random.Random) -> None:
        path = self.input(inside)
        recording = self.examine(path)
        assert recording.samples
        assert self.read_clip(path, 16000, 16000).shape == (16000,)


class PlainRecordings(Recordings):
    """WAV files without libsndfile."""

    def prepare(self) -> None:
        from sweep.audio import recording, wav

        recording.soundfile, recording.open_with_help = wav, wav.open_with_help
        super().prepare()


class Lists(Reader):
    """Text files that list the clips of a split."""

    share = 1

    def write(self, rng: random.Random, seeds: Path, inside: Path) -> None:
        names = rng.sample(TRACE_OF_SPLITS, 8)
        for split, part in (("validation", names[:4]), ("testing", names[4:])):
            content = "\n".join(part).encode()
            damage = rng.random() < 0.7
            (inside / split).write_bytes(mutated(content, rng, content) if damage else content)

    def read(self, inside: Path, rng: random.Random) -> None:
        from sweep.audio.layout import clip_of
        from sweep.audio.splits import split_clips

        lists = {split: str(inside / split) for split in ("validation", "testing")}
        split_clips([clip_of(name) for name in TRACE_OF_SPLITS], lists, "folder")


class Archives(Reader):
    """Archives of recordings."""

    def prepare(self) -> None:
        from sweep.audio.download import unpack

        self.unpack = unpack

    def read(self, inside: Path, rng: random.Random) -> None:
        (inside / "out").mkdir()
        self.unpack(self.input(inside), inside / "out", 2**24, ["list.txt"])


class Exports(Reader):
    """Exported folders; what crashes here crashes a process of its own in ``sweep predict``."""

    may_crash = True

    def prepare(self) -> None:
        from sweep.predict import Classifier

        self.classifier = Classifier

    def write(self, rng: random.Random, seeds: Path, inside: Path) -> None:
        folder = inside / "export"
        shutil.copytree(_one(rng, seeds), folder)
        metadata = folder / "metadata.json"
        damaged = rng.choice(("model.tflite", "model.tflite", "frontend.tflite", "metadata.json"))
        content = (folder / damaged).read_bytes()
        (folder / damaged).write_bytes(mutated(content, rng, content))
        if damaged == metadata.name and rng.random() < 0.8:
            metadata.write_text(json.dumps(mutated_tree(json.loads(content), rng)))
        elif damaged != metadata.name:
            told = json.loads(metadata.read_text())
            told["sha256"][damaged] = hashlib.sha256((folder / damaged).read_bytes()).hexdigest()
            metadata.write_text(json.dumps(told))

    def read(self, inside: Path, rng: random.Random) -> None:
        clip = inside / "export" / "clip.wav"
        str(self.classifier(inside / "export").predict(clip))


class Studies(Reader):
    """Study databases, as ``sweep status``, ``sweep trials`` and ``sweep report`` read them."""

    share = 1

    def prepare(self) -> None:
        from sweep.report.page import render
        from sweep.study.storage import StudyFolder
        from sweep.study.table import failures, table
        from sweep.terminal import status_facts

        self.folder, self.show = StudyFolder, (status_facts, table, failures, render)

    def write(self, rng: random.Random, seeds: Path, inside: Path) -> None:
        folder = inside / "study"
        shutil.copytree(_one(rng, seeds), folder)
        database = folder / "study.db"
        if rng.random() < 0.3:
            database.write_bytes(mutated(database.read_bytes(), rng, b"sqlite"))
            return
        with closing(sqlite3.connect(database)) as opened, opened:
            _damage_a_value(opened, rng)

    def read(self, inside: Path, rng: random.Random) -> None:
        record = self.folder.find("study", inside).record()
        for show in self.show:
            show(record)


def _damage_a_value(opened: sqlite3.Connection, rng: random.Random) -> None:
    kept = "study_user_attributes", "trial_user_attributes", "trial_system_attributes"
    name, column, key = rng.choice(
        [(table, "value_json", f"{table.removesuffix('s')}_id") for table in kept]
        + [("trial_params", "distribution_json", "param_id"), ("trial_params", "param_value", "")]
        + [("trials", "state", ""), ("trials", "number", ""), ("trial_values", "value", "")]
    )
    rows = opened.execute(f"SELECT rowid, {column} FROM {name}").fetchall()
    if not rows:
        return
    row, value = rng.choice(rows)
    if column.endswith("json"):
        tree: Any = json.loads(value)
        # What a study is made of is text in JSON, too.
        other = json.dumps(mutated_tree(tree, rng)) if rng.random() < 0.8 else value[:-2]
    else:
        other = rng.choice((None, -1, 10**9, "x", float("inf"), "RUNNING", "COMPLETE"))
    opened.execute(f"UPDATE OR IGNORE {name} SET {column} = ? WHERE rowid = ?", (other, row))


class Caches(Reader):
    """What was prepared of recordings, as a later sweep finds it."""

    share = 1

    def prepare(self) -> None:
        from sweep.audio.dataset import open_dataset

        self.open = open_dataset

    def write(self, rng: random.Random, seeds: Path, inside: Path) -> None:
        shutil.copytree(seeds / "inside", inside, dirs_exist_ok=True)
        file = _one(rng, _one(rng, inside / "cache/tinysweep/datasets"))
        file.write_bytes(mutated(file.read_bytes(), rng))

    def read(self, inside: Path, rng: random.Random) -> None:
        dataset = self.open(spec(inside / "recordings"))
        for split in ("training", "validation", "testing"):
            dataset.waveforms(split, 16000)
            assert len(dataset.names(split)) == len(dataset.targets(split))


class Keys(Reader):
    """Keys of clusters."""

    share = 1

    def prepare(self) -> None:
        from sweep.study.security import read_key

        self.read_key = read_key

    def read(self, inside: Path, rng: random.Random) -> None:
        self.input(inside).chmod(0o600)
        self.read_key(self.input(inside))


class Arguments(Reader):
    """Arguments of commands; of those only that end by themselves and start nothing."""

    share = 1

    _COMMANDS = (
        *(["check"], ["status"], ["trials"], ["report"], ["run", "none.yaml"], ["parameters"]),
        *(["plugins"], ["data", "list"], ["data", "check"], ["cluster", "key"], ["export"]),
    )
    _OPTIONS = (
        *("--json", "--csv", "--sort", "--storage", "--results", "--failed", "--feasible"),
        *("--trial", "--pick", "--study", "--sampler", "--lists", "--timeout", "--trials"),
        *("--data", "--seed", "--workers", "--label-from", "--version", "--help", "--"),
    )
    _VALUES = (
        *("study", "none", "space.yaml", "results", "recordings", "accuracy", "trial", "10m", "3"),
        *("sqlite:///none.db", "postgresql://127.0.0.1:1/x", "sqlite://", "x://", "ehvi", "", "-"),
    )

    def prepare(self) -> None:
        from sweep.cli import app
        from sweep.report import page  # noqa: F401  # imported so that no input is charged for it

        self.app = app

    def write(self, rng: random.Random, seeds: Path, inside: Path) -> None:
        shutil.copytree(seeds / "inside", inside, dirs_exist_ok=True)

    def read(self, inside: Path, rng: random.Random) -> None:
        arguments = list(rng.choice(self._COMMANDS))
        for _ in range(rng.randint(0, 5)):
            word = rng.choice(rng.choice((self._OPTIONS, self._VALUES)))
            if rng.random() < 0.3:
                word = (
                    mutated(word.encode(), rng).replace(b"\0", b"").decode(errors="surrogateescape")
                )
            arguments.append(word)
        try:
            self.app(arguments)
        except SystemExit:
            sys.stdout.flush()


class Requests(Reader):
    """Addresses asked of the served page."""

    share = 1

    _PARTS = (
        *(
            "study",
            "ended",
            "trial",
            "0",
            "0.json",
            "clip",
            "model.tflite",
            "report.html",
            "mistakes",
        ),
        *(
            "data.json",
            "studies.json",
            "plotly.js",
            "..",
            "%2e%2e",
            "%00",
            "%ff",
            "99999999999",
            "",
        ),
    )

    def prepare(self) -> None:
        from sweep.report import guard
        from sweep.report.server import make_app
        from sweep.study.reader import Studies

        guard._asking_user = os.getuid
        self.make, self.guard, self.studies = make_app, guard.make_guard, Studies

    def write(self, rng: random.Random, seeds: Path, inside: Path) -> None:
        shutil.copytree(seeds / "inside", inside, dirs_exist_ok=True)

    def read(self, inside: Path, rng: random.Random) -> None:
        app = self.make(self.studies(inside / "results"), self.guard("127.0.0.1", 80))
        path = "/" + "/".join(rng.choice(self._PARTS) for _ in range(rng.randint(1, 6)))
        if rng.random() < 0.5:
            path = mutated(path.encode(), rng).decode("latin-1")
        method = rng.choice(("GET", "GET", "GET", "HEAD", "POST", "OPTIONS"))
        given = {"Host": "127.0.0.1", "Range": "bytes=9-2", "If-None-Match": "x"}
        answer = app.test_client().open("/" + path.lstrip("/"), method=method, headers=given)
        assert answer.status_code < 500, (path, answer.data[:200])
        answer.close()


READERS: dict[str, Reader] = {
    "spaces": Spaces(),
    "recordings": Recordings(),
    "plain_recordings": PlainRecordings(),
    "lists": Lists(),
    "archives": Archives(),
    "exports": Exports(),
    "studies": Studies(),
    "caches": Caches(),
    "keys": Keys(),
    "arguments": Arguments(),
    "requests": Requests(),
}
