"""Recordings made up for tests."""

from pathlib import Path

import numpy as np
import soundfile

from sweep.audio.splits import SPLITS, speaker_split

RATE = 16000
OTHERS = ("down", "left", "right", "up")


def speakers(split: str, count: int) -> list[str]:
    """Return names of speakers whom the hash rule puts in a split."""
    names = (f"speaker{i}" for i in range(1000))
    return [name for name in names if speaker_split(name) == split][:count]


def tone(seconds: float = 1.0, hz: float = 440.0, rate: int = RATE) -> np.ndarray:
    """Return a sine of half of full scale, float64 [samples]."""
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def noise(seconds: float = 1.0, level: float = 0.1, channels: int = 1) -> np.ndarray:
    """Return white noise, float64 [samples], or [samples, channels] for several."""
    made = np.random.default_rng(0).uniform(-level, level, (round(seconds * RATE), channels))
    return made[:, 0] if channels == 1 else made


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """Write a recording, its folders too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path


def write_words(folder: Path, words: tuple[str, ...], first: float) -> None:
    """Write each word by 8 speakers for training and 2 for each other split."""
    for i, split in enumerate(SPLITS):
        for j, speaker in enumerate(speakers(split, 8 if split == "training" else 2)):
            for k, word in enumerate(words):
                pitch = first + 100 * k + 30 * i + 3 * j
                write(folder / word / f"{speaker}_nohash_0.wav", tone(hz=pitch))
