"""Commands that bring a model to work: export, predict, detect."""

import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import asdict, astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweep import c
from sweep.cli.formats import print_csv, refuse_both
from sweep.cli.options import Csv, Data, Json, Pick, Results, Storage, Study
from sweep.errors import DataError, SpecError, visible
from sweep.study import RESULTS

if TYPE_CHECKING:
    import numpy as np

    from sweep.detector import Event
    from sweep.isolation import IsolatedClassifier, IsolatedDetector
    from sweep.predict import Prediction


def export(
    study: Study,
    trial: Annotated[int | None, typer.Option(metavar="N", help="Number of the trial.")] = None,
    pick: Annotated[
        Pick | None, typer.Option(help="Criterion for a feasible trial; the smallest by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write.")] = None,
    with_c: Annotated[
        bool, typer.Option("--c", help="Write front end and network as C, too, and compare them.")
    ] = False,
    data: Data = None,
    storage: Storage = None,
    results: Results = RESULTS,
) -> None:
    """Write a trial as a folder to deploy, measured again."""
    if trial is not None and pick is not None:
        raise SpecError("--trial and --pick: name one of them")
    from sweep.api import load
    from sweep.live_line import LiveLine
    from sweep.model_card import on_core
    from sweep.terminal import console, print_pairs

    found = load(study, results, storage)
    record = found.record
    confirmed = record.confirmed()
    number = int(found.pick(pick or Pick.SMALLEST)["trial"]) if trial is None else trial
    target = out or Path(f"{found.name}-{number}")
    with LiveLine() as line:
        metadata = found.export(number, target, data=data, with_c=with_c, watcher=line)
    if record.finalists and not confirmed:
        console(stderr=True).print("none of the finalists holds; what the search saw may be luck")
    elif number in {one.trial for one in record.finalists} - confirmed.keys():
        console(stderr=True).print(f"trial {number} was a finalist and does not hold")
    print(f"trial {number} -> {target}")
    values = {name: metric["value"] for name, metric in metadata["metrics"].items()}
    print_pairs(console(), values.items())
    if metadata["milliseconds"]:
        print(f"On a {metadata['target']}{on_core(metadata)}")
    if number in confirmed:
        goal, again = record.space.goal.name, confirmed[number]
        told = record.space.goal.text(again.mean(goal), again.interval(goal))
        where = f"that on {record.judged_on}; trained again, on {record.tested_on}"
        print(f"Its {goal} is {where}: {told}")
    for caution in record.cautions:
        print(caution)
    if with_c:
        print(f"{target / c.FOLDER}: {_told(metadata['c'])}")
    print(f"next: sweep predict {shlex.quote(str(target))} CLIP.wav")


def _told(found: dict[str, Any]) -> str:
    """Return what was found of the C, in words."""
    if not found["verified"]:
        return f"not verified: {found['reason']}"
    apart = found["network"]["largest_difference"]
    network = "in every bit" if apart == 0 else f"to {apart:.1g}"
    verified = (
        f"verified on {found['clips']} clips: features within"
        f" {found['features']['largest_difference']:.1g} of frontend.tflite, the network equals"
        f" LiteRT's reference kernels {network}, {found['labels']['differing_clips']} labels differ"
    )
    if "streamed" in found:
        verified += "; computed as a stream, each clip gives the same"
    if "events" in found:
        events = found["events"]
        verified += (
            f"; of {events['detected']} events in {events['seconds']:.0f} s of sound,"
            f" {events['differing']} differ from sweep detect's"
        )
    if "device" not in found:
        return verified
    device = found["device"]
    if "reason" in device:
        return f"{verified}; not counted: {device['reason']}"
    instructions = device["frontend_instructions"] + device["network_instructions"]
    return (
        f"{verified}; on a {device['core']} {device['flash_bytes'] / 1024:.1f} KB of flash,"
        f" {device['ram_bytes'] / 1024:.1f} KB of RAM and {instructions / 1e6:.2g} million"
        f" instructions a {'step' if 'streamed' in found else 'clip'}"
    )


