"""What was heard, against what was said."""

import numpy as np


def confusion(truth: np.ndarray, answers: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """Count clips by true label (rows) and label heard (columns).

    Args:
        truth: the label of each clip, as an index.
        answers: a row of probabilities a clip.
    """
    counts = np.zeros((answers.shape[1],) * 2, int)
    np.add.at(counts, (truth, answers.argmax(axis=1)), 1)
    return tuple(tuple(row) for row in counts.tolist())


def mistakes(names: list[str], truth: np.ndarray, answers: np.ndarray) -> tuple[str, ...]:
    """Return the names of the clips heard wrong, the most confident first; see ``confusion``."""
    wrong = np.flatnonzero(answers.argmax(axis=1) != truth)
    return tuple(names[i] for i in sorted(wrong, key=lambda i: -answers[i].max()))
