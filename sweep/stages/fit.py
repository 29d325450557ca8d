"""Train one network on some clips, compress it, and evaluate it on others."""

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
from sweep.stages.training import Trained, TrainingProgress, train
from sweep.statistics import Confusion, confusion


@dataclass(frozen=True)
class Predictions:
    """Predictions of a network's variants for clips they were not trained on.

    Attributes:
        names: of the clips.
        truth: the label of each clip, as an index.
        trained: share of the clips that the network classified correctly before conversion.
        probabilities: ``[clips, labels]`` by variant.
    """

    names: list[str]
    truth: np.ndarray
    trained: float
    probabilities: dict[str, np.ndarray]

    @classmethod
    def joined(cls, parts: Sequence["Predictions"]) -> "Predictions":
        """Return the predictions of several networks, each for its own clips, as one."""
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
    """A network trained on the training clips of a dataset, evaluated on its validation clips.

    Attributes:
        features: its training and validation features.
        trained: the network.
        files: its variants as ``.tflite``; none if training was stopped.
        predictions: of the variants, for the validation clips.
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
    stop: Callable[[TrainingProgress], str] = lambda progress: "",
    reference: bool = False,
) -> Fit:
    """Train a network on the training clips, compress it, and evaluate it on the validation clips.

    Args:
        candidate: the parameters.
        architecture: the network's shape.
        dataset: the clips.
        watch: times the stages.
        stop: called after each epoch; a reason it returns ends the training; see ``train``.
        reference: whether LiteRT's reference kernels predict; see ``litert.Model``.
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
                compression.container,
            )
    with watch("measurement"):
        probabilities = {
            name: Model(file, reference).run(features.validation[..., None])
            for name, file in files.items()
        }
    last = trained.progress.accuracies[-1]
    predictions = Predictions(dataset.names("validation"), truth, last, probabilities)
    return Fit(features, trained, files, predictions)
