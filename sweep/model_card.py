"""The model card of an export: what ``metadata.json`` says, for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sweep.metrics import Metric

CARD = "MODEL_CARD.md"
"""The file in an exported folder."""

_PARAMETERS = ("frontend", "network", "training", "augmentation", "compression")


def model_card(metadata: Mapping[str, Any], metrics: Mapping[str, Metric]) -> str:
    """Return the card in Markdown.

    Args:
        metadata: what ``metadata.json`` holds.
        metrics: those of the study, by name.
    """
    return "\n".join(_lines(metadata, metrics)) + "\n"


def _lines(told: Mapping[str, Any], metrics: Mapping[str, Metric]) -> Iterator[str]:
    yield f"# {', '.join(told['labels'])}"
    yield ""
    yield from _use(told)
    yield from ("", "## Measured", "")
    where = f"{told['validation_clips']} {told['judged_on']}"
    yield f"On {where}, in {told['arithmetic']}. An interval is one of 95 %."
    yield ""
    yield from _table(
        ("metric", "value", "what it is"),
        (
            (name, metrics[name].text(one["value"], one.get("interval")), one["definition"])
            for name, one in told["metrics"].items()
        ),
    )
    yield from _test(told["finalist"], metrics)
    yield from ("", "## Limits of the search", "", *(f"- {limit}" for limit in told["limits"]))
    cautions = told["cautions"]
    if cautions:
        yield from ("", "## Cautions", "", *(f"- {caution}" for caution in cautions))
    yield from ("", "## How it was made", "")
    yield f"Trial {told['trial']} of the study {told['study']}; clips {told['data_fingerprint']}."
    yield ""
    values = {name: value for group in _PARAMETERS for name, value in told[group].items()}
    yield from _table(("parameter", "value"), values.items())
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    yield from ("", f"Made with {versions}.")


def _use(told: Mapping[str, Any]) -> Iterator[str]:
    clip, rate = told["clip"], told["frontend"]["downsampling_rate"]
    yield (
        f"Takes {clip['length_in_s']:g} s of sound, {clip['samples']} samples of 16 bits at"
        f" {rate} Hz, and gives the probability of each of {len(told['labels'])} labels."
    )
    if told["target"]:
        yield f"It is for a {told['target']}{on_core(told)}."
    if told["none_of_these"]:
        yield from ("Labels for other sound:", "", *(f"- {one}" for one in told["none_of_these"]))
    else:
        yield "It takes any other sound for one of them."


def on_core(told: Mapping[str, Any]) -> str:
    """Return in words how long a clip takes on the core; empty where its clock is not known."""
    if not told["milliseconds"]:
        return ""
    low, high = told["milliseconds"]
    what = "step of a stream" if told["network"].get("streaming") else "clip"
    return f" at {told['clock_mhz']:g} MHz: {low:.3g} to {high:.3g} ms for a {what}"


def _test(finalist: Mapping[str, Any] | None, metrics: Mapping[str, Metric]) -> Iterator[str]:
    yield from ("", "## Tested", "")
    if finalist is None:
        yield "It has not been retrained and measured on test clips (`sweep finalists`)."
        return
    where = f"{finalist['test_clips']} {finalist['tested_on']}"
    holds = "every limit holds" if finalist["holds"] else "not every limit holds"
    yield f"On {where}: {holds}. {finalist['definition'].capitalize()}."
    yield ""
    yield from _table(
        ("metric", "mean"),
        (
            (name, metrics[name].text(one["mean"], one["interval"]))
            for name, one in finalist["test"].items()
        ),
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    for i, row in enumerate((heads, *rows)):
        cells = [str(cell).replace("|", "\\|") for cell in row]
        yield f"| {' | '.join(cells)} |"
        if i == 0:
            yield "|---" * len(cells) + "|"
