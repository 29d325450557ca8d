"""Words cut from recordings of speech, as other words to train on."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from sweep.audio.clips import to_int16
from sweep.audio.layout import SPEAKER_END, SUFFIXES
from sweep.audio.sound import of_recording
from sweep.audio.sources.base import Progress
from sweep.errors import DataError, SweepError

_RATE, _STEP = 16000, 160
_PART_IN_S = 60
"""The level of speech is estimated for each part."""

_LOUD, _BELOW_DB, _FAINTEST_DB = 0.95, 25.0, -60.0
"""Speech is at most 25 dB below the level that a twentieth of the part exceeds."""

_GAP, _WORD = 8, (15, 100)
"""In steps: the shortest pause between words; the shortest and the longest word."""

_PIECES = (30, 80)
_CLIPS_A_FOLDER = 1000


@dataclass(frozen=True)
class Cut:
    """What was cut out.

    Attributes:
        clips: how many clips each folder has.
        skipped: a line for each recording that could not be read.
    """

    clips: dict[str, int]
    skipped: tuple[str, ...]


def cut_words(
    paths: Sequence[Path],
    out: Path,
    length_in_s: float = 1.0,
    seed: int = 0,
    progress: Progress = lambda what, share: None,
) -> Cut:
    """Write clips of the words in recordings of speech.

    A word is the speech between two pauses; speech without a pause is cut every 0.3 to 0.8 s.  A
    clip has a word in its middle and the sound of the recording around it.  Folders
    ``speech-<n>`` hold up to 1000 clips each, about as many as Speech Commands has of a word.
    The speaker is the one in the file name (see ``layout``), else each minute is a speaker.

    Args:
        paths: recordings, or folders of such, however deep.
        out: a folder of other words; see ``dataset.unknown.folder``.
        length_in_s: of a clip.
        seed: decides where speech without a pause is cut.
        progress: called with what is being done and the share of it that is done, 0 to 1.

    Raises:
        DataError: if no recording can be read that has a word, or ``out`` has such folders already.
        SweepError: if ``out`` cannot be written.
    """
    recordings = [found for path in paths for found in _recordings(path)]
    if next(out.glob("speech-*"), None) is not None:
        raise DataError(f"{out}: has words cut out of speech already; remove them first")
    rng, names, skipped = np.random.default_rng(seed), list[str](), list[str]()
    for done, (recording, name) in enumerate(recordings):
        progress("cutting words", done / len(recordings))
        try:
            for minute, part in enumerate(_parts(recording)):
                speaker = _speaker(name, minute)
                for word in _words(part, rng):
                    clip = _around(part, word, round(length_in_s * _RATE))
                    folder = f"speech-{len(names) // _CLIPS_A_FOLDER + 1}"
                    names.append(f"{folder}/{speaker}{SPEAKER_END}{len(names)}.wav")
                    _write(out / names[-1], clip)
        except DataError as error:
            skipped.append(str(error))
    if not names:
        raise DataError(f"{', '.join(map(str, paths))}: no words were found")
    return Cut(dict(Counter(name.partition("/")[0] for name in names)), tuple(skipped))


def _recordings(path: Path) -> list[tuple[Path, Path]]:
    """Return recordings, each with its path below the folder."""
    if not path.is_dir():
        return [(path, Path(path.name))]
    found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    if not found:
        raise DataError(f"{path}: holds no recordings ({', '.join(SUFFIXES)})")
    return [(file, file.relative_to(path)) for file in found]


def _speaker(name: Path, minute: int) -> str:
    speaker, mark, _ = name.stem.partition(SPEAKER_END)
    # Files whose names begin like that are no clips.
    if mark and speaker[:1] not in ("", "_", "."):
        return speaker
    return f"{hashlib.sha256(bytes(name)).hexdigest()[:12]}-{minute}"


def _parts(recording: Path) -> Iterator[np.ndarray]:
    """Yield a recording, a minute at once."""
    held, samples = list[np.ndarray](), 0
    for block in of_recording(recording, _RATE):
        held.append(block)
        samples += len(block)
        if samples >= _PART_IN_S * _RATE:
            yield np.concatenate(held)
            held, samples = [], 0
    if held:
        yield np.concatenate(held)


def _words(part: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Yield where words begin and end, in samples."""
    steps = len(part) // _STEP
    if not steps:
        return
    power = np.square(part[: steps * _STEP], dtype=np.float64).reshape(steps, _STEP).mean(axis=1)
    level = 10 * np.log10(np.convolve(power, np.ones(3) / 3, "same") + 1e-12)
    spoken = level > max(float(np.quantile(level, _LOUD)) - _BELOW_DB, _FAINTEST_DB)
    edges = np.flatnonzero(np.diff(spoken, prepend=False, append=False))
    shortest, longest = _WORD
    for begin, end in _joined(edges.reshape(-1, 2).tolist(), longest):
        while end - begin > longest:
            piece = int(rng.integers(*_PIECES))
            yield begin * _STEP, (begin + piece) * _STEP
            begin += piece
        if end - begin >= shortest:
            yield begin * _STEP, end * _STEP


def _joined(runs: Sequence[list[int]], longest: int) -> list[list[int]]:
    """Return runs of speech, two across a short gap as one if that is no longer than a word."""
    joined: list[list[int]] = []
    for begin, end in runs:
        if joined and begin - joined[-1][1] < _GAP and end - joined[-1][0] <= longest:
            joined[-1][1] = end
        else:
            joined.append([begin, end])
    return joined


def _around(part: np.ndarray, word: tuple[int, int], length: int) -> np.ndarray:
    """Return so many samples with a word in the middle, silence where the part has none."""
    begin = (word[0] + word[1] - length) // 2
    found = part[max(0, begin) : max(0, begin + length)]
    before = max(0, -begin)
    return np.pad(found, (before, length - before - len(found)))


def _write(file: Path, clip: np.ndarray) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, to_int16(clip), _RATE)
    except (OSError, soundfile.LibsndfileError) as error:
        raise SweepError(f"{file.parent}: cannot be written ({error})") from error
