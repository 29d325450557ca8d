"""A study as a served page shows it: computed once for all readers, and not too often."""

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
    """What the page draws of a study at one moment, as JSON; ``tag`` tells contents apart."""

    record: StudyRecord
    content: bytes
    tag: str


@dataclass
class _Slot:
    lock: threading.Lock = field(default_factory=threading.Lock)
    view: View | None = None
    rested: float = 0.0


class ViewCache:
    """The views of all studies, computed anew when a trial has ended.

    After computing, a study is left alone for twice as long as that took: readers take a third of a
    core at most from the sweep that runs beside them.  Who asks meanwhile gets the view before.
    """

    def __init__(self, studies: Studies) -> None:
        self.studies = studies
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()

    def view(self, name: str) -> View:
        """Return a study as it stands, or stood a moment ago.

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
