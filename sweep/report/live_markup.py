"""The report's pieces of HTML as Dash components, so that both pages show the same ones."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from dash import html
from dash.development.base_component import Component

_TAGS = set(
    "b button caption code dd details div dl dt figcaption h3 i li ol p pre small span summary"
    " table tbody td th thead tr ul".split()
)
_ATTRIBUTES = {"class": "className", "scope": "scope", "tabindex": "tabIndex", "role": "role"}
_ATTRIBUTES |= {"aria-label": "aria-label"}


def to_components(markup: str, address: Callable[[str], str]) -> list[Component | str]:
    """Return a piece of ``sweep.report.markup`` as components.

    Text stays text: it is unescaped here and escaped again by the browser's side of Dash.

    Args:
        markup: the piece.
        address: the address of the page of a trial, to which buttons for a trial lead.

    Raises:
        ValueError: if it holds an element that none of our pieces has.
    """
    reader = _Reader(address)
    reader.feed(markup)
    reader.close()
    return reader.top


class _Reader(HTMLParser):
    def __init__(self, address: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=True)
        self.top: list[Component | str] = []
        self._address = address
        self._open: list[tuple[type[Component], dict[str, Any], list[Component | str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise ValueError(f"<{tag}> is none of our elements")
        kind, given = getattr(html, tag.capitalize()), dict(attrs)
        properties: dict[str, Any] = {
            _ATTRIBUTES[n]: v for n, v in given.items() if n in _ATTRIBUTES
        }
        if given.get("style"):
            rules = (rule.split(":") for rule in (given["style"] or "").split(";") if rule)
            properties["style"] = {name.strip(): value.strip() for name, value in rules}
        if given.get("data-trial"):
            kind = html.A
            properties |= {"href": self._address(str(given["data-trial"])), "className": "button"}
        self._open.append((kind, properties, []))

    def handle_endtag(self, tag: str) -> None:
        kind, properties, children = self._open.pop()
        self._put(kind(children, **properties))

    def handle_data(self, data: str) -> None:
        self._put(data)

    def _put(self, child: Component | str) -> None:
        (self._open[-1][2] if self._open else self.top).append(child)
