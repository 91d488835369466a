"""`yaat agent-log` and `yaat log-level`."""

from __future__ import annotations

from typing import Final

import click

from yaat_core.cli.door import Door, command
from yaat_core.config.options import Duration
from yaat_core.errors import UsageError

LEVELS: Final = ("debug", "info", "warning", "error")
_COLORS: Final = {"error": "red", "critical": "red", "warning": "yellow"}


@command(
    example="yaat agent-log\nyaat agent-log --level warning --no-follow\nyaat agent-log --json | jq -r .message"
)
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0, 1_000),
    default=100,
    show_default=True,
    help="How many to begin with.",
)
@click.option("--level", type=click.Choice(LEVELS), default="debug", help="This level and worse ones.")
@click.option("--no-follow", is_flag=True, help="Print what is there and stop.")
@click.pass_obj
def agent_log(door: Door, *, lines: int, level: str, no_follow: bool) -> None:
    """The agent's own log: the last lines, then what comes.

    It is kept in memory, 1,000 lines; `yaat log-level` makes it say more for a time. With --json: a line of the log a line.
    """
    from yaat_core.actions.live import LOG, LogGiven
    from yaat_core.cli.following import followed, json_line
    from yaat_core.cli.setup import client
    from yaat_core.display import terminal_safe

    with client(door) as agent:
        for told in followed(door, agent, LOG, LogGiven(lines=lines, level=level)):  # type: ignore[arg-type]
            if told.skipped:
                door.note(f"{told.skipped} lines came faster than they were read")
            for line in told.lines:
                if door.as_json:
                    json_line(line)
                    continue
                word = click.style(f"{line.level.upper():<7}", fg=_COLORS.get(line.level))
                message = terminal_safe(line.message, lines=True)
                door.line(f"{terminal_safe(line.time)} {word} {terminal_safe(line.logger)}: {message}")
            if no_follow:
                return


@command(example="yaat log-level debug --for 5m\nyaat log-level usual")
@click.argument("level", type=click.Choice([*LEVELS, "usual"]))
@click.option(
    "--for",
    "duration",
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="After that it goes back by itself.",
)
@click.pass_obj
def log_level(door: Door, *, level: str, duration: str) -> None:
    """How much the agent says in its own log, for a time.

    `usual` goes back at once. It holds for stderr (the journal) and for `yaat agent-log`.
    """
    from yaat_core.actions.live import LOG_LEVEL, LevelGiven
    from yaat_core.cli.setup import client

    try:
        seconds = float(Duration.parse(duration))
    except ValueError as error:
        raise UsageError(f"--for {error}", fix="e.g. --for 10m") from None
    chosen = None if level == "usual" else level
    with client(door) as agent:
        now = agent.call(LOG_LEVEL, LevelGiven(level=chosen, seconds=seconds))  # type: ignore[arg-type]
    until = f" until {now.until}, then {now.usual} again" if now.until else ""
    door.result(now, lambda: door.line(f"the agent's log says {now.level} and worse{until}"))
