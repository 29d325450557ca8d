"""The registry: which object a name in a search space means.

A name is looked up as built in or registered, then as ``module:Name``, then among the entry points
of the group ``tinysweep.plugins``, which are called ``kind.name``::

    [tinysweep.plugins]
    network.tiny = my_package.networks:Tiny
"""

import hashlib
import importlib
import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from sweep.errors import PluginError, nearest

GROUP = "tinysweep.plugins"

BUILT_IN: dict[str, dict[str, str]] = {
    "frontend": {
        "mfcc": "sweep.frontends.mfcc:MFCC",
        "log_mel": "sweep.frontends.log_mel:LogMel",
    },
    "network": {
        "depthwise_separable": "sweep.networks.ds_cnn:DSCNN",
        "temporal": "sweep.networks.temporal:Temporal",
        "standard": "sweep.networks.standard:Standard",
        "tc_resnet": "sweep.networks.tc_resnet:TCResNet",
        "bc_resnet": "sweep.networks.bc_resnet:BCResNet",
        "mlperf_ds_cnn": "sweep.networks.mlperf_ds_cnn:MLPerfDSCNN",
    },
    "source": {
        "synthetic": "sweep.audio.sources.synthetic:Synthetic",
        "mini_speech_commands": "sweep.audio.sources.archives:MiniSpeechCommands",
        "speech_commands": "sweep.audio.sources.archives:SpeechCommands",
    },
    "sampler": {
        "ehvi": "sweep.study.samplers.ehvi:EHVISampler",
        "tpe": "sweep.study.samplers.tpe:tpe",
        "nsga2": "sweep.study.samplers.from_optuna:nsga2",
        "random": "sweep.study.samplers.random_sampler:RandomSampler",
        "grid": "sweep.study.samplers.grid:GridSampler",
        "greedy": "sweep.study.samplers.greedy:GreedySampler",
        "gp": "sweep.study.samplers.from_optuna:gp",
    },
}
"""What comes along, by kind and name; imported when it is asked for."""

_registered: dict[tuple[str, str], Any] = {}
_folders: dict[str, None] = {}
_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Plugin:
    """An object that a name of a kind means; ``origin`` says where it comes from."""

    kind: str
    name: str
    origin: str


def register(kind: str, name: str, target: Any) -> None:
    """Give an object a name in this process, as ``register("network", "tiny", Tiny)``.

    Raises:
        PluginError: if the name is built in.
    """
    if name in BUILT_IN.get(kind, {}):
        raise PluginError(f"{name!r} is a built-in {kind}; choose another name")
    _registered[kind, name] = target


def search_in(folder: Path | str) -> None:
    """Find modules in a folder too, after those that Python finds by itself."""
    path = str(Path(folder).absolute())
    _folders.setdefault(path)
    if path not in sys.path:
        sys.path.append(path)
        importlib.invalidate_caches()
        _points.cache_clear()


def folders() -> list[str]:
    """Return the folders that modules are searched in besides Python's own."""
    return list(_folders)


def names(kind: str) -> list[str]:
    """Return every name of a kind that is known without ``module:Name``."""
    return [plugin.name for plugin in plugins() if plugin.kind == kind]


def plugins() -> list[Plugin]:
    """Return all that is built in, registered or installed, without importing any of it."""
    found = [Plugin(kind, name, "built in") for kind, known in BUILT_IN.items() for name in known]
    found += [Plugin(kind, name, _place(target)) for (kind, name), target in _registered.items()]
    for point in _points():
        kind, _, name = point.name.partition(".")
        package = f"{point.dist.name} {point.dist.version}" if point.dist else "an entry point"
        found.append(Plugin(kind, name, package))
    return found


