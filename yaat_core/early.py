"""Signals before the agent listens: remembered, so that a start that is told to stop, or to reload, ends as any other does."""

from __future__ import annotations

import signal
from types import FrameType

_ASKED: list[int] = []
_RELOAD: list[int] = []
_NOHUP: list[bool] = []


def listen() -> None:
    """Remember SIGTERM, SIGINT and SIGHUP from now on; the agent takes them over when it runs. Main thread only.

    What was heard already stays heard. A signal before the first call ends the process by that signal: then nothing of
    the agent had begun.
    """
    if signal.getsignal(signal.SIGTERM) is _remember:
        return
    _ASKED.clear()
    _RELOAD.clear()
    _NOHUP[:] = [signal.getsignal(signal.SIGHUP) is signal.SIG_IGN]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _remember)
    signal.signal(signal.SIGHUP, _remember_reload)


def asked() -> bool:
    """Was the agent told to stop since `listen`? It is asked once. A second signal before that ends the process at once."""
    told = bool(_ASKED)
    _ASKED.clear()
    return told


def asked_to_reload() -> bool:
    """Was there a SIGHUP since `listen`? It is asked once."""
    told = bool(_RELOAD)
    _RELOAD.clear()
    return told


def survives_its_terminal() -> bool:
    """Was it started so that the end of its terminal does not concern it (`nohup`)?"""
    return any(_NOHUP)


def _remember(number: int, _frame: FrameType | None) -> None:
    _ASKED.append(number)
    if len(_ASKED) > 1:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)


def _remember_reload(number: int, _frame: FrameType | None) -> None:
    _RELOAD.append(number)
