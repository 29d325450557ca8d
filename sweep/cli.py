"""The commands: parse, call, print.

Each command imports what it needs when it is called, so that ``--help`` answers at once.
"""

import json
import os
import sys
import webbrowser
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sweep.errors import Interrupted, NothingFeasible, SweepError

app = typer.Typer(
    help="Search front end, network, training and compression of a small speech model together.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Look at recordings, and get them ready.", no_args_is_help=True)
app.add_typer(data_app, name="data")


class Pick(StrEnum):
    """Ways to pick a trial."""

    SMALLEST = "smallest"
    FASTEST = "fastest"
    MOST_ACCURATE = "most-accurate"
    BALANCED = "balanced"


class Sampler(StrEnum):
    """Samplers a search can use."""

    TPE = "tpe"
    NSGA2 = "nsga2"
    RANDOM = "random"
    GRID = "grid"
    GREEDY = "greedy"
    GP = "gp"


SpaceFile = Annotated[Path, typer.Argument(metavar="SPACE", help="A search-space file (YAML).")]
Study = Annotated[str, typer.Argument(help="A study: its name in the results folder, or a path.")]
Results = Annotated[Path, typer.Option(help="The folder of studies.")]
Storage = Annotated[
    str | None,
    typer.Option(envvar="SWEEP_STORAGE", help="Optuna storage URL, instead of SQLite."),
]
Data = Annotated[
    str | None,
    typer.Option(help="synthetic, mini_speech_commands or a folder, in place of the file's."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]


def main() -> None:
    """Run a command; the one place where an error becomes an exit code."""
    try:
        app()
    except SweepError as error:
        print(f"sweep: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


@app.command()
def check(space: SpaceFile, as_json: Json = False) -> None:
    """Say what a search space holds, without running anything."""
    from sweep.space import Space
    from sweep.terminal import console, print_pairs

    facts = Space.load(space).facts()
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        print_pairs(console(), facts.items())


@app.command()
def run(
    space: SpaceFile,
    study: Annotated[str | None, typer.Option(help="Name; the file's by default.")] = None,
    lists: Annotated[
        str | None,
        typer.Option(help="Split by PREFIXtraining_list.txt, and so on.", metavar="PREFIX"),
    ] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Budget of trials.")] = None,
    timeout: Annotated[str | None, typer.Option(help="Begin no trial after: 30m, 2h, 90s.")] = None,
    data: Data = None,
    sampler: Annotated[Sampler | None, typer.Option(help="How to search.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; a core each.")] = None,
    scheduler: Annotated[str | None, typer.Option(help="Dask scheduler to use instead.")] = None,
    storage: Storage = None,
    warm_start: Annotated[
        str | None, typer.Option(help="A study whose front is tried first.", metavar="STUDY")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of search and training.")] = None,
    results: Results = Path("results"),
) -> None:
    """Run a sweep, or go on with one; ends with exit code 3 if nothing meets the limits."""
    from sweep.audio.dataset import open_dataset
    from sweep.report.page import write
    from sweep.space import Space
    from sweep.study.launch import launch
    from sweep.study.storage import StudyFolder
    from sweep.study.table import best_candidates
    from sweep.terminal import LiveLine, console, describe_dataset, print_front

    overrides = {"trials": trials, "timeout": timeout, "sampler": sampler, "seed": seed}
    wanted = Space.load(space).with_search(**overrides).with_data(data, lists)
    folder = StudyFolder(results, study or space.stem, storage)
    if warm_start is not None:
        known = StudyFolder.find(warm_start, results, storage).record()
        wanted = wanted.beginning_with(best_candidates(known))
    processes = workers or os.cpu_count() or 1
    try:
        with LiveLine() as line:
            dataset = open_dataset(wanted.file.dataset.spec(), line.note)
            line.say(describe_dataset(folder.name, dataset, processes, scheduler))
            record = launch(
                wanted,
                dataset,
                folder,
                workers=processes,
                scheduler=scheduler,
                listen=line.show,
            )
    except KeyboardInterrupt as error:
        raise Interrupted(f"interrupted; what is finished is kept in {folder.path}") from error
    write(record, folder.report)
    print_front(console(), record)
    if not record.funnel()["feasible"]:
        raise NothingFeasible("nothing is feasible; widen the space or ease the limit that binds")
    name = folder.name if results == Path("results") else str(folder.path)
    print(f"next: sweep report {name} --open | sweep finalists {name} | sweep export {name}")


@app.command()
def status(
    study: Study, as_json: Json = False, storage: Storage = None, results: Results = Path("results")
) -> None:
    """Say how a study stands: funnel, front, limits, nearest misses."""
    from sweep.study.storage import StudyFolder
    from sweep.terminal import console, print_front, print_pairs, status_facts

    record = StudyFolder.find(study, results, storage).record()
    if as_json:
        print(json.dumps(status_facts(record), indent=2))
        return
    out = console()
    print_pairs(out, record.funnel().items())
    print_front(out, record)


@app.command()
def trials(
    study: Study,
    feasible: Annotated[bool, typer.Option("--feasible", help="Only those in the limits.")] = False,
    sort: Annotated[str | None, typer.Option(help="Column to sort by.")] = None,
    as_csv: Csv = False,
    as_json: Json = False,
    storage: Storage = None,
    results: Results = Path("results"),
) -> None:
    """List the trials of a study."""
    from sweep.study.storage import StudyFolder
    from sweep.study.table import select, table
    from sweep.terminal import console, print_trials

    record = StudyFolder.find(study, results, storage).record()
    frame = select(table(record), feasible, sort)
    if as_csv:
        print(frame.to_csv(index=False), end="")
    elif as_json:
        print(frame.to_json(orient="records", date_format="iso", indent=2))
    else:
        print_trials(console(), record, frame, f"{len(frame)} trials")


@app.command()
def report(
    study: Study,
    open_page: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
    png: Annotated[Path | None, typer.Option(help="Folder for the figures as PNG.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Folder for the figures as SVG.")] = None,
    storage: Storage = None,
    results: Results = Path("results"),
) -> None:
    """Write the report: one page that works offline, and pictures if asked for."""
    from sweep.report.page import write
    from sweep.report.pictures import write_pictures
    from sweep.study.storage import StudyFolder

    folder = StudyFolder.find(study, results, storage)
    record = folder.record()
    print(write(record, folder.report))
    for kind, pictures in (("png", png), ("svg", svg)):
        if pictures is not None:
            print(*write_pictures(record, kind, pictures), sep="\n")
    if open_page:
        webbrowser.open(folder.report.absolute().as_uri())


@app.command()
def serve(
    study: Annotated[str | None, typer.Argument(help="A study; all of them by default.")] = None,
    host: Annotated[
        str, typer.Option(help="Address; any but this machine's own asks for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free one.")] = 8050,
    storage: Storage = None,
    results: Results = Path("results"),
) -> None:
    """Show studies in a browser, live while they run."""
    from sweep.report.live import open_server
    from sweep.study.watching import Shelf

    server = open_server(Shelf.find(study, results, storage), host, port)
    print(f"{server.url}  (Ctrl-C to stop)", flush=True)
    server.run()


@app.command()
def finalists(
    study: Study,
    top: Annotated[int, typer.Option(min=1, help="How many trials of the front.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="How many trainings of each.")] = 5,
    data: Data = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; a core each.")] = None,
    as_json: Json = False,
    storage: Storage = None,
    results: Results = Path("results"),
) -> None:
    """Train the best trials again from other seeds, and read the test split: do they hold?"""
    from sweep.export import same_clips
    from sweep.report.page import write
    from sweep.study.finalists import confirm
    from sweep.study.storage import StudyFolder
    from sweep.terminal import LiveLine, console, print_finalists

    folder = StudyFolder.find(study, results, storage)
    record = folder.record()
    try:
        with LiveLine() as line:
            confirm(
                record,
                same_clips(record, data),
                folder,
                top=top,
                seeds=seeds,
                workers=workers or os.cpu_count() or 1,
                listen=line.count,
            )
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted; no finalist was kept") from error
    record = folder.record()
    write(record, folder.report)
    if as_json:
        print(json.dumps([one.to_json() for one in record.finalists], indent=2))
    else:
        print_finalists(console(), record)


@app.command()
def export(
    study: Study,
    trial: Annotated[int | None, typer.Option(help="Number of the trial.")] = None,
    pick: Annotated[
        Pick, typer.Option(help="Which feasible trial, if none is named.")
    ] = Pick.SMALLEST,
    out: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
    data: Data = None,
    storage: Storage = None,
    results: Results = Path("results"),
) -> None:
    """Write a feasible trial as a folder to deploy, measured again."""
    from sweep.export import export_trial
    from sweep.study.storage import StudyFolder
    from sweep.study.table import pick as pick_trial
    from sweep.study.table import table
    from sweep.terminal import console, print_pairs

    folder = StudyFolder.find(study, results, storage)
    record = folder.record()
    confirmed = record.confirmed()
    number = (
        trial if trial is not None else int(pick_trial(table(record), pick, confirmed)["trial"])
    )
    target = out or Path(f"{folder.name}-{number}")
    metadata = export_trial(folder, record, number, data, target)
    print(f"trial {number} -> {target}")
    values = {name: metric["value"] for name, metric in metadata["metrics"].items()}
    print_pairs(console(), values.items())
    print(f"next: sweep predict {target} CLIP.wav")


@app.command()
def predict(
    folder: Annotated[Path, typer.Argument(help="An exported folder.")],
    clips: Annotated[list[Path], typer.Argument(help="Recordings.")],
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Say which label is heard in recordings."""
    from sweep.predict import Classifier

    classifier = Classifier(folder)
    predictions = [classifier.predict(clip) for clip in clips]
    if as_json:
        print(json.dumps([vars(prediction) for prediction in predictions], indent=2))
        return
    if as_csv:
        print(",".join(["clip", "label", *classifier.labels]))
    for found in predictions:
        shares = [f"{share:.3f}" for share in found.probabilities.values()]
        cells = (
            [found.clip, found.label, *shares] if as_csv else [found.clip, found.label, max(shares)]
        )
        print((",", "  ")[not as_csv].join(cells))


@app.command()
def worker(address: Annotated[str, typer.Argument(help="Such as tcp://host:8786.")]) -> None:
    """Lend this machine's cores to a Dask scheduler, until Ctrl-C."""
    from sweep.study.engine import serve_worker

    try:
        serve_worker(address, os.cpu_count() or 1)
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted") from error


@data_app.command("list")
def list_sources(as_json: Json = False) -> None:
    """List the sources that can be named in place of a folder."""
    from sweep.audio.sources import SOURCES
    from sweep.terminal import console, print_pairs

    if as_json:
        print(json.dumps(SOURCES, indent=2))
    else:
        print_pairs(console(), SOURCES.items())


@data_app.command("prepare")
def prepare(
    name: Annotated[str, typer.Argument(help="mini_speech_commands, or synthetic.")],
    url: Annotated[str | None, typer.Option(help="A mirror to download from.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="Words to synthesize.")] = None,
) -> None:
    """Download or synthesize recordings now, so that a sweep finds them."""
    from sweep.audio.dataset import prepare_source
    from sweep.terminal import LiveLine

    with LiveLine() as line:
        folder = prepare_source(name, url, tuple(label or ()), line.note)
    print(folder)


@data_app.command("check")
def check_data(
    path: Annotated[Path, typer.Argument(help="A folder of recordings.")], as_json: Json = False
) -> None:
    """Say what a folder of recordings holds, and what is wrong with it."""
    from dataclasses import asdict

    from sweep.audio.check import inspect_folder
    from sweep.terminal import LiveLine, console, print_folder

    with LiveLine() as line:
        found = inspect_folder(path, line.note)
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        print_folder(console(), found)
