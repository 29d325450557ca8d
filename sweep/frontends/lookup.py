"""Front ends by their names."""

from inspect import isabstract

from sweep.errors import PluginError
from sweep.frontends.base import Frontend
from sweep.registry import blaming, find


def frontend_owner(name: str) -> type[Frontend]:
    """Return what a name means: a subclass of ``Frontend``.

    Raises:
        PluginError: if there is no such front end, or it lacks a method.
    """
    owner = find("frontend", name)
    if not (isinstance(owner, type) and issubclass(owner, Frontend)):
        raise PluginError(f"{name}: is not a sweep.Frontend")
    with blaming(owner):
        if isabstract(owner):
            missing = ", ".join(sorted(owner.__abstractmethods__))
            raise TypeError(f"{owner.__name__} does not define {missing}")
    return owner
