"""A spotter: go and stop among unheard words, tested once on Speech Commands v0.02.

    SPEECH_COMMANDS=FOLDER python benchmarks/spotter.py [--seeds 3] [--plain] [--speech DIR]
    SPEECH_COMMANDS=FOLDER python benchmarks/spotter.py --held-out up right down left

Beside ``FOLDER`` lie ``speech_commands_more``, folders of other words, and
``speech_commands_test_v2``: go, stop, ``_unknown_`` of 25 unheard words, ``_silence_``, on and
off.  One candidate of ``search_spaces/keyword.yaml``, of at most 9,400 bytes, is trained from
several seeds on all other words and on near misses (``--plain`` leaves these out; ``--speech``
adds what ``sweep data cut`` made); its operating point is that of its validation stream.  Then the
test clips are read, once: as clips, and as a stream of two hours in which about each is spoken.

With ``--held-out`` no test clip is read: of each of these words it is measured, on validation
clips, how often networks that never heard it take it for a keyword.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np

import sweep
from sweep.arrays import blocks, to_float
from sweep.audio.clips import read_clip
from sweep.audio.dataset import Dataset
from sweep.audio.layout import SILENCE, UNKNOWN
from sweep.audio.near_misses import make_near_misses
from sweep.audio.open_set import StreamSpec
from sweep.audio.spoken import Spoken, Stream
from sweep.audio.streams import StreamMaker
from sweep.dataset_section import StreamsSection
from sweep.detection import Detection, Scores
from sweep.detector import Event, OperatingPoint
from sweep.limits import Limit
from sweep.litert import Model, run_windows
from sweep.predict import FRONTEND, MODEL
from sweep.statistics import poisson, wilson

SPACE = Path(__file__).parent.parent / "search_spaces" / "keyword.yaml"
KEYWORDS, REJECTED = ("go", "stop"), ("_unknown_", "_silence_", "on", "off")
CHOSEN = {
    "frame_step_in_s": 0.02,
    "num_mel_bins": 16,
    "num_coefficients": 12,
    "alpha": 0.22,
    "blocks": 4,
}
ALARMS = [Limit("false_alarms_per_hour", "<=", 5.0)]
RATE, HOURS, SNRS = 16000, 2.0, ((0, 10), (10, 20), (20, 30))


@dataclass(frozen=True)
class Spotter:
    """A trained candidate: its files and its operating point."""

    files: dict[str, bytes]
    point: OperatingPoint


@dataclass(frozen=True)
class TestClips:
    """The test clips, int16 ``[clips, samples]``, with their folders and names."""

    clips: np.ndarray
    folders: list[str]
    names: list[str]

    @classmethod
    def read(cls, folder: Path) -> "TestClips":
        """Read them; this is the one time."""
        files = [f for one in (*KEYWORDS, *REJECTED) for f in sorted((folder / one).iterdir())]
        clips = np.stack([read_clip(file, RATE, RATE) for file in files])
        names = [f"{file.parent.name}/{file.name}" for file in files]
        return cls(clips, [file.parent.name for file in files], names)

    def stream(self) -> Stream:
        """Return a stream in which about every clip is spoken once."""
        spec = StreamSpec(hours=HOURS, words_per_hour=1000)
        maker = StreamMaker(self.clips, self.folders, self.names, KEYWORDS, spec, RATE)
        return Stream(np.concatenate([*maker.blocks()]), RATE, maker.spoken)


def main() -> None:
    """Train from several seeds, then print what the test clips give, with 95 % intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--share", type=float, default=1.5)
    parser.add_argument("--plain", action="store_true", help="without near misses")
    parser.add_argument("--speech", type=Path, help="a folder that sweep data cut has made")
    parser.add_argument("--held-out", nargs="+", metavar="WORD")
    given = parser.parse_args()
    recordings = Path(os.environ["SPEECH_COMMANDS"]).absolute()
    rows = []
    for word in given.held_out or [None]:
        held_out = [word] if word else []
        with tempfile.TemporaryDirectory() as scratch:
            put_other_words(recordings, Path(scratch), held_out, not given.plain, given.speech)
            dataset = open_set(recordings, Path(scratch), given.share, held_out)
            seeds = range(1, given.seeds + 1)
            spotters = [train(dataset, given.epochs, seed) for seed in seeds]
            if word:
                rows += [rejected(one, dataset, word) for one in spotters]
    if given.held_out:
        print(
            "mean                  " + " ".join(f"{fmean(v):7.3f}" for v in zip(*rows, strict=True))
        )
    else:
        report(spotters, TestClips.read(recordings.with_name("speech_commands_test_v2")))


