"""A folder of recordings on this machine."""

from pathlib import Path

from sweep.audio.sources.base import Progress, Source, Wanted
from sweep.errors import DataError
from sweep.parameters import given
from sweep.registry import BUILT_IN


class Folder(Source):
    """A folder of recordings; ``layout.find_clips`` says how they lie in it."""

    path: str = given("")

    def folder(self, wanted: Wanted, progress: Progress | None = None) -> Path:
        """Return it.

        Raises:
            DataError: if it is none.
        """
        folder = Path(self.path)
        if not folder.is_dir():
            named = " or ".join(BUILT_IN["source"])
            raise DataError(f"{folder}: no such folder; name one with --data, or {named}")
        return folder
