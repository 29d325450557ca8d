"""Front ends by their names."""

from sweep.errors import PluginError
from sweep.frontends.base import Frontend
from sweep.registry import find


def frontend_owner(name: str) -> type[Frontend]:
    """Return what a name means: a subclass of ``Frontend``.

    Raises:
        PluginError: if there is no such front end.
    """
    owner = find("frontend", name)
    if isinstance(owner, type) and issubclass(owner, Frontend):
        return owner
    raise PluginError(f"{name}: is not a sweep.Frontend")
