import numpy as np
import pytest

from sweep import cache
from sweep.candidate import AugmentationParams
from sweep.stages import teacher
from sweep.stages.teacher import teacher_answers, teacher_of

PLAIN = AugmentationParams()


@pytest.fixture(scope="module")
def answers(spoken) -> np.ndarray:
    return teacher_answers(spoken, 16000, PLAIN)


def test_the_teacher_says_how_likely_each_label_is_for_every_clip(answers, spoken):
    clips = len(spoken.targets("training"))
    assert answers.shape == (1, clips, 2)
    np.testing.assert_allclose(answers.sum(axis=2), 1, atol=1e-5)


def test_the_teacher_knows_what_it_was_taught(answers, spoken):
    assert np.mean(answers[0].argmax(axis=1) == spoken.targets("training")) > 0.95


def test_answers_are_softened(answers, spoken, monkeypatch):
    sure = np.abs(answers[..., 0] - 0.5).mean()
    monkeypatch.setattr(teacher, "TEMPERATURE", 8.0)
    softer = teacher_answers(spoken, 16000, PLAIN)
    assert np.abs(softer[..., 0] - 0.5).mean() < sure


def test_one_teacher_is_trained_for_all_candidates(answers, spoken):
    with cache.only_reading():
        np.testing.assert_array_equal(teacher_answers(spoken, 16000, PLAIN), answers)


def test_the_teacher_hears_what_the_candidate_may_hear():
    assert teacher_of(8000, PLAIN).frontend.upper_frequency == 4000
    assert teacher_of(16000, AugmentationParams(gain_db=3)).augmentation.gain_db == 3
    assert teacher_of(16000, PLAIN).compression.final_sparsity == 0
