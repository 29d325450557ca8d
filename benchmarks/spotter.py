"""A spotter: go and stop among unheard words, tested once on Speech Commands v0.02.

    SPEECH_COMMANDS=FOLDER python benchmarks/spotter.py [--trials 10] [--held-out left]

Beside ``FOLDER`` lie ``speech_commands_more``, folders of other words, and
``speech_commands_test_v2``: go, stop, ``_unknown_`` of 25 words never heard, ``_silence_``, on and
off.  ``search_spaces/keyword.yaml`` is searched; the most accurate feasible trial, by the
words held out for validation, is exported, and that one file is run on the test clips.
"""

import argparse
import os
import tempfile
from pathlib import Path

import sweep
from sweep.audio.layout import SILENCE, UNKNOWN
from sweep.predict import MODEL
from sweep.statistics import wilson

SPACE = Path(__file__).parent.parent / "search_spaces" / "keyword.yaml"
KEYWORDS = ("go", "stop")


def main() -> None:
    """Print accuracy and false accepts on the test clips, with 95 % intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--held-out", nargs="*", default=["left"], metavar="WORD")
    given = parser.parse_args()
    recordings = Path(os.environ["SPEECH_COMMANDS"]).absolute()
    others = recordings.with_name("speech_commands_more")
    test = recordings.with_name("speech_commands_test_v2")
    with tempfile.TemporaryDirectory() as scratch:
        space = sweep.Space.load(SPACE)
        unknown = space.file.dataset.unknown
        update = {"folder": str(others), "held_out": given.held_out or 0}
        dataset = space.file.dataset.model_copy(
            update={"unknown": unknown and unknown.model_copy(update=update)}
        )
        # Only sizes are limited: there is always something to test.
        limits = {"tflite_size_kb": "<= 9.1", "ram_kb": "<= 4"}
        update = {"dataset": dataset, "limits": limits}
        space = sweep.Space(space.file.model_copy(update=update), space.origin)
        study = sweep.run(
            space, data=recordings, results=scratch, workers=given.workers, trials=given.trials
        )
        print(
            study.trials[
                ["trial", "outcome", "accuracy", "false_accept_rate", "tflite_size_kb"]
            ].to_string()
        )
        out = Path(scratch) / "export"
        validation = study.export("most-accurate", out)["metrics"]
        print({name: found["value"] for name, found in validation.items()})
        print(f"{(out / MODEL).stat().st_size:,} B")
        report(sweep.Classifier(out), test)


def report(classifier: sweep.Classifier, test: Path) -> None:
    """Print what a classifier answers to the test clips; this is the one time they are read."""
    answers = {
        folder: [classifier.predict(clip).label for clip in sorted((test / folder).iterdir())]
        for folder in (*KEYWORDS, UNKNOWN, SILENCE, "on", "off")
    }
    right = {folder: [answer == folder for answer in answers[folder]] for folder in answers}
    four = [one for folder in (*KEYWORDS, UNKNOWN, SILENCE) for one in right[folder]]
    line("accuracy", four)
    for folder in (*KEYWORDS, UNKNOWN, SILENCE):
        line(f"  {folder}", right[folder])
    accepted = {f: [answer in KEYWORDS for answer in answers[f]] for f in answers}
    line("keyword for _unknown_", accepted[UNKNOWN])
    line("keyword for _silence_", accepted[SILENCE])
    line("keyword for on, off", accepted["on"] + accepted["off"])


def line(what: str, outcomes: list[bool]) -> None:
    """Print a share of clips with its interval."""
    share, clips = sum(outcomes) / len(outcomes), len(outcomes)
    low, high = wilson(share, clips)
    print(f"{what:<24}{share:.3f} ({low:.3f}-{high:.3f}) of {clips}")


if __name__ == "__main__":
    main()
