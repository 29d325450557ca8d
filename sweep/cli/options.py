"""Arguments and options shared by several commands."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Pick(StrEnum):
    """The criteria of ``sweep.study.picks.PICKS``."""

    SMALLEST = "smallest"
    FASTEST = "fastest"
    MOST_ACCURATE = "most-accurate"
    BALANCED = "balanced"


SpaceFile = Annotated[
    Path,
    typer.Argument(
        metavar="SPACE", help="A search-space file (YAML), or a built-in one by name: quickstart."
    ),
]
Study = Annotated[
    str,
    typer.Argument(metavar="STUDY", help="A study: its name in the results folder, or a path."),
]
Results = Annotated[Path, typer.Option(metavar="DIR", help="The folder of studies.")]
Storage = Annotated[
    str | None,
    typer.Option(
        envvar="SWEEP_STORAGE", metavar="URL", help="Optuna storage URL, instead of SQLite."
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="PATH|NAME",
        help="A folder or a source (sweep data list) instead of the file's.",
    ),
]
Processes = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Number of processes; one per core by default."),
]
Key = Annotated[
    Path | None,
    typer.Option(
        "--key",
        envvar="SWEEP_KEY",
        metavar="FILE",
        help="Key file of sweep cluster key; your own by default.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
