import itertools
import time

import numpy as np
import pytest

from sweep.audio import espeak
from sweep.audio.espeak import ACCENTS, SAMPLE_RATE, Utterance, speak, voices
from sweep.audio.synthesis import synthesize
from sweep.errors import DataError


def say(text="stop", accent="en-us", voice="m1", rate=175, pitch=50):
    return Utterance(text, accent, voice, rate, pitch)


def test_every_voice_speaks_in_every_accent():
    asked = [say(accent=a, voice=v) for a, v in itertools.product(ACCENTS, voices())]
    for utterance, sound in zip(asked, speak(asked), strict=True):
        assert len(sound) > 0.1 * SAMPLE_RATE, utterance
        assert np.max(np.abs(sound.astype(int))) > 1000, utterance


def test_accents_differ():
    sounds = speak([say("go stop dance", accent=accent) for accent in ACCENTS])
    assert len({sound.tobytes() for sound in sounds}) == len(ACCENTS)


def test_the_same_request_sounds_the_same():
    asked = [say(voice=voice) for voice in voices()]
    first = speak(asked)
    time.sleep(1.1)  # eSpeak NG left alone takes its random seed from the clock, in seconds.
    second = speak(asked)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_faster_rate_is_shorter():
    slow, fast = speak([say(rate=100), say(rate=250)])
    assert len(fast) < len(slow)


def test_an_unknown_accent_says_nothing():
    (sound,) = speak([say(accent="en-nowhere")])
    assert len(sound) == 0


def test_nothing_asked_nothing_said():
    assert speak([]) == []


def test_a_library_that_does_not_start_is_told(monkeypatch):
    monkeypatch.setattr(espeak, "__file__", "/nowhere/espeak.py")
    with pytest.raises(RuntimeError, match="No such file"):
        speak([say()])
    with pytest.raises(DataError, match="eSpeak NG cannot speak"):
        synthesize(["go"], clips_per_label=10)
