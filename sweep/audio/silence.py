"""Silence as a microphone has it: short slices of background recordings, at many levels."""

import math
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from sweep.audio.clips import to_int16
from sweep.audio.layout import NOISE_FOLDER, SILENCE, SPEAKER_END, SUFFIXES
from sweep.audio.recording import Recording
from sweep.errors import DataError

VERSION = 1
"""Counts up when slices are cut differently, so that old cache entries lapse."""

LEVELS_DB = (-40.0, 0.0)
"""By how much a slice is changed; uniform."""

NEARLY_NOTHING = 20
"""One slice in so many is digital silence but for the last bit, as of a muted microphone."""

_TRAINING_BLOCKS = 8
_BLOCK_SPLITS = ("training",) * _TRAINING_BLOCKS + ("validation", "testing")
_MOST_A_BLOCK = 200
_OVERLAP = 4


def cut(source: Path, names: Iterable[str], out: Path, length_in_s: float, seed: int) -> None:
    """Write slices of background recordings, and of the recordings the part for training.

    Of ten blocks of a recording, eight are for training, one for validation and one for testing;
    no slice crosses blocks.  Slices are ``_silence_/<split>/<recording>-<block>_nohash_<n>.wav``,
    so that those of a block stay together as those of a speaker do.  A recording too short for
    blocks of ``length_in_s`` is for training, as background.

    Args:
        source: the folder of the recordings.
        names: their names below it.
        out: where to write.
        length_in_s: length of a slice.
        seed: decides the levels.

    Raises:
        DataError: if no recording is long enough.
    """
    (out / NOISE_FOLDER).mkdir()
    cut_any = False
    for name in names:
        try:
            recording = Recording(source / name)
            samples = np.concatenate([*recording]) / np.float32(recording.full_scale)
        except DataError:
            continue
        length, rate, stem = round(length_in_s * recording.rate), recording.rate, Path(name).name
        block = len(samples) // len(_BLOCK_SPLITS)
        whole = block >= length
        training = samples[: _TRAINING_BLOCKS * block] if whole else samples
        soundfile.write(out / NOISE_FOLDER / f"{stem}.wav", to_int16(training), rate)
        for number, split in enumerate(_BLOCK_SPLITS if whole else ()):
            folder, cut_any = out / SILENCE / split, True
            folder.mkdir(parents=True, exist_ok=True)
            part = samples[number * block : (number + 1) * block]
            for place, piece in enumerate(_slices(part, length)):
                file = f"{stem}-{number}{SPEAKER_END}{place}.wav"
                soundfile.write(folder / file, _at_some_level(piece, f"{seed} {file}"), rate)
    if not cut_any:
        raise DataError(
            f"{source / NOISE_FOLDER}: silence needs a background recording of"
            f" {len(_BLOCK_SPLITS) * length_in_s:g} s or more; put one there, or leave out silence"
        )


def slice_names(folder: Path) -> dict[str, list[str]]:
    """Return the names of the slices of each split, sorted."""
    paths = sorted((folder / SILENCE).glob("*/*"))
    splits: dict[str, list[str]] = {split: [] for split in _BLOCK_SPLITS}
    for path in paths:
        if path.suffix in SUFFIXES:
            splits[path.parent.name].append(path.relative_to(folder).as_posix())
    return splits


def _slices(part: np.ndarray, length: int) -> Iterator[np.ndarray]:
    last = len(part) - length
    hop = max(length // _OVERLAP, math.ceil(last / _MOST_A_BLOCK), 1)
    return (part[start : start + length] for start in range(0, last + 1, hop))


def _at_some_level(piece: np.ndarray, name: str) -> np.ndarray:
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    if generator.integers(NEARLY_NOTHING) == 0:
        return generator.integers(-1, 2, len(piece), np.int16)
    return to_int16(piece * np.float32(10 ** (generator.uniform(*LEVELS_DB) / 20)))
