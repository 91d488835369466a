"""SIGTERM before the agent listens: remembered, so that a start that is told to stop ends as any other run does."""

from __future__ import annotations

import signal
from types import FrameType

_ASKED: list[int] = []


def listen() -> None:
    """Remember SIGTERM and SIGINT from now on; the agent takes both over when it runs. Main thread only.

    What was heard already stays heard. A signal before the first call ends the process by that signal: then nothing of
    the agent had begun.
    """
    if signal.getsignal(signal.SIGTERM) is _remember:
        return
    _ASKED.clear()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _remember)


def asked() -> bool:
    """Was the agent told to stop since `listen`? It is asked once. A second signal before that ends the process at once."""
    told = bool(_ASKED)
    _ASKED.clear()
    return told


def _remember(number: int, _frame: FrameType | None) -> None:
    _ASKED.append(number)
    if len(_ASKED) > 1:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
