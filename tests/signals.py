"""Signals as a terminal sends them."""

import signal


def heed_ctrl_c() -> None:
    """Let a child process be interrupted even where a shell runs the tests in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
