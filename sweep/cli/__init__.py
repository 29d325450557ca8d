"""The commands: parse arguments, call the library, print.

Commands import what they need when they are called, so that ``--help`` is fast.
"""

import signal
import sys
from typing import Annotated

import typer

import sweep
from sweep.cli import cluster, deploying, listing, output, recordings, searching
from sweep.errors import SweepError

app = typer.Typer(
    help="Search front end, network, training and compression of a small speech model together.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    searching.parameters,
    searching.plugins,
    searching.check,
    searching.run,
    listing.status,
    listing.trials,
    listing.report,
    listing.serve,
    searching.finalists,
    deploying.replay,
    deploying.export,
    deploying.predict,
    deploying.detect,
    searching.worker,
):
    app.command()(command)
app.add_typer(recordings.app, name="data")
app.add_typer(cluster.app, name="cluster")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tinysweep {sweep.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


def _end_as_by_ctrl_c() -> None:
    """Take what a batch system or a closed terminal sends for Ctrl-C, unless it is ignored."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def main() -> None:
    """Run a command; the only place where an error becomes an exit code."""
    output.shield()
    _end_as_by_ctrl_c()
    try:
        try:
            app()
        finally:
            output.check()
    except SweepError as error:
        print(f"sweep: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("sweep"):
            raise
        every = "pip install 'tinysweep[train,serve]' installs everything"
        print(f"sweep: {error.name} is not installed; {every}", file=sys.stderr)
        sys.exit(SweepError.exit_code)
