import itertools
import time
from subprocess import Popen

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
    sounds = list(speak([say("go stop dance", accent=accent) for accent in ACCENTS]))
    assert len({sound.tobytes() for sound in sounds}) == len(ACCENTS)


def test_the_same_request_sounds_the_same():
    asked = [say(voice=voice) for voice in voices()]
    first = list(speak(asked))
    time.sleep(1.1)  # eSpeak NG left alone takes its random seed from the clock, in seconds.
    second = list(speak(asked))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_faster_rate_is_shorter():
    slow, fast = speak([say(rate=100), say(rate=250)])
    assert len(fast) < len(slow)


def test_an_unknown_accent_says_nothing():
    (sound,) = speak([say(accent="en-nowhere")])
    assert len(sound) == 0


def test_nothing_asked_nothing_said():
    assert list(speak([])) == []


def test_sounds_come_one_by_one_and_may_be_left_unheard(monkeypatch):
    children = []

    def start(*given, **named):
        children.append(Popen(*given, **named))
        return children[-1]

    monkeypatch.setattr(espeak, "Popen", start)
    asked = [say(voice=voice) for voice in voices()]
    sounds = speak(asked)
    assert np.array_equal(next(sounds), next(speak(asked[:1])))
    assert children[0].poll() is None  # what has not been asked for does not fit into a pipe
    sounds.close()
    assert all(child.returncode is not None for child in children)


@pytest.mark.parametrize("written", ["b''", "b'ab'", "(8).to_bytes(4, 'little') + b'abc'"])
def test_a_library_that_ends_too_early_is_told(monkeypatch, tmp_path, written):
    script = tmp_path / "espeak.py"
    script.write_text(f"import sys; sys.stdout.buffer.write({written}); sys.exit('out of breath')")
    monkeypatch.setattr(espeak, "__file__", str(script))
    with pytest.raises(RuntimeError, match="out of breath"):
        list(speak([say()] * 3))


def test_a_library_that_does_not_start_is_told(monkeypatch):
    monkeypatch.setattr(espeak, "__file__", "/nowhere/espeak.py")
    with pytest.raises(RuntimeError, match="No such file"):
        list(speak([say()]))
    with pytest.raises(DataError, match="eSpeak NG cannot speak"):
        synthesize(["go"], clips_per_label=10)
