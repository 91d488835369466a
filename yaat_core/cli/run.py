"""`yaat run`."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import click

from yaat_core import early
from yaat_core.cli.door import Door, command
from yaat_core.cli.ending import AllClosed
from yaat_core.concealing import conceal
from yaat_core.display import terminal_safe
from yaat_core.seldom import Seldom

if TYPE_CHECKING:
    from yaat_core.agent import Agent

#: Loggers that say the same several times a second or a minute, as while descriptors are exhausted.
_REPETITIVE: Final = ("trio.serve_listeners", "yaat.agent", "yaat.queue")
_SELDOM: Final = Seldom()


@command(
    example="yaat run\nyaat -c /etc/yaat/yaat.yaml run\nyaat run --once && yaat query 'SELECT count(*) FROM events'"
)
@click.option("--once", is_flag=True, help="Read what is there now, deliver it everywhere, and exit.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="How much the agent says on stderr.",
)
@click.pass_obj
def run(door: Door, *, once: bool, log_level: str) -> int:
    """Run the agent in the foreground.

    SIGTERM or Ctrl-C drains and stops; a second one stops at once. With --once the exit code is 0 when everything
    was delivered to every sink, 5 when part was, 1 when nothing was.
    """
    log_to_stderr(log_level)
    if not once:
        early.listen()
    from yaat_core import agent
    from yaat_core.cli.setup import load

    setup = load(door)
    for warning in setup.configuration.warnings:
        door.note(warning.render())
    code = agent.run(
        setup.configuration, setup.plugins, once=once, main=_main(door) if once else agent.Agent.run
    )
    if door.as_json:
        door.document({"once": once, "outcome": "done", "exit_code": code})
    return AllClosed(code)


def _main(door: Door) -> Callable[[Agent], Awaitable[int]]:
    """Runs the agent; where a person looks on, with how far it is."""
    from functools import partial

    from yaat_core.cli.backfill import shown

    return partial(shown, door=door)


class _OneLine(logging.Formatter):
    """A record is one line (a traceback follows it), without secrets; nothing in it reaches the terminal as a command."""

    def format(self, record: logging.LogRecord) -> str:
        return terminal_safe(conceal(super().format(record)), lines=bool(record.exc_info))


def log_to_stderr(level: str) -> None:
    """Send the log to stderr: time (UTC), level, logger, message."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = _OneLine(
        "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    for repetitive in _REPETITIVE:
        logging.getLogger(repetitive).addFilter(_SELDOM)
