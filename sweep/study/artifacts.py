"""The files that a study keeps for its trials: front ends and models."""

from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import optuna
from optuna.artifacts import FileSystemArtifactStore

from sweep.cache import settle
from sweep.errors import StudyError

_FILES = "files"


class Artifacts:
    """The artifact store in a study's folder.

    Args:
        study: the study's folder.
    """

    def __init__(self, study: Path) -> None:
        self._study, self._folder = study, study / "artifacts"

    def keep(self, trial: optuna.Trial, files: Mapping[str, bytes]) -> None:
        """Store files of a trial, by name; they are on the disk before the trial names them."""
        kept = {name: str(uuid4()) for name in files}
        self._folder.mkdir(exist_ok=True)
        for name, content in files.items():
            self._store().write(kept[name], BytesIO(content))
        settle(self._folder, kept.values())
        trial.set_user_attr(_FILES, kept)

    def keep_only(self, trials: Iterable[optuna.trial.FrozenTrial]) -> None:
        """Remove every file that is of none of these trials; killed runs leave such files."""
        kept = {name for trial in trials for name in trial.user_attrs.get(_FILES, {}).values()}
        for file in self._folder.glob("*"):
            if file.name not in kept:
                file.unlink(missing_ok=True)

    def read(self, trials: list[optuna.trial.FrozenTrial], number: int, name: str) -> bytes:
        """Return a file of a trial.

        Args:
            trials: all trials of the study.
            number: the trial's number.
            name: the file's name.

        Raises:
            StudyError: if the trial has no such file, or it cannot be read.
        """
        trial = next((trial for trial in trials if trial.number == number), None)
        kept: dict[str, str] = {} if trial is None else trial.user_attrs.get(_FILES, {})
        if name not in kept:
            raise StudyError(
                f"{self._study}: trial {number} kept no model; only feasible trials do"
            )
        if not self._folder.is_dir():
            raise StudyError(
                f"{self._folder}: not found; the models are on the machine that ran the sweep,"
                " name that folder with --results"
            )
        try:
            with self._store().open_reader(kept[name]) as file:
                return file.read()
        except optuna.artifacts.exceptions.ArtifactNotFound as error:
            raise StudyError(f"{self._study}: {name} of trial {number} is gone") from error
        except OSError as error:
            raise StudyError(
                f"{self._study}: {name} of trial {number} cannot be read: {error.strerror}"
            ) from error

    def _store(self) -> FileSystemArtifactStore:
        return FileSystemArtifactStore(str(self._folder))
