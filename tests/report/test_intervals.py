import pytest

from sweep.report.intervals import wilson


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),
    [
        (0.5, 10, 0.2366, 0.7634),
        (0.0, 10, 0.0, 0.2775),
        (1.0, 10, 0.7225, 1.0),
        (81 / 263, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_agrees_with_published_values(share, count, low, high):
    """The last is Newcombe's example (Statistics in Medicine, 1998), the others follow by hand."""
    assert wilson(share, count) == pytest.approx((low, high), abs=5e-5)


def test_wilson_without_clips_says_nothing():
    assert wilson(0.9, 0) == (0.0, 1.0)
