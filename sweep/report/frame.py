"""The table of trials with every measured column as numbers, even where nothing was measured."""

import pandas as pd

from sweep.limits import METRICS
from sweep.study.table import StudyRecord, table

_MEASURED = [*METRICS, "original_accuracy", "original_size_kb", "sparsity", "violation"]


def trial_frame(record: StudyRecord) -> pd.DataFrame:
    """Return ``sweep.study.table.table`` with missing measurements as NaN."""
    return table(record).astype({column: float for column in _MEASURED})
