"""What the live page serves beside itself: reports, models, and the clips that were heard wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from flask import Flask, Response, abort, send_file

from sweep import cache
from sweep.audio.dataset import locate
from sweep.audio.layout import SUFFIXES
from sweep.errors import SweepError
from sweep.predict import MODEL
from sweep.report.finalist import again
from sweep.report.page import render
from sweep.study.table import StudyRecord
from sweep.study.watching import Shelf

_KINDS = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg"}
_MADE_BY_PAGE = "frame-ancestors 'none'"


def add_files(server: Flask, shelf: Shelf) -> None:
    """Add the addresses of reports, models and clips; each names a study, a trial, a place."""

    @server.get("/study/<name>/report.html")
    def report(name: str) -> Response:
        record = _record(shelf, name)
        page = Response(render(record, recordings_of(record)), mimetype="text/html")
        page.headers["Content-Security-Policy"] = _MADE_BY_PAGE
        return page

    @server.get(f"/study/<name>/trial/<int:number>/{MODEL}")
    def model(name: str, number: int) -> Response:
        try:
            content = shelf.study(name).read_file(number, MODEL)
        except SweepError as error:
            abort(404, description=str(error))
        return send_file(
            BytesIO(content),
            mimetype="application/octet-stream",
            as_attachment=True,
            download_name=f"{name}-{number}.tflite",
        )

    @server.get(f"/study/<name>/<any({', '.join(_LISTS)}):kind>/<int:number>/clip/<int:place>")
    def clip(name: str, kind: str, number: int, place: int) -> Response:
        path = listed_clip(_record(shelf, name), kind, number, place)
        if path is None:
            abort(404)
        # Not the path: werkzeug leaves the file open where a reader goes away in the middle.
        content = BytesIO(path.read_bytes())
        return send_file(content, mimetype=_KINDS[path.suffix.lower()], conditional=True)


def listed_clip(record: StudyRecord, kind: str, number: int, place: int) -> Path | None:
    """Return the recording at a place among those a trial or finalist heard wrong, if it is here.

    Only listed names are looked up, only below the folder of the study's recordings.
    """
    names = _LISTS[kind](record, number)
    return recordings_of(record).path(names[place]) if place < len(names) else None


def _heard_wrong(record: StudyRecord, number: int) -> Sequence[str]:
    found = (one.evaluation.mistakes for one in record.trials if one.number == number)
    return next(found, ())


def _worst(record: StudyRecord, number: int) -> Sequence[str]:
    found = (again(one).worst for one in record.finalists if one.trial == number)
    return [name for name, _ in next(found, ())]


_LISTS = {"trial": _heard_wrong, "finalist": _worst}
"""Where a clip has to be listed to be served: by a trial, or by a finalist."""


@dataclass(frozen=True)
class Recordings:
    """The folder of a study's recordings, if it is on this machine."""

    folder: Path | None

    def path(self, name: str) -> Path | None:
        """Return a recording below the folder, if it can be played."""
        if self.folder is None:
            return None
        path = (self.folder / name).resolve()
        inside = path.is_relative_to(self.folder.resolve()) and path.suffix.lower() in SUFFIXES
        return path if inside and path.is_file() else None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.path(name) is not None


def recordings_of(record: StudyRecord) -> Recordings:
    """Return the recordings of a study where they are already; nothing is made or fetched."""
    spec = record.space.file.dataset.spec()
    try:
        with cache.only_reading():
            return Recordings(locate(replace(spec, source=record.about.get("source", spec.source))))
    except (SweepError, OSError):
        return Recordings(None)


def _record(shelf: Shelf, name: str) -> StudyRecord:
    try:
        return shelf.study(name).record()
    except SweepError as error:
        abort(404, description=str(error))
