"""Sources by their names."""

import re
from collections.abc import Mapping
from typing import Any

from sweep.audio.sources.base import Source
from sweep.audio.sources.folder import Folder
from sweep.errors import PluginError
from sweep.parameters import domains
from sweep.registry import blaming, find, names

PLUGIN = re.compile(r"^[^\W\d][\w.]*:[^\W\d]\w*$")


def is_folder(name: str) -> bool:
    """Tell whether the name of a source is the path of a folder."""
    return name not in names("source") and not PLUGIN.fullmatch(name)


def source_owner(name: str) -> Any:
    """Return what a name means: a subclass of ``Source``; ``Folder`` for a path.

    Raises:
        PluginError: if there is no such source.
    """
    if is_folder(name):
        return Folder
    owner: Any = find("source", name)
    is_source = isinstance(owner, type) and issubclass(owner, Source)
    if not is_source:
        raise PluginError(f"{name}: is not a sweep.Source")
    with blaming(owner):
        domains(owner)
    return owner


def source_of(name: str, parameters: Mapping[str, Any]) -> Source:
    """Return the source of a name with its parameters.

    Raises:
        PluginError: if there is none, or it fails.
    """
    owner = source_owner(name)
    if owner is Folder:
        return Folder(name)
    with blaming(owner):
        source: Source = owner(**parameters)
    return source
