"""Commands that show a study: status, trials, report, serve."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.formats import printed, refuse_both
from sweep.cli.options import Csv, Json, Results, Storage, Study
from sweep.study import RESULTS


def status(
    study: Study,
    as_json: Json = False,
    as_csv: Csv = False,
    storage: Storage = None,
    results: Results = RESULTS,
) -> None:
    """Show the status of a study: outcomes, front, nearest misses."""
    from sweep.study.storage import StudyFolder
    from sweep.terminal import console, print_finalists, print_front, print_pairs, status_facts

    refuse_both(as_json, as_csv)
    record = StudyFolder.find(study, results, storage).record()
    if printed(status_facts(record), as_json, as_csv):
        return
    out = console()
    print_pairs(out, record.funnel().items())
    print_front(out, record)
    if record.finalists:
        print_finalists(out, record)


def trials(
    study: Study,
    feasible: Annotated[bool, typer.Option("--feasible", help="Only feasible trials.")] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only failed trials, with tracebacks.")
    ] = False,
    sort: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column to sort by.")] = None,
    as_csv: Csv = False,
    as_json: Json = False,
    storage: Storage = None,
    results: Results = RESULTS,
) -> None:
    """List the trials of a study."""
    from sweep.study.storage import StudyFolder
    from sweep.study.table import failures, select, table
    from sweep.terminal import console, print_failures, print_trials

    refuse_both(as_json, as_csv)
    record = StudyFolder.find(study, results, storage).record()
    if failed:
        if not printed(failures(record), as_json, as_csv):
            print_failures(console(), record)
        return
    frame = select(table(record), feasible, sort, record.space.metrics)
    if as_csv:
        print(frame.to_csv(index=False), end="")
    elif as_json:
        print(frame.to_json(orient="records", date_format="iso", indent=2, double_precision=15))
    else:
        print_trials(console(), record, frame, f"{len(frame)} trials")
        if frame.empty:
            print("no trial to list")


def report(
    study: Study,
    open_page: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
    png: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the figures as PNG.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the figures as SVG.")
    ] = None,
    storage: Storage = None,
    results: Results = RESULTS,
) -> None:
    """Write the report: one page that works offline."""
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


def serve(
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="A study; all by default.")
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; a token protects other addresses than this machine's."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="0 picks a free port.")
    ] = 8050,
    storage: Storage = None,
    results: Results = RESULTS,
) -> None:
    """Show studies in a browser, live while they run."""
    from sweep.report.server import open_server
    from sweep.study.reader import Studies

    server = open_server(Studies.find(study, results, storage), host, port)
    print(f"{server.url}  (Ctrl-C to stop)", flush=True)
    server.run()
