"""Pieces of the page as HTML; every text that comes from a study is escaped here."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from sweep.metrics import METRICS
from sweep.report.axes import title
from sweep.report.edges import Edge
from sweep.report.importance import FEWEST
from sweep.report.progress import Progress
from sweep.report.tables import Table
from sweep.report.tradeoff import Price
from sweep.report.verdict import Effort, LimitCount, Pick
from sweep.report.words import amount, counted
from sweep.study.table import StudyRecord


def chips(counts: list[LimitCount]) -> str:
    """Return each limit with how many trials it fails, the one that binds marked."""
    items = []
    for count in counts:
        alone = f", {count.alone} by this alone" if count.alone else ""
        text = f"{count.failed} of {count.measured} measured fail{alone}"
        if count.binds:
            text += " – binds"
        kind = ' class="binds"' if count.binds else ""
        items.append(f"<li{kind}><b>{escape(str(count.limit))}</b> {text}</li>")
    return "".join(items)


def funnel(record: StudyRecord, spent: Effort) -> str:
    """Return what became of the suggested trials, as bars, and what giving up on some saved."""
    counts = record.funnel()
    rows = {"suggested": len(record.trials)}
    rows |= {name: count for name, count in counts.items() if name != "failed" or count}
    notes = {
        name: f"saved about {duration(seconds)}" for name, seconds in spent.saved.items() if seconds
    }
    if record.finalists:
        rows["confirmed"] = len(record.confirmed())
        notes["confirmed"] = f"of {counted(len(record.finalists), 'finalist')}"
    bars = "".join(
        f'<li class="{name}"><span>{name}</span><span class="bar">'
        f'<i style="--share:{count / (len(record.trials) or 1):.4f};--some:{min(count, 1)}"></i>'
        f'</span><span class="count">{count:,}</span><small>{notes.get(name, "")}</small></li>'
        for name, count in rows.items()
    )
    if record.finalists:
        return bars
    waiting = "<span>confirmed</span><span>no finalists yet</span>"
    return f'{bars}<li class="confirmed none">{waiting}</li>'


def effort(spent: Effort) -> str:
    """Return the training time spent and saved, in words."""
    saved = sum(spent.saved.values())
    if spent.spent == saved == 0:
        return ""
    less = f"; gating and stopping early saved about {duration(saved)}" if saved else ""
    return f"Training took {duration(spent.spent)} in all{less}."


def duration(seconds: float) -> str:
    """Return a time span in the unit that suits it."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def picks(found: list[Pick], argument: str) -> str:
    """Return the trials worth taking as cards, each with the command that exports it.

    ``argument`` is what commands call the study.
    """
    items = []
    for pick in found:
        share = pick.accuracy.partition(" (")[0]
        leads = {"smallest": pick.size, "fastest": pick.latency, "most-accurate": share}
        lead = leads.get(pick.word, f"{share} · {pick.size}")
        name = pick.word.replace("-", " ").capitalize()
        rest = f"accuracy {pick.accuracy}; {pick.size}; {pick.latency}"
        command = f"sweep export {argument} --pick {pick.word}"
        items.append(
            f'<li><span class="tag">{name}</span><span class="lead">{lead}</span>'
            f'<span class="rest">{rest}</span><code>{escape(command)}</code>'
            f'<span><button type="button" data-trial="{pick.trial}">Trial {pick.trial}</button>'
            "</span></li>"
        )
    return f'<ul class="picks">{"".join(items)}</ul>'