def rejected(spotter: Spotter, dataset: Dataset, word: str) -> tuple[float, float, float]:
    """Print and return how validation clips are answered, of keywords and of a held-out word.

    Returns:
        The share of keywords right, that of the word's clips taken for one, and the share of
        keywords found at the threshold at which a tenth of the word's clips are.
    """
    frontend, model = Model(spotter.files[FRONTEND]), Model(spotter.files[MODEL])
    clips = dataset.waveforms("validation", RATE)
    features = np.concatenate([frontend.run_each(to_float(c)) for c in blocks(clips, 128)])
    scores, truth = model.run_each(features), dataset.targets("validation")
    best = scores[:, : len(KEYWORDS)]
    keyword, other = truth < len(KEYWORDS), truth == len(KEYWORDS)
    right = best.argmax(axis=1) == truth
    threshold = np.quantile(best[other].max(axis=1), 0.9)
    found = (
        float((scores.argmax(axis=1) == truth)[keyword].mean()),
        float((scores.argmax(axis=1) < len(KEYWORDS))[other].mean()),
        float((right & (best.max(axis=1) > threshold))[keyword].mean()),
    )
    print(f"{word:<22}" + " ".join(f"{value:7.3f}" for value in found), flush=True)
    return found


def put_other_words(
    recordings: Path,
    folder: Path,
    held_out: Sequence[str],
    near_misses: bool,
    speech: Path | None = None,
) -> None:
    """Put the other words into a folder, near misses of all but those held out, and speech."""
    more = recordings.with_name("speech_commands_more")
    words = [word.name for word in more.iterdir() if word.is_dir()]
    for word in words:
        (folder / word).symlink_to(more / word)
    if near_misses:
        used = [*KEYWORDS, *(word for word in words if word not in held_out)]
        print(make_near_misses([recordings, more], KEYWORDS, used, folder))
    for place in sorted(speech.absolute().iterdir()) if speech else ():
        (folder / place.name).symlink_to(place)


def open_set(recordings: Path, others: Path, share: float, held_out: Sequence[str] = ()) -> Dataset:
    """Return the data set; where no word is held out, validation tests other speakers."""
    section = sweep.Space.load(SPACE).file.dataset
    held = [*held_out] or 0
    unknown = section.unknown.model_copy(
        update={"folder": str(others), "held_out": held, "share": share}
    )
    update = {"source": str(recordings), "unknown": unknown, "streams": StreamsSection()}
    return sweep.open_dataset(section.model_copy(update=update).spec())


def train(dataset: Dataset, epochs: int, seed: int) -> Spotter:
    """Train the chosen candidate from a seed; print what it measures in validation."""
    space = sweep.Space.load(SPACE)
    parameters = space.file.parameters | CHOSEN | {"epochs": epochs}
    space = sweep.Space(space.file.model_copy(update={"parameters": parameters}), space.origin)
    candidate = replace(space.candidate({}), seed=seed)
    evaluation, files = sweep.evaluate(candidate, dataset, ALARMS)
    result = evaluation.result
    told = {name: result[name] for name in ("accuracy", "false_alarms_per_hour", "miss_rate")}
    print(f"seed {seed}: {result.quantization}, {len(files[MODEL]):,} B; validation {told}")
    return Spotter(files, result.point)