def find(kind: str, name: str) -> Any:
    """Return the object that a name of a kind means.

    Raises:
        PluginError: if there is none, or its module fails; the message names file and line.
    """
    if name in BUILT_IN.get(kind, {}):
        return _built_in(kind, name)
    if (kind, name) in _registered:
        return _registered[kind, name]
    if ":" in name:
        return _load(kind, name)
    point = _entry_point(kind, name)
    if point is None:
        hint = nearest(name, names(kind))
        raise PluginError(f"{name!r} is no {kind}{hint}")
    return _load(kind, point.value)


def name_of(kind: str, target: Any) -> str:
    """Return the name by which ``find`` finds an object."""
    value = f"{target.__module__}:{target.__qualname__}"
    known: dict[str, Any] = dict(BUILT_IN.get(kind, {}))
    known |= {name: found for (other, name), found in _registered.items() if other == kind}
    if value not in known.values():
        own = [point for point in _points() if point.name.startswith(f"{kind}.")]
        known |= {point.name.removeprefix(f"{kind}."): point.value for point in own}
    return next((name for name, found in known.items() if found in (value, target)), value)


def version_of(target: Any) -> str:
    """Return a digest of the module of an object from outside; nothing for what comes along."""
    try:
        file = Path(inspect.getsourcefile(target) or "")
    except TypeError:  # It is of no file, as what is typed into an interpreter.
        return ""
    if file.is_relative_to(_PACKAGE) or not file.is_file():
        return ""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:20]


@contextmanager
def blaming(target: Any, but: tuple[type[Exception], ...] | type[Exception] = ()) -> Iterator[None]:
    """Turn what goes wrong in a plugin into an error that names its file and line.

    Args:
        target: the plugin.
        but: exceptions that are left as they are.

    Raises:
        PluginError: in place of any other exception.
    """
    try:
        yield
    except PluginError:
        raise
    except Exception as error:
        if isinstance(error, but):
            raise
        place = _foreign_line(error) or _place(target)
        raise PluginError(f"{place}: {_in_a_line(error)}") from error


@cache
def _built_in(kind: str, name: str) -> Any:
    return _load(kind, BUILT_IN[kind][name])


def _load(kind: str, name: str) -> Any:
    module_name, _, path = name.partition(":")
    if not all(part.isidentifier() for part in [*module_name.split("."), *path.split(".")]):
        raise PluginError(f"{name!r} is no {kind}; write module:Name")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _failed(error, name) from error
        raise PluginError(
            f"{name}: there is no module {error.name}; it is looked for beside the search space"
            " and on the Python path"
        ) from error
    except (Exception, SystemExit) as error:
        raise _failed(error, name) from error
    found: Any = module
    for part in path.split("."):
        if not hasattr(found, part):
            public = [key for key in vars(found) if not key.startswith("_")]
            where = getattr(module, "__file__", None) or module_name
            raise PluginError(f"{where}: has no {part}{nearest(part, public)}")
        found = getattr(found, part)
    return found


def _entry_point(kind: str, name: str) -> EntryPoint | None:
    return next((point for point in _points() if point.name == f"{kind}.{name}"), None)


@cache
def _points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _failed(error: BaseException, name: str) -> PluginError:
    return PluginError(f"{_foreign_line(error) or name}: {_in_a_line(error)}")


def _foreign_line(error: BaseException) -> str | None:
    """Return ``file:line`` of the innermost code that is a plugin's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    ours = (str(_PACKAGE), "<", str(Path(importlib.__file__).parent))
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{f.filename}:{f.lineno}" for f in frames if not f.filename.startswith(ours)]
    own = [place for place in places if "site-packages" not in place]
    return next(reversed(own or places), None)


def _place(target: Any) -> str:
    """Return ``file:line`` where an object is defined."""
    try:
        return f"{inspect.getsourcefile(target)}:{inspect.getsourcelines(target)[1]}"
    except (OSError, TypeError):
        named = target if hasattr(target, "__qualname__") else type(target)
        return f"{named.__module__}:{named.__qualname__}"


def _in_a_line(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"not Python: {error.msg}"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
