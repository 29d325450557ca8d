"""What was heard, against what was said."""

import numpy as np

MOST_MISTAKES = 200
"""Clips listed as misclassified: enough to look at, little to keep for every trial."""


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
    """Return the names of misclassified clips, the most confident first; see ``confusion``.

    There are ``MOST_MISTAKES`` at most; the confusion matrix counts them all.
    """
    wrong = np.flatnonzero(answers.argmax(axis=1) != truth)
    order = np.argsort(-answers[wrong].max(axis=1), kind="stable")
    return tuple(names[i] for i in wrong[order[:MOST_MISTAKES]])
