import numpy as np
import pytest

from sweep.audio.balance import Balance


def test_the_commonest_word_and_what_always_predicting_it_scores():
    found = Balance({"go": 60, "other": 900})
    assert found.commonest == "other"
    assert found.share == pytest.approx(0.9375)
    assert found.caution.startswith("other is 94% of the clips, so always predicting it has an")
    assert "accuracy of 0.938; limit worst_recall or balanced_accuracy" in found.caution


@pytest.mark.parametrize("clips", [(100, 100), (74, 26 * 2), (10, 12, 13), (1,)])
def test_words_about_equal_in_number_need_no_caution(clips):
    assert Balance(dict(zip("abc", clips, strict=False))).caution == ""


@pytest.mark.parametrize("clips", [(76, 24), (51, 25, 24), (16, 4, 4, 4, 4)])
def test_a_word_with_half_as_many_again_as_its_equal_share_does(clips):
    assert Balance(dict(zip("abcde", clips, strict=False))).caution != ""


def test_it_is_counted_from_targets_or_from_predictions():
    targets = np.repeat([0, 1, 2], [3, 0, 7])
    counted = Balance.of_targets(("a", "b", "c"), targets)
    assert counted.clips == {"a": 3, "b": 0, "c": 7}
    assert Balance.of_confusion(("a", "b", "c"), ((1, 2, 0), (0, 0, 0), (3, 3, 1))) == counted
