"""What the live page serves beside itself: reports, models, and the clips that were heard wrong."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

from flask import Flask, Response, abort, send_file

from sweep import cache
from sweep.audio.dataset import locate
from sweep.audio.layout import SUFFIXES
from sweep.errors import SweepError
from sweep.predict import MODEL
from sweep.report.page import render
from sweep.study.table import StudyRecord
from sweep.study.watching import Shelf

_KINDS = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg"}
_MADE_BY_PAGE = "frame-ancestors 'none'"


def add_files(server: Flask, shelf: Shelf) -> None:
    """Add the addresses of reports, models and clips; each names a study, a trial, a place."""

    @server.get("/study/<name>/report.html")
    def report(name: str) -> Response:
        page = Response(render(_record(shelf, name)), mimetype="text/html")
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

    @server.get("/study/<name>/trial/<int:number>/clip/<int:place>")
    def clip(name: str, number: int, place: int) -> Response:
        path = mistaken_clip(_record(shelf, name), number, place)
        if path is None:
            abort(404)
        return send_file(path, mimetype=_KINDS[path.suffix.lower()], conditional=True)


def mistaken_clip(record: StudyRecord, number: int, place: int) -> Path | None:
    """Return the recording at a place among a trial's mistakes, if it can be played.

    Only names that the evaluation lists are looked up, only below the folder of the study's
    recordings, and only where it is there already.
    """
    trial = next((one for one in record.trials if one.number == number), None)
    folder = _recordings(record)
    if trial is None or folder is None or place >= len(trial.evaluation.mistakes):
        return None
    path = (folder / trial.evaluation.mistakes[place]).resolve()
    inside = path.is_relative_to(folder.resolve()) and path.suffix.lower() in SUFFIXES
    return path if inside and path.is_file() else None


def _recordings(record: StudyRecord) -> Path | None:
    spec = record.space.file.dataset.spec()
    try:
        with cache.only_reading():
            return locate(replace(spec, source=record.about.get("source", spec.source)))
    except (SweepError, OSError):
        return None


def _record(shelf: Shelf, name: str) -> StudyRecord:
    try:
        return shelf.study(name).record()
    except SweepError as error:
        abort(404, description=str(error))
