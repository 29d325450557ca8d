"""A source from outside: a CSV file of paths and labels.

dataset: {source: csv_source:CSV, file: clips.csv, labels: [stop, go]}
"""

import csv
from pathlib import Path

import sweep


class CSV(sweep.Source):
    """Recordings that a CSV file lists: path, label, and split and speaker where it has them."""

    file: Path = sweep.parameter("clips.csv", meaning="the CSV file; paths are relative to it")

    def utterances(self, wanted):
        """Yield a recording for each row."""
        if not self.file.is_file():
            raise sweep.SweepError(f"{self.file}: no such file")
        with self.file.open(newline="", encoding="utf-8") as lines:
            rows = csv.DictReader(lines)
            for row in rows:
                if not row.get("path") or not row.get("label"):
                    place = f"{self.file}:{rows.line_num}"
                    raise sweep.SweepError(f"{place}: needs a path and a label")
                yield sweep.Utterance(
                    row["label"],
                    self.file.parent / row["path"],
                    split=row.get("split") or None,
                    speaker=row.get("speaker") or None,
                )
