"""What signals ask of the running agent: SIGTERM and SIGINT to stop, SIGHUP to reload."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

import trio

from yaat_core import early

BY: Final = "SIGHUP"


async def obey(
    stop: Callable[[], None],
    reload: Callable[[str], None],
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Until cancelled; first what came before the agent listened.

    An agent in the foreground of a terminal stops when that goes away: the system says so by SIGHUP as well.
    """
    on_terminal = _has_terminal() and not early.survives_its_terminal()
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        task_status.started()
        if early.asked():
            stop()
        if early.asked_to_reload():
            reload(BY)
        async for number in signals:
            if number != signal.SIGHUP or (on_terminal and not _has_terminal()):
                stop()
            else:
                reload(BY)


def _has_terminal() -> bool:
    """Is there a terminal that controls this process?"""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
