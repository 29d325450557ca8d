"""One network trained on some clips, compressed, and tried on others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.audio.dataset import Dataset
from sweep.candidate import Candidate
from sweep.litert import Model
from sweep.networks.architecture import Architecture
from sweep.stages.compression import compress
from sweep.stages.features import FeatureSet, prepare_features
from sweep.stages.stopwatch import Stopwatch
from sweep.stages.training import Progress, Trained, train
from sweep.statistics import Confusion, confusion


@dataclass(frozen=True)
class Predictions:
    """What the variants of a network predict for clips they were not trained on.

    Attributes:
        names: of the clips.
        truth: the label of each, as an index.
        trained: share of the clips that the network classified correctly before conversion.
        probabilities: ``[clips, labels]`` by variant.
    """

    names: list[str]
    truth: np.ndarray
    trained: float
    probabilities: dict[str, np.ndarray]

    @classmethod
    def joined(cls, parts: Sequence["Predictions"]) -> "Predictions":
        """Return the predictions of several networks, each for clips of its own, as one."""
        clips = [len(part.truth) for part in parts]
        return cls(
            names=[name for part in parts for name in part.names],
            truth=np.concatenate([part.truth for part in parts]),
            trained=float(np.average([part.trained for part in parts], weights=clips)),
            probabilities={
                variant: np.concatenate([part.probabilities[variant] for part in parts])
                for variant in parts[0].probabilities
            },
        )

    def counts(self) -> dict[str, Confusion]:
        """Return the confusion matrix of each variant."""
        return {name: confusion(self.truth, found) for name, found in self.probabilities.items()}


@dataclass(frozen=True)
class Fit:
    """A network trained on the training clips of a dataset and tried on its validation clips.

    Attributes:
        features: what it was trained on.
        trained: the network.
        files: its variants as ``.tflite``; none of one that was stopped.
        predictions: what the variants predict for the validation clips.
    """

    features: FeatureSet
    trained: Trained
    files: dict[str, bytes]
    predictions: Predictions


def fit(
    candidate: Candidate,
    architecture: Architecture,
    dataset: Dataset,
    watch: Stopwatch,
    stop: Callable[[Progress], str] = lambda progress: "",
) -> Fit:
    """Train a network on the training clips, compress it, and try it on the validation clips.

    Args:
        candidate: the parameters.
        architecture: the network's shape.
        dataset: the clips.
        watch: times the stages.
        stop: asked after each epoch, a reason ends the training; see ``train``.
    """
    with watch("features"):
        features = prepare_features(dataset, candidate.frontend, candidate.augmentation)
        truth = dataset.targets("validation")
    with watch("training"):
        trained = train(
            candidate,
            architecture,
            features.training,
            dataset.targets("training"),
            (features.validation, truth),
            stop,
        )
    files: dict[str, bytes] = {}
    if not trained.stopped:
        with watch("compression"):
            compression = candidate.compression
            files = compress(
                architecture,
                trained.weights,
                compression.quantization,
                features.training[0],
                compression.strip_names,
            )
    with watch("measurement"):
        probabilities = {
            name: Model(file).run(features.validation[..., None]) for name, file in files.items()
        }
    last = trained.progress.accuracies[-1]
    predictions = Predictions(dataset.names("validation"), truth, last, probabilities)
    return Fit(features, trained, files, predictions)