def table(content: Table, numbers: bool = False) -> str:
    """Return a table with its title as caption."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in content.head)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in content.rows
    )
    kind = ' class="numbers"' if numbers else ""
    return (
        f'<div><h3>{escape(content.title)}</h3><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{escape(content.title)}"><table{kind}>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></div>"
    )


def fronts(metric: str, costs: list[str]) -> str:
    """Return a place for each picture of ``metric`` against a cost."""
    return "".join(
        f"<figure><figcaption>{escape(title(metric))} against {escape(title(cost))}</figcaption>"
        f'{place(f"front-{cost}", f"{metric} against {cost}")}</figure>'
        for cost in costs
    )


def place(figure: str, label: str, named: bool = False) -> str:
    """Return the empty element in which a figure is drawn; ``named`` gives it an id as well."""
    id_ = f'id="{escape(figure)}" ' if named else ""
    return (
        f'<div class="plot" {id_}data-lazy="{escape(figure)}" role="group" '
        f'aria-label="{escape(label)}"></div>'
    )


def space() -> str:
    """Return the folded place of the picture in three dimensions."""
    where = place("space", "three metrics at once")
    return f"<details><summary>The three together, in 3-D</summary>{where}</details>"


def prices(found: list[Price]) -> str:
    """Return what each level of accuracy costs, as a table."""
    if not found:
        return ""
    costs = list(found[0].costs)
    rows = [
        (
            f"{price.least:.4g}",
            *(
                f"{amount(cost, price.costs[cost])} (trial\u00a0{price.trials[cost]})"
                for cost in costs
            ),
        )
        for price in found
    ]
    head = (f"{found[0].metric} at least", *(f"lowest {title(cost)}" for cost in costs))
    return table(Table("The price list", head, tuple(rows)), numbers=True)


def edges(found: list[Edge]) -> str:
    """Return a warning for each range whose end holds the best trials."""
    return "".join(
        f'<p class="warning"><b>{edge.parameter}</b>: {edge.near} of the {edge.best} trials on the '
        f"front lie at its {edge.end} end ({edge.bound:.12g}). Better ones may lie beyond; in the "
        f"search-space file, under parameters, try <code>{escape(edge.line)}</code></p>"
        for edge in found
    )


def matters(parameters: list[str], metrics: list[str]) -> str:
    """Return the places of importance and slice, with the controls of the slice."""
    if not parameters:
        return "<p>Every parameter is fixed: there is nothing to compare.</p>"
    return (
        '<p class="quiet">How much of the variance of each metric a parameter explains by itself '
        "(epsilon squared: the share of the sum of squares between its values, or fifths of its "
        "range, corrected for chance). It speaks of the trials the search chose to look at; "
        "parameters that act only together can look weaker than they are. A dash: fewer than "
        f"{FEWEST} trials tell. Click a cell to see its parameter against its metric.</p>"
        '<div class="pair"><figure>'
        f"{place('importance', 'importance of each parameter for each metric')}</figure><figure>"
        f'<div class="tools">{_select("parameter", parameters)}{_select("metric", metrics)}</div>'
        f'<div class="plot" id="slice" data-lazy="slice" role="group" '
        'aria-label="one parameter against one metric"></div></figure></div>'
    )


def _select(name: str, choices: list[str]) -> str:
    options = "".join(f"<option>{escape(choice)}</option>" for choice in choices)
    return f'<label class="field">{name} <select id="{name}">{options}</select></label>'


def radios(name: str, options: Iterable[str], first: str) -> str:
    """Return a switch between options."""
    return "".join(
        f'<label><input type="radio" name="{name}" value="{option}"'
        f'{" checked" if option == first else ""}><span>{option}</span></label>'
        for option in options
    )


def volume(found: Progress) -> str:
    """Return what the hypervolume measures and from which corner, in words."""
    ends = ", ".join(f"{metric} {value:.4g}" for metric, value in found.corner.items())
    logs = [title(metric).partition(" (")[0] for metric in found.corner if metric != "accuracy"]
    share = ["the share of the way from there to accuracy 1"] * ("accuracy" in found.corner)
    halvings = [f"the halvings of {name}" for name in logs]
    return (
        "The first curve is the hypervolume that feasible trials dominate, seen from the corner "
        f"{escape(ends)}: {escape(', times '.join([*share, *halvings]))}."
    )


def foot(record: StudyRecord) -> str:
    """Return everything a careful reader wants to know: definitions, facts, the space file."""
    about = "".join(_entry(name, value) for name, value in record.about.items())
    metrics = "".join(_entry(name, metric.meaning) for name, metric in METRICS.items())
    limits = "".join(
        _entry(limit.metric, f"{limit.operator} {limit.bound:g}") for limit in record.space.limits
    )
    return (
        f"<h3>Limits</h3><dl>{limits}</dl><h3>Metrics</h3><dl>{metrics}</dl>"
        + (f"<h3>This study</h3><dl>{about}</dl>" if about else "")
        + "<h3>Search space</h3>"
        "<details><summary>The file in full, defaults filled in</summary>"
        f'<pre tabindex="0">{escape(record.space.text())}</pre></details>'
    )


def _entry(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        inner = "".join(_entry(str(key), part) for key, part in value.items())
        return f"<dt>{escape(name)}</dt><dd><dl>{inner}</dl></dd>"
    if isinstance(value, (list, tuple)):
        value = ", ".join(str(part) for part in value) or "none"
    return f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"


def take(record: StudyRecord, found: list[Pick], misses: Table) -> str:
    """Return what to take, or the nearest misses where nothing is feasible."""
    if found:
        return picks(found, record.argument)
    if misses.rows:
        return table(misses)
    return "<p>Nothing was measured yet.</p>"


def labels(record: StudyRecord) -> str:
    """Return the words the models tell apart."""
    return escape(", ".join(record.space.file.dataset.labels))
