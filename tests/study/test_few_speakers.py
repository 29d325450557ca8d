"""Six people record five words: what is claimed is what other people get."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep.audio import espeak
from sweep.audio.clips import resample
from sweep.audio.dataset import Dataset, open_dataset
from sweep.candidate import Candidate
from sweep.export import export_trial
from sweep.limits import Limit
from sweep.predict import Classifier
from sweep.space import Space
from sweep.study import confirm as confirm_module
from sweep.study import launch as launch_module
from sweep.study.confirm import confirm
from sweep.study.launch import launch
from sweep.study.storage import StudyFolder
from sweep.study.task import Rules, evaluate_candidate
from sweep.study.workers import Result

WORDS = ("yes", "stop", "seven", "marvin", "no")
RATE = 8000
SEED = 1
SPACE = """
dataset: {source: %s, labels: ["yes", stop, seven, marvin, "no"], clip_length_in_s: auto}
parameters:
  downsampling_rate: 8000
  upper_frequency: 4000
  frame_step_in_s: 0.016
  num_mel_bins: 16
  num_coefficients: 12
  nonlinearity: cube_root
  normalization: per_clip
  network: temporal
  alpha: [0.125]
  epochs: 20
  learning_rate_decay: cosine
  final_sparsity: 0
limits: {accuracy: ">= 0.5", size_kb: "< 25"}
search: {trials: 1, seed: 1, folds: 5}
"""


def record(folder: Path, people: list[str], clips: int, seed: int) -> Path:
    """Have people, each a voice of eSpeak NG, say each word so many times; 0.3 to 0.9 s, 8 kHz."""
    rng = np.random.default_rng(seed)
    accents = {name: str(rng.choice(espeak.ACCENTS)) for name in people}
    pitches = {name: int(rng.integers(20, 80)) for name in people}
    asked = [
        (
            f"{word}/{name.replace(' ', '')}_nohash_{i}.wav",
            espeak.Utterance(
                word,
                accents[name],
                name,
                rate=int(rng.integers(110, 260)),
                pitch=int(np.clip(pitches[name] + rng.integers(-10, 11), 0, 99)),
            ),
        )
        for name in people
        for word in WORDS
        for i in range(clips)
    ]
    sounds = espeak.speak([utterance for _, utterance in asked])
    for (name, _), sound in zip(asked, sounds, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, _microphone(sound, rng), RATE, subtype="PCM_16")
    return folder


def _microphone(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return speech at 8 kHz without the silence around it, in some noise, at some loudness."""
    speech = np.concatenate([*resample([sound / np.float32(32768)], espeak.SAMPLE_RATE, RATE)])
    loud = np.flatnonzero(np.abs(speech) > 0.01)
    speech = speech[loud[0] : loud[-1] + 1][: round(0.9 * RATE)]
    speech = np.pad(speech, (0, max(0, round(0.3 * RATE) - len(speech))))
    level = np.sqrt(np.mean(speech**2)) * 10 ** (-rng.uniform(10, 30) / 20)
    speech = speech + level * rng.standard_normal(len(speech))
    return np.asarray(speech * rng.uniform(0.1, 0.9) / np.max(np.abs(speech)))


class Here:
    """Workers in this process, which saves starting others."""

    capacity = 1

    def __init__(self, dataset: Dataset, limits: list[Limit], *_: object, **__: object) -> None:
        self.dataset, self.limits = dataset, limits
        self.asked: list[tuple[int, Candidate, Rules, Dataset]] = []

    def __enter__(self) -> "Here":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def busy(self) -> int:
        """How many candidates have been submitted and not been answered."""
        return len(self.asked)

    def submit(
        self,
        number: int,
        candidate: Candidate,
        rules: Rules = (),
        dataset: Dataset | None = None,
    ) -> None:
        """Take a candidate."""
        self.asked.append((number, candidate, rules, dataset or self.dataset))

    def wait(self, timeout: float) -> Result:
        """Evaluate the candidate taken first."""
        number, candidate, rules, dataset = self.asked.pop(0)
        return Result(number, *evaluate_candidate(candidate, dataset, self.limits, rules))


def test_what_six_speakers_promise_holds_for_forty_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (launch_module, confirm_module):
        monkeypatch.setattr(module, "DaskWorkers", Here)
    every = espeak.voices()
    order = [every[i] for i in np.random.default_rng(SEED).permutation(len(every))]
    six = record(tmp_path / "six", order[:6], 20, SEED)
    others = record(tmp_path / "others", order[6:46], 2, SEED + 1)

    space = Space.parse(SPACE % six)
    dataset = open_dataset(space.file.dataset.spec())
    assert list(dataset.speakers.counts.values()) == [4, 1, 1]
    folder = StudyFolder(tmp_path / "results", "six")
    assert launch(space, dataset, folder, workers=1).funnel()["feasible"] == 1
    confirm(folder.record(), dataset, folder, top=1, seeds=1, folds=10, workers=1)
    study = folder.record()
    (finalist,) = study.finalists
    assert finalist.validated is not None and len(finalist.validated.folds) == 5
    assert finalist.everybody and finalist.test_clips == len(list(six.glob("*/*.wav"))) == 600
    metadata = export_trial(folder, study, 0, None, tmp_path / "out")
    assert "by 1 speaker only" in metadata["speakers"]["caution"]

    heard = unheard(tmp_path / "out", others)
    claimed = metadata["finalist"]["test"]["accuracy"]
    low, high = claimed["interval"]
    assert low <= np.mean(heard) <= high
    # Every clip for itself, the claim would be surer than other speakers bear out.
    error = 2 * np.std(heard) / np.sqrt(6)
    assert high - low > error
    assert metadata["metrics"]["accuracy"]["value"] == pytest.approx(np.mean(heard), abs=error)


def unheard(model: Path, others: Path) -> list[float]:
    """Return the share of clips that an exported model predicts right, for each speaker."""
    classifier = Classifier(model)
    right: dict[str, list[bool]] = defaultdict(list)
    for clip in sorted(others.glob("*/*.wav")):
        speaker = clip.name.split("_nohash_")[0]
        right[speaker].append(classifier.predict(clip).label == clip.parent.name)
    return [float(np.mean(one)) for one in right.values()]
