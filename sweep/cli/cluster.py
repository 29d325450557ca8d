"""Commands for several machines: cluster key, cluster scheduler."""

from pathlib import Path
from typing import Annotated

import typer

from sweep.cli.options import Key
from sweep.errors import Interrupted

app = typer.Typer(help="Search on several machines.", no_args_is_help=True)


@app.command()
def key(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="File to write; your own key by default.")
    ] = None,
) -> None:
    """Create the key that the scheduler, workers and sweeps of a cluster share."""
    from sweep.study.security import default_key_file, write_key

    target = file or default_key_file()
    write_key(target)
    print(target)


@app.command()
def scheduler(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="0 picks a free port.")
    ] = 8786,
    key: Key = None,
) -> None:
    """Run a scheduler for sweeps and workers, until Ctrl-C."""
    from sweep.study.cluster import serve_scheduler

    try:
        serve_scheduler(host, port, key, lambda address: print(address, flush=True))
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted") from error
