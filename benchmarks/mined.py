"""What false alarms of a long recording change when they are trained on.

    SPEECH_COMMANDS=FOLDER python benchmarks/mined.py [--trainings 3] [--hours 1]

``speech_commands_more``, folders of other words, lies beside ``FOLDER``.  One candidate of
``search_spaces/keyword.yaml`` is trained on go and stop among two other words, up and left; a
third, right, is heard in validation only.  The long recording is of the fourth, down, said by
speakers of the training clips in noise, with no keyword in it.  Its false alarms are cut out as
``sweep data mine`` does, and the candidate is trained again without and with them; both are
measured on the validation clips and an hour of stream.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from spotter import CHOSEN, KEYWORDS, RATE, SPACE

import sweep
from sweep.audio.clips import read_clip
from sweep.audio.dataset import Dataset
from sweep.audio.layout import SPEAKER_END
from sweep.audio.open_set import StreamSpec
from sweep.audio.streams import StreamMaker
from sweep.dataset_section import StreamsSection
from sweep.mining import mine

TRAINED, HEARD_IN_VALIDATION, RECORDED = ("up", "left"), "right", "down"


def main() -> None:
    """Train, mine, train again, and print what changed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainings", type=int, default=3)
    parser.add_argument("--hours", type=float, default=1.0)
    given = parser.parse_args()
    recordings = Path(os.environ["SPEECH_COMMANDS"]).absolute()
    more = recordings.with_name("speech_commands_more")
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        (scratch / "others").mkdir()
        for word in (*TRAINED, HEARD_IN_VALIDATION):
            (scratch / "others" / word).symlink_to(more / word)
        datasets: list[Dataset] = []
        study = sweep.run(
            space(recordings, scratch / "others"),
            study="mined",
            results=scratch / "results",
            opened=datasets.append,
        )
        study.export(0, scratch / "spotter")
        recording = scratch / "radio.wav"
        record(datasets[0], more / RECORDED, recording, given.hours)
        found = mine(sweep.Detector(scratch / "spotter"), recording, None, scratch / "mined")
        print(f"{len(found.false_alarms)} false alarms in {found.hours:.2f} h of {RECORDED}")
        for one in study.relearn(0, scratch / "mined", trainings=given.trainings):
            print(f"{one.metric:<24}{one.before:8.4f} without, {one.after:8.4f} with them")


def space(recordings: Path, others: Path) -> sweep.Space:
    """Return a space of one candidate, which is feasible whatever it misses."""
    known = sweep.Space.load(SPACE)
    unknown = known.file.dataset.unknown.model_copy(
        update={"folder": str(others), "held_out": [HEARD_IN_VALIDATION]}
    )
    update = {"source": str(recordings), "unknown": unknown, "streams": StreamsSection()}
    file = known.file.model_copy(
        update={
            "dataset": known.file.dataset.model_copy(update=update),
            "parameters": known.file.parameters | CHOSEN | {"quantization": "int8"},
            "limits": {"false_alarms_per_hour": "<= 20", "miss_rate": "<= 0.9"},
        }
    )
    return sweep.Space(file, known.origin).with_search(trials=1)


def record(dataset: Dataset, word: Path, file: Path, hours: float) -> None:
    """Write a recording of a word, said by the speakers of the training clips, in noise."""
    names = (Path(name).name for name in dataset.listed["training"])
    speakers = {name.partition(SPEAKER_END)[0] for name in names}
    clips = [
        one for one in sorted(word.iterdir()) if one.name.partition(SPEAKER_END)[0] in speakers
    ]
    spoken = np.stack([read_clip(one, RATE, RATE) for one in clips])
    spec = StreamSpec(hours=hours, words_per_hour=1000)
    labels, named = [word.name] * len(clips), [one.name for one in clips]
    maker = StreamMaker(spoken, labels, named, KEYWORDS, spec, RATE)
    soundfile.write(file, np.concatenate([*maker.blocks()]), RATE)


if __name__ == "__main__":
    main()