def report(spotters: list[Spotter], test: TestClips) -> None:
    """Print what some spotters make of the test clips, and of the stream of them."""
    answers = [answered(one, test) for one in spotters]
    of_four = [folder in (*KEYWORDS, UNKNOWN, SILENCE) for folder in test.folders]
    line("accuracy of four labels", [right(one, test, of_four) for one in answers])
    for folder in (*KEYWORDS, UNKNOWN, SILENCE):
        line(f"  {folder}", [right(one, test, within(test, folder)) for one in answers])
    for folders in ((UNKNOWN,), (SILENCE,), ("on", "off")):
        name = f"keyword for {', '.join(folders)}"
        line(name, [accepted(one, within(test, *folders)) for one in answers])
    stream = test.stream()
    found = [detected(one, stream) for one in spotters]
    rates = [one.false_alarms_per_hour for one in found]
    low, high = poisson(fmean(rates), HOURS)
    print(f"false alarms an hour      {fmean(rates):.1f} ({low:.1f}-{high:.1f}); {rates}")
    line("misses", [missed(one, lambda word: True) for one in found])
    for keyword in KEYWORDS:
        line(f"  {keyword}", [missed(one, lambda word: word.label == keyword) for one in found])
    for low, high in SNRS:
        share = [missed(one, lambda word: low <= word.snr_db < high) for one in found]
        line(f"  {low} to {high} dB", share)
    print(f"delay                     {fmean(one.delay_ms for one in found):.0f} ms")
    causes = Counter(cause(event, stream) for one in found for event in one.false_alarms)
    print("false alarms during       " + ", ".join(f"{k} {v}" for k, v in causes.most_common()))


def answered(spotter: Spotter, test: TestClips) -> list[str]:
    """Return the label that is predicted for each test clip."""
    frontend, model = Model(spotter.files[FRONTEND]), Model(spotter.files[MODEL])
    labels = (*KEYWORDS, UNKNOWN, SILENCE)
    features = np.concatenate([frontend.run_each(to_float(c)) for c in blocks(test.clips, 128)])
    return [labels[i] for i in model.run_each(features).argmax(axis=1)]


def detected(spotter: Spotter, stream: Stream) -> Detection:
    """Return what is detected in a stream."""
    files, point = spotter.files, spotter.point
    probabilities = run_windows(files[FRONTEND], files[MODEL], stream.samples, point.stride)
    labels = (*KEYWORDS, UNKNOWN, SILENCE)
    return Scores(stream, probabilities, labels, KEYWORDS, point.stride, RATE).at(point)


def within(test: TestClips, *folders: str) -> list[bool]:
    """Tell which clips are of some folders."""
    return [folder in folders for folder in test.folders]


def right(answers: list[str], test: TestClips, chosen: list[bool]) -> tuple[int, int]:
    """Return how many of the chosen clips are predicted right, and how many there are."""
    found = [a == f for a, f, one in zip(answers, test.folders, chosen, strict=True) if one]
    return sum(found), len(found)


def accepted(answers: list[str], chosen: list[bool]) -> tuple[int, int]:
    """Return how many of the chosen clips are taken for a keyword, and how many there are."""
    found = [answer in KEYWORDS for answer, one in zip(answers, chosen, strict=True) if one]
    return sum(found), len(found)


def missed(found: Detection, chosen: Callable[[Spoken], bool]) -> tuple[int, int]:
    """Return how many of the chosen keywords were missed, and how many were said."""
    misses = sum(map(chosen, found.misses))
    return misses, misses + sum(chosen(word) for word, _ in found.hits)


def cause(event: Event, stream: Stream) -> str:
    """Return the folder of the word that was spoken last before an event, within two seconds."""
    begun = [word for word in stream.spoken if 0 <= event.time_in_s - word.start_in_s < 2]
    return begun[-1].clip.split("/")[0] if begun else "noise"


def line(what: str, counts: list[tuple[int, int]]) -> None:
    """Print the mean of a share over seeds with its interval, then that of each seed."""
    shares, clips = [count / total for count, total in counts], counts[0][1]
    low, high = wilson(fmean(shares), clips)
    each = " ".join(f"{share:.3f}" for share in shares)
    print(f"{what:<26}{fmean(shares):.3f} ({low:.3f}-{high:.3f}) of {clips}; {each}")


if __name__ == "__main__":
    main()
