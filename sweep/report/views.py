"""The data of served pages, computed once for all clients and not too often."""

import hashlib
import threading
import time
from dataclasses import dataclass, field

from sweep.report.page import to_json
from sweep.report.page.record import study_data
from sweep.report.recordings import recordings_of
from sweep.study.reader import Studies
from sweep.study.records import StudyRecord

_REST = 2.0


@dataclass(frozen=True)
class View:
    """The JSON data of a study's page; ``tag`` identifies its content."""

    record: StudyRecord
    content: bytes
    tag: str


@dataclass
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    view: View | None = None
    rested: float = 0.0


class ViewCache:
    """The views of all studies, updated when a trial has finished.

    After an update the study rests for twice as long as the update took, so that clients use at
    most a third of a core while a sweep runs; meanwhile they get the previous view.
    """

    def __init__(self, studies: Studies) -> None:
        self.studies = studies
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()

    def view(self, name: str) -> View:
        """Return the current or a recent view of a study.

        Raises:
            StudyError: if it is gone or cannot be read.
        """
        reader = self.studies.study(name)
        with self._lock:
            slot = self._slots.setdefault(name, _Slot())
        if not slot.lock.acquire(blocking=slot.view is None):
            assert slot.view is not None
            return slot.view
        try:
            begin = time.monotonic()
            if slot.view is not None and begin < slot.rested:
                return slot.view
            record = reader.record()
            if slot.view is None or slot.view.record is not record:
                content = to_json(study_data(record, recordings_of(record))).encode()
                slot.view = View(record, content, hashlib.sha256(content).hexdigest()[:16])
                end = time.monotonic()
                slot.rested = end + _REST * (end - begin)
            return slot.view
        finally:
            slot.lock.release()
