"""Commands about recordings: data list, prepare, check, near-misses, cut, mine."""

import json
from dataclasses import asdict, astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.audio.layout import LabelFrom
from sweep.cli.formats import printed, refuse_both
from sweep.cli.options import Csv, Data, Json, Results, Storage
from sweep.errors import SweepError
from sweep.study import RESULTS

if TYPE_CHECKING:
    from sweep.api import Study

app = typer.Typer(help="Check and prepare recordings.", no_args_is_help=True)

OtherWords = Annotated[
    Path, typer.Option(metavar="DIR", help="Where to write; the folder of other words.")
]


@app.command("list")
def list_sources(as_json: Json = False, as_csv: Csv = False) -> None:
    """List the sources of recordings."""
    from sweep.registry import BUILT_IN, find
    from sweep.terminal import console, print_pairs

    refuse_both(as_json, as_csv)
    known = {name: find("source", name).meaning() for name in BUILT_IN["source"]}
    if not printed(known, as_json, as_csv):
        print_pairs(console(), known.items())


@app.command()
def prepare(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A source of sweep data list.")],
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="A mirror to download from.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="A word to synthesize; repeat it.")
    ] = None,
) -> None:
    """Download or synthesize the recordings of a source."""
    from sweep.audio.location import prepare_source
    from sweep.live_line import LiveLine

    with LiveLine() as line:
        folder = prepare_source(name, url, tuple(label or ()), line.note)
    print(folder)


@app.command("check")
def check_folder(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A folder of recordings, or a search space.")
    ],
    label_from: Annotated[
        LabelFrom, typer.Option(help="Whether folder or file names contain the word.")
    ] = "folder",
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Show what recordings a folder or a search space has, and what is wrong with them."""
    from sweep.audio.check import inspect_folder, inspect_source
    from sweep.live_line import LiveLine
    from sweep.space import Space
    from sweep.terminal import console, print_folder

    refuse_both(as_json, as_csv)
    with LiveLine() as line:
        if path.suffix in (".yaml", ".yml"):
            found = inspect_source(Space.load(path).file.dataset.spec(), line.note)
        else:
            found = inspect_folder(path, line.note, label_from)
    if not printed(asdict(found), as_json, as_csv):
        print_folder(console(), found)


@app.command("near-misses")
def near_misses(
    folders: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Folders of words, keywords and others.")
    ],
    out: OtherWords,
    keyword: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="A keyword: none begins with it.")
    ] = None,
    word: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="A word to use; all by default.")
    ] = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Make words to reject of recorded ones: the halves of two."""
    from sweep.audio.near_misses import make_near_misses
    from sweep.terminal import console, print_pairs

    refuse_both(as_json, as_csv)
    counts = make_near_misses(folders, keyword or (), word, out)
    if not printed(counts, as_json, as_csv):
        print_pairs(console(), counts.items())


@app.command()
def cut(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="Recordings of speech, or folders of them.")
    ],
    out: OtherWords,
    length: Annotated[
        float, typer.Option(min=0.1, max=10, metavar="SECONDS", help="Length of a clip.")
    ] = 1.0,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Cut recordings of speech into other words; no keyword may be in them."""
    from sweep.audio.cutting import cut_words
    from sweep.live_line import LiveLine
    from sweep.terminal import console, left_out, print_pairs

    refuse_both(as_json, as_csv)
    with LiveLine() as line:
        found = cut_words(paths, out, length, progress=line.note)
    if not printed(found.clips, as_json, as_csv):
        print_pairs(console(), found.clips.items())
        for told in left_out(found.skipped):
            print(told)


@app.command()
def mine(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="An exported folder.")],
    recording: Annotated[Path, typer.Argument(metavar="RECORDING", help="A long recording.")],
    out: OtherWords,
    times: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keywords said in it: labels of Audacity, or CSV. None by default."
        ),
    ] = None,
    relearn: Annotated[
        bool,
        typer.Option("--relearn", help="Train the trial again without and with them, and compare."),
    ] = False,
    data: Data = None,
    storage: Storage = None,
    results: Results = RESULTS,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Cut the false alarms out of a recording, as other words to learn to reject."""
    from sweep.cli.formats import print_csv
    from sweep.format import counted
    from sweep.isolation import IsolatedDetector
    from sweep.live_line import LiveLine
    from sweep.metrics import METRICS
    from sweep.mining import FalseAlarm
    from sweep.mining import mine as cut_out

    refuse_both(as_json, as_csv)
    origin = _origin(folder, results, storage) if relearn else None
    with LiveLine() as line, IsolatedDetector(folder) as detector:
        found = cut_out(detector, recording, times, out, line.note)
    changed = []
    if origin is not None and found.false_alarms:
        with LiveLine() as line:
            study, trial = origin
            changed = study.relearn(trial, out, data=data, watcher=line)
    if as_csv:
        print_csv([field.name for field in fields(FalseAlarm)], map(astuple, found.false_alarms))
        return
    if printed(asdict(found) | {"changed": list(map(asdict, changed))}, as_json, False):
        return
    for one in found.false_alarms:
        print(f"{one.time_in_s:10.2f} s  {one.keyword}  {one.score:.3f}  {one.clip}")
    metric, rate = METRICS["false_alarms_per_hour"], len(found.false_alarms) / found.hours
    told = metric.text(rate, metric.interval(rate, found.hours))
    misses = f"; {found.misses} of {found.keywords} keywords missed" if found.keywords else ""
    print(
        f"{counted(len(found.false_alarms), 'false alarm')} in {found.hours:.3g} h, {told}{misses}"
    )
    if found.false_alarms:
        print(
            f"to reject them: dataset: {{unknown: {{folder: {out}, held_out: [...]}}}}, other words"
            " held out by name; then run the search again"
        )
    for change in changed:
        print(
            f"{change.metric}: {change.before:.4g} without them, {change.after:.4g} with them"
            f" (means of {change.trainings} trainings)"
        )


def _origin(folder: Path, results: Path, storage: str | None) -> "tuple[Study, int]":
    """Return the study and the trial that an exported folder is of.

    Raises:
        SweepError: if it does not say them, or there is no such study.
    """
    from sweep.api import load
    from sweep.predict import METADATA

    try:
        told = json.loads((folder / METADATA).read_text(encoding="utf-8"))
        name, trial = str(told["study"]), int(told["trial"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SweepError(f"{folder / METADATA}: names no study and trial; export again") from error
    return load(name, results, storage), trial
