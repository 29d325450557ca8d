"""One network trained on spoken words, for the tests that only look at it."""

from dataclasses import dataclass

import numpy as np
import pytest

from sweep.audio.dataset import Dataset
from sweep.candidate import QUANTIZATIONS, Candidate
from sweep.networks.architecture import Architecture
from sweep.stages.compression import compress
from sweep.stages.features import FeatureSet, prepare_features
from sweep.stages.training import Trained, train


@dataclass(frozen=True)
class Lesson:
    """A candidate, what it learnt, and what it learnt from."""

    candidate: Candidate
    architecture: Architecture
    features: FeatureSet
    trained: Trained
    validation: tuple[np.ndarray, np.ndarray]

    def variants(self, container: str = "full") -> dict[str, bytes]:
        """Return the files of every variant."""
        clips = self.features.training[0]
        weights = self.trained.weights
        return compress(self.architecture, weights, QUANTIZATIONS, clips, container)


def learn(dataset: Dataset, seed: int = 0, stop=lambda progress: "", **parameters) -> Lesson:
    """Train the network of a candidate on a data set."""
    candidate = Candidate.from_parameters(parameters, seed=seed)
    shape = candidate.frontend.shape
    architecture = candidate.network.architecture(shape, len(dataset.labels))
    features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
    validation = (features.validation, dataset.targets("validation"))
    targets = dataset.targets("training")
    trained = train(candidate, architecture, features.training, targets, validation, stop=stop)
    return Lesson(candidate, architecture, features, trained, validation)


SMALL = {"alpha": 0.25, "final_sparsity": 0.5, "normalization": "per_coefficient"}
"""A network that learns the spoken words in two seconds, given LONG."""
LONG = {"epochs": 60}


@pytest.fixture(scope="session")
def lesson(spoken: Dataset) -> Lesson:
    """A small network that has learnt the spoken words."""
    return learn(spoken, **SMALL, **LONG)


@pytest.fixture(scope="session")
def variants(lesson: Lesson) -> dict[str, bytes]:
    """The files of that network."""
    return lesson.variants()
