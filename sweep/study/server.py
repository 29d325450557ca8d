"""Optuna's storage in a database server, whose connections may drop."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from typing import Any

import sqlalchemy
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage

_PATIENCE_IN_S = 60
"""How long a server may be out of reach."""

_PAUSE_IN_S = 0.5
_LOST = (
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.PendingRollbackError,
)
_CALLS = {*BaseStorage.__abstractmethods__, "_create_new_trial", "_set_trial_param", "_get_trials"}
"""What Optuna calls of a storage; with an underscore, what its cache calls."""


class ServerStorage(RDBStorage):
    """Optuna's storage in a server; a call is made again while connections drop, for a minute.

    Attributes:
        before_write: called before each write, if set.
    """

    before_write: Callable[[], None] | None = None

    def __init__(self, url: str) -> None:
        super().__init__(url, engine_kwargs={"pool_pre_ping": True})

    def _patiently(self, name: str, call: Callable[[], Any]) -> Any:
        end = time.monotonic() + _PATIENCE_IN_S
        failed = False
        while True:
            try:
                if self.before_write is not None and not name.lstrip("_").startswith("get_"):
                    self.before_write()
                return call()
            except (*_LOST, sqlalchemy.exc.DBAPIError, StorageInternalError) as error:
                cause = error.__cause__ if isinstance(error, StorageInternalError) else error
                if not isinstance(cause, _LOST) or time.monotonic() > end:
                    raise
                failed = True
                with suppress(sqlalchemy.exc.SQLAlchemyError):
                    self.remove_session()
                time.sleep(_PAUSE_IN_S)
            except UpdateFinishedTrialError:
                # The call before was cut off after it was done.
                if not failed:
                    raise
                return True


def _again(name: str) -> Callable[..., Any]:
    call = getattr(RDBStorage, name)

    @wraps(call)
    def method(self: ServerStorage, *args: Any, **kwargs: Any) -> Any:
        return self._patiently(name, partial(call, self, *args, **kwargs))

    return method


for _name in _CALLS:
    setattr(ServerStorage, _name, _again(_name))
