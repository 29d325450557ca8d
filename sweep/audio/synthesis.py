"""Synthetic recordings of any words, so that a sweep can be tried without a data set."""

import importlib.metadata
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

from sweep import cache
from sweep.audio import espeak
from sweep.audio.clips import loudest_part, resample, to_int16
from sweep.audio.layout import NOISE_FOLDER, SPEAKER_END, check_label
from sweep.audio.splits import SPLITS, speaker_split
from sweep.candidate import digest
from sweep.errors import DataError

RATE = 16000
_RECIPE = 3
"""Counts the changes to what is below that change the clips."""

_NOISE_LENGTH_IN_S = 10
_NOISES = {"white": 0.0, "pink": 1.0, "brown": 2.0}
_SILENCE = 0.01
_SHORTEST_IN_S = 0.05


def synthesize(
    labels: Sequence[str],
    clips_per_label: int = 1000,
    snr_db: tuple[float, float] = (-5.0, 15.0),
    seed: int = 0,
    clip_length_in_s: float = 1.0,
    progress: Callable[[str, float], None] | None = None,
) -> Path:
    """Return a folder of spoken words, ``<word>/espeak_<voice>_nohash_<n>.wav``, made once.

    Each clip, at 16 kHz, is one word by one of about a hundred eSpeak NG voices, with
    a random accent, rate, pitch and position, in coloured noise at a random signal-to-noise ratio
    between the two bounds of ``snr_db``. A voice counts as a speaker, so the published rule
    splits the clips by voice. The same arguments give the same bytes.

    Raises:
        DataError: if a label cannot name a folder, or nothing can be said for it.
    """
    words = sorted({check_label(label) for label in labels})
    if clips_per_label < 1:
        raise DataError(f"clips_per_label must be at least 1, not {clips_per_label}")
    if snr_db[0] > snr_db[1]:
        raise DataError(f"snr_db must rise: {snr_db[0]:g} is above {snr_db[1]:g}")

    samples = round(clip_length_in_s * RATE)

    def build(folder: Path) -> None:
        for done, word in enumerate(words):
            if progress:
                progress(f"speaking {word!r}", done / len(words))
            _write_word(folder, word, clips_per_label, snr_db, seed, samples)
        _write_noise(folder, seed)
        if progress:
            progress("speaking", 1.0)

    version = importlib.metadata.version("espeakng-loader")
    recipe = [_RECIPE, version, words, clips_per_label, list(map(float, snr_db)), seed, samples]
    return cache.entry("synthetic", digest(recipe), build)


def voice_order(seed: int) -> list[str]:
    """Return all voices in a random order in which every stretch has its share of each split."""
    rng = np.random.default_rng(seed)
    places = {}
    for split in SPLITS:
        voices = [name for name in espeak.voices() if speaker_split(_speaker(name)) == split]
        for place, index in enumerate(rng.permutation(len(voices))):
            places[voices[index]] = (place + 0.5) / len(voices)
    return sorted(places, key=lambda name: (places[name], name))


def coloured_noise(length: int, exponent: float, rng: np.random.Generator) -> np.ndarray:
    """Return float32 [length] noise of unit power whose power falls as 1 / frequency^exponent."""
    frequencies = np.maximum(np.arange(length // 2 + 1), 1.0)
    spectrum = np.fft.rfft(rng.standard_normal(length)) * frequencies ** (-exponent / 2)
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, length)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), dtype=np.float32)


def _write_word(
    folder: Path, word: str, count: int, snr_db: tuple[float, float], seed: int, samples: int
) -> None:
    rng = np.random.default_rng([seed, int(digest(word), 16)])
    order = voice_order(seed)
    utterances = [
        espeak.Utterance(
            text=word.replace("_", " "),
            accent=str(rng.choice(espeak.ACCENTS)),
            voice=order[i % len(order)],
            rate=int(rng.integers(110, 231)),
            pitch=int(rng.integers(20, 81)),
        )
        for i in range(count)
    ]
    (folder / word).mkdir()
    for i, (utterance, sound) in enumerate(zip(utterances, _speak(utterances), strict=True)):
        sound = sound / np.float32(32768)
        speech = _trim(np.concatenate([*resample([sound], espeak.SAMPLE_RATE, RATE)]))
        if len(speech) < _SHORTEST_IN_S * RATE:
            raise DataError(f"eSpeak NG says nothing for the label {word!r}; use another spelling")
        name = f"{_speaker(utterance.voice)}{SPEAKER_END}{i // len(order)}.wav"
        clip = to_int16(_in_noise(speech, samples, rng.uniform(*snr_db), rng))
        (folder / word / name).write_bytes(_wav(clip))


def _speak(utterances: Sequence[espeak.Utterance]) -> Iterator[np.ndarray]:
    try:
        yield from espeak.speak(utterances)
    except (OSError, RuntimeError) as error:
        raise DataError(f"eSpeak NG cannot speak ({error}); use recordings instead") from error


def _write_noise(folder: Path, seed: int) -> None:
    (folder / NOISE_FOLDER).mkdir()
    for colour, exponent in _NOISES.items():
        rng = np.random.default_rng([seed, int(exponent)])
        noise = coloured_noise(_NOISE_LENGTH_IN_S * RATE, exponent, rng)
        noise = to_int16(0.5 * noise / np.max(np.abs(noise)))
        (folder / NOISE_FOLDER / f"{colour}_noise.wav").write_bytes(_wav(noise))


def _wav(samples: np.ndarray) -> bytes:
    # Python writes the file, not soundfile: so a full disk is an OSError, like any other.
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, subtype="PCM_16", format="WAV")
    return file.getvalue()


def _speaker(voice: str) -> str:
    """Return the name a voice is filed under; the hash rule puts 82, 12 and 10 voices apart."""
    return "espeak_" + voice.replace(" ", "_")


def _trim(speech: np.ndarray) -> np.ndarray:
    """Return speech without the silence around it."""
    loud = np.flatnonzero(np.abs(speech) > _SILENCE)
    return speech[loud[0] : loud[-1] + 1] if len(loud) else speech[:0]


def _in_noise(
    speech: np.ndarray, samples: int, snr_db: float, rng: np.random.Generator
) -> np.ndarray:
    """Return a clip of so many samples with the speech somewhere in noise, at a random loudness.

    The ratio is between the mean powers of speech and noise over the whole clip.
    """
    speech = loudest_part([speech], samples) if len(speech) > samples else speech
    speech = speech / np.sqrt(np.sum(speech**2) / samples)
    clip = coloured_noise(samples, rng.uniform(0.0, 2.0), rng) * np.float32(10 ** (-snr_db / 20))
    start = rng.integers(0, samples - len(speech) + 1)
    clip[start : start + len(speech)] += speech
    return clip * np.float32(rng.uniform(0.1, 0.9) / np.max(np.abs(clip)))
