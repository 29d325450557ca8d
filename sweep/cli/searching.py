"""Commands that search: parameters, check, run, finalists, worker."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from sweep.cli.formats import printed, refuse_both
from sweep.cli.options import (
    Csv,
    Data,
    Json,
    Key,
    Processes,
    Results,
    SpaceFile,
    Storage,
    Study,
)
from sweep.errors import Interrupted, NothingFeasible
from sweep.study import RESULTS


def parameters(as_json: Json = False, as_csv: Csv = False) -> None:
    """List the parameters of a search space, with defaults and values."""
    from sweep.candidate import parameter_facts
    from sweep.terminal import console, print_parameters

    refuse_both(as_json, as_csv)
    if not printed(parameter_facts(), as_json, as_csv):
        print_parameters(console(), parameter_facts())


def plugins(as_json: Json = False, as_csv: Csv = False) -> None:
    """List the networks, samplers and other plugins that a search space can name."""
    from dataclasses import asdict

    from sweep.registry import plugins as known
    from sweep.terminal import console, print_plugins

    refuse_both(as_json, as_csv)
    found = [asdict(plugin) for plugin in known()]
    if not printed(found, as_json, as_csv):
        print_plugins(console(), found)


def check(space: SpaceFile, as_json: Json = False, as_csv: Csv = False) -> None:
    """Check a search space, and show what it searches."""
    from sweep.space import Space
    from sweep.study.samplers import make_sampler
    from sweep.terminal import console, print_pairs

    refuse_both(as_json, as_csv)
    wanted = Space.load(space)
    make_sampler(wanted, wanted.file.search.sampler, wanted.file.search.seed)
    facts = wanted.facts()
    if not printed(facts, as_json, as_csv):
        print_pairs(console(), facts.items())


def run(
    space: SpaceFile,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name; the file's by default.")
    ] = None,
    lists: Annotated[
        str | None,
        typer.Option(metavar="PREFIX", help="Split by PREFIXtraining_list.txt, and so on."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Budget of trials.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="End after this time: 30m, 2h, 90s.")
    ] = None,
    data: Data = None,
    sampler: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="How to search: ehvi, tpe, ... or module:Name."),
    ] = None,
    workers: Processes = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler to use instead.")
    ] = None,
    key: Key = None,
    measure_on: Annotated[
        str | None,
        typer.Option(
            metavar="PROCESSOR", help="Whose latencies count (sweep worker tells); this machine's."
        ),
    ] = None,
    storage: Storage = None,
    warm_start: Annotated[
        str | None, typer.Option(metavar="STUDY", help="Try the front of this study first.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Seed of search and training.")
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Run a search, or resume it.

    Prints the front. Exit code 3 if no trial is feasible, 4 if many trials fail with an error.
    """
    from sweep import api
    from sweep.audio.check import inspect_clips
    from sweep.audio.dataset import Dataset
    from sweep.live_line import LiveLine
    from sweep.space import Space
    from sweep.study.storage import StudyFolder, study_name
    from sweep.study.table import refuse_many_failures
    from sweep.terminal import console, describe_dataset, print_front, warning

    name = study_name(space) if study is None else study
    folder, wanted = StudyFolder(results, name, storage), Space.load(space)
    processes, begun = workers or api.processor_cores(), datetime.now()

    def describe(dataset: Dataset) -> None:
        line.say(describe_dataset(folder.name, dataset, processes, scheduler))
        for caution in wanted.cautions:
            line.say(caution)
        for finding in inspect_clips(dataset, line.note):
            line.say(warning(finding))

    line = LiveLine()
    try:
        with line:
            found = api.run(
                wanted,
                study=name,
                data=data,
                lists=lists,
                workers=processes,
                scheduler=scheduler,
                key=key,
                measure_on=measure_on,
                storage=storage,
                warm_start=warm_start,
                results=results,
                watcher=line,
                opened=describe,
                trials=trials,
                timeout=timeout,
                sampler=sampler,
                seed=seed,
            )
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"interrupted; finished trials are kept in {folder.path};"
            " run the same command to resume"
        ) from error
    found.report()
    record = found.record
    print_front(console(), record)
    funnel = record.funnel()
    refuse_many_failures(record, begun)
    if not sum(funnel.values()):
        raise NothingFeasible("no trial finished; increase --timeout")
    if not funnel["feasible"]:
        raise NothingFeasible(
            "no trial is feasible; widen the search space or relax the limit that binds"
        )
    print(
        f"next: sweep report {record.argument} --open"
        f"\n      sweep finalists {record.argument}"
        f"\n      sweep export {record.argument} --pick smallest"
    )


def finalists(
    study: Study,
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Number of trials.")] = 5,
    seeds: Annotated[
        int, typer.Option(min=1, metavar="N", help="Number of trainings per trial.")
    ] = 5,
    folds: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Cross-validate four times as many trials over N folds of speakers first.",
        ),
    ] = 5,
    data: Data = None,
    workers: Processes = None,
    as_json: Json = False,
    as_csv: Csv = False,
    storage: Storage = None,
    results: Results = RESULTS,
) -> None:
    """Retrain the best trials, then measure them on the test clips."""
    refuse_both(as_json, as_csv)
    from sweep import api
    from sweep.audio.dataset import Dataset
    from sweep.live_line import LiveLine
    from sweep.terminal import console, left_out, print_finalists

    found = api.load(study, results, storage)
    line = LiveLine()

    def describe(dataset: Dataset) -> None:
        for text in left_out(dataset.skipped_in("testing")):
            line.say(text)

    try:
        with line:
            found.finalists(
                top, seeds, folds, data=data, workers=workers, watcher=line, opened=describe
            )
    except KeyboardInterrupt as error:
        raise Interrupted(
            "interrupted; finished trainings are kept, run the same command to resume"
        ) from error
    found.report()
    record = found.record
    if not printed([one.to_json() for one in record.finalists], as_json, as_csv):
        print_finalists(console(), record)
        for caution in record.cautions:
            print(caution)
        if record.finalists:
            print(f"next: sweep export {record.argument} --pick smallest")


def worker(
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Of a Dask scheduler: tcp://host:8786.")
    ],
    key: Key = None,
) -> None:
    """Run workers for a scheduler on all cores of this machine, until Ctrl-C."""
    from sweep.api import processor_cores
    from sweep.study.cluster import serve_worker

    try:
        serve_worker(address, processor_cores(), key, lambda text: print(text, file=sys.stderr))
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted") from error