def replay(
    study: Study,
    trial: Annotated[int, typer.Option(metavar="N", help="Number of the trial.")],
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
    storage: Storage = None,
    results: Results = RESULTS,
) -> None:
    """Train a trial again from its record alone, and compare; exit code 1 if it is another."""
    from sweep.api import load
    from sweep.live_line import LiveLine

    with LiveLine() as line:
        found = load(study, results, storage).replay(trial, data=data, watcher=line)
    print(json.dumps(asdict(found), indent=2) if as_json else found)
    raise typer.Exit(0 if found.is_within_noise else 1)


def predict(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="An exported folder.")],
    clips: Annotated[list[Path], typer.Argument(metavar="CLIP", help="Recordings.")],
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Predict the labels of recordings."""
    from sweep.isolation import IsolatedClassifier

    refuse_both(as_json, as_csv)
    with IsolatedClassifier(folder) as classifier:
        found = _Predictions(classifier, clips)
        if as_json:
            print(json.dumps([vars(prediction) for prediction in found], indent=2))
        elif as_csv:
            rows = ([p.clip, p.label, *p.probabilities.values()] for p in found)
            print_csv(["clip", "label", *classifier.labels], rows)
        else:
            for prediction in found:
                print(visible(str(prediction)))
    raise typer.Exit(1 if found.unreadable else 0)


def detect(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="An exported folder.")],
    sound: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE|-",
            help="A recording, or - for samples from a pipe: 16 bits, mono, at the model's rate.",
        ),
    ] = None,
    microphone: Annotated[
        bool, typer.Option("--microphone", help="Listen to the microphone, until Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
    as_csv: Csv = False,
) -> None:
    """Say when keywords are said in a stream of sound."""
    from sweep.isolation import IsolatedDetector

    refuse_both(as_json, as_csv)
    if (sound is None) != microphone:
        raise SpecError("name one of FILE, - and --microphone")
    with IsolatedDetector(folder) as detector:
        found = _Detections(detector, sound)
        if as_csv:
            print_csv(["time_in_s", "keyword", "score"], map(astuple, found))
        else:
            for event in found:
                print(json.dumps(asdict(event)) if as_json else visible(str(event)))
    print(f"{found.seconds:.1f} s; detections: {found.count}", file=sys.stderr)


class _Detections:
    """Events in a recording, a pipe or, without a name, what the microphone records."""

    def __init__(self, detector: "IsolatedDetector", sound: str | None) -> None:
        self._detector, self._sound = detector, sound
        self.count, self.seconds = 0, 0.0

    def __iter__(self) -> Iterator["Event"]:
        try:
            for block in self._blocks():
                self.seconds += len(block) / self._detector.rate
                for event in self._detector.feed(block):
                    self.count += 1
                    yield event
                    sys.stdout.flush()
        except KeyboardInterrupt:
            if self._sound is not None:
                raise

    def _blocks(self) -> Iterator["np.ndarray"]:
        from sweep.audio.sound import of_microphone, of_pipe, of_recording

        if self._sound is None:
            return of_microphone(self._detector.rate)
        if self._sound == "-":
            pipe = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
            return of_pipe(pipe, self._detector.rate)
        return of_recording(self._sound, self._detector.rate)


class _Predictions:
    """Predictions for recordings; those that cannot be read are told, and counted."""

    def __init__(self, classifier: "IsolatedClassifier", clips: list[Path]) -> None:
        self._classifier, self._clips = classifier, clips
        self.unreadable = 0

    def __iter__(self) -> Iterator["Prediction"]:
        for clip in self._clips:
            try:
                yield self._classifier.predict(clip)
            except DataError as error:
                self.unreadable += 1
                print(f"sweep: {error}", file=sys.stderr)
