"""The files that a study keeps for its trials: front ends and models."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import optuna
from optuna.artifacts import FileSystemArtifactStore, upload_artifact

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
        """Store files of a trial, by name."""
        kept = {}
        self._folder.mkdir(exist_ok=True)
        for name, content in files.items():
            with tempfile.TemporaryDirectory(dir=self._study) as scratch:
                file = Path(scratch) / name
                file.write_bytes(content)
                kept[name] = upload_artifact(
                    artifact_store=self._store(), file_path=str(file), study_or_trial=trial
                )
        trial.set_user_attr(_FILES, kept)

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
