"""Changes of the configuration from the command line: the running agent makes them, or with none this process.

A change is shown as a diff first, and asked for. A configuration that is not valid can be looked at and edited all the same.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import click
import trio

from yaat_core.cli.door import Door
from yaat_core.cli.marks import mark
from yaat_core.display import terminal_safe
from yaat_core.errors import AgentNotRunning, NotAllowed, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yaat_core.actions.base import Action
    from yaat_core.config.editing.results import Applied
    from yaat_core.config.problems import ConfigProblem
    from yaat_core.editor import Editor
    from yaat_core.plugins import Plugins

A = TypeVar("A")
R = TypeVar("R")

#: Seconds that a change may take: components stop, and what they sent becomes durable.
PATIENCE: Final = 120.0

yes_option = click.option("--yes", "-y", is_flag=True, help="Don't ask.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Show the difference; write nothing.")


@attrs.frozen
class Place:
    """Which configuration it is, whether or not it can be read."""

    path: Path
    state_dir: Path
    plugins: Plugins


class Local:
    """As much of `Operations` as editing takes, in this process."""

    def __init__(self, place: Place) -> None:
        from yaat_core.config.editing.desk import Desk
        from yaat_core.editor import Editor

        desk = Desk(path=place.path, state_dir=place.state_dir, plugins=place.plugins)
        self.editor: Editor = Editor(lambda: desk)


def place_of(door: Door) -> Place:
    """Where the configuration is, or would be written; ``-c`` may name a file that is still to come."""
    from yaat_core import config
    from yaat_core.plugins import load_plugins

    named = door.config_file or os.environ.get("YAAT_CONFIG")
    if named and not Path(named).expanduser().exists():
        path = Path(os.path.abspath(Path(named).expanduser()))
    else:
        path = config.written_at(config.find_config(door.config_file))
    there = path if path.exists() else None
    state_dir = config.state_dir_in(path) if there is not None else None
    return Place(path, state_dir or config.default_state_dir(), load_plugins(config.disabled_in(there)))


def run(door: Door, action: Action[A, R], given: A, *, place: Place | None = None) -> R:
    """The action's result, from the agent that runs with this file, or with none from this process.

    What the agent may not write is written here, and the agent told.
    """
    from yaat_core.config.editing.saving import CannotWrite

    place = place or place_of(door)
    try:
        with _agent(place, door) as agent:
            return agent.call(action, given)  # type: ignore[no-any-return]
    except AgentNotRunning:
        return locally(place, action, given)
    except NotAllowed as error:
        if error.code != CannotWrite.code:
            raise
    done = locally(place, action, given)
    told: R = _reloaded(place, done)
    return told


def locally(place: Place, action: Action[A, R], given: A) -> R:
    """The action's result, made in this process."""
    handler: Any = action.handler
    result: R = trio.run(handler, Local(place), given)
    return result


@contextlib.contextmanager
def _agent(place: Place, door: Door) -> Any:
    """The agent that runs with this file."""
    from yaat_core.actions.agent import STATUS
    from yaat_core.actions.base import Nothing
    from yaat_core.control.client import Client

    with Client(place.state_dir, patience=PATIENCE) as agent:
        file = agent.call(STATUS, Nothing()).config_file
        if file is not None and not _same(Path(file), place.path):
            door.note(
                f"the agent that runs here reads {terminal_safe(file)}, not {terminal_safe(str(place.path))}: it is not told"
            )
            raise AgentNotRunning("the agent has another configuration file")
        yield agent


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one == other


def _reloaded(place: Place, done: Any) -> Any:
    """Tell the agent of what was written here."""
    from yaat_core.actions.base import Nothing
    from yaat_core.actions.reloading import RELOAD
    from yaat_core.control.client import Client
    from yaat_core.editor import NO_AGENT

    if getattr(done, "version", None) is None or not hasattr(done, "reloaded"):
        return done
    with Client(place.state_dir, patience=PATIENCE) as agent:
        came = agent.call(RELOAD, Nothing())
    notes = [note for note in done.notes if note != NO_AGENT]
    notes += [f"{one}: takes a restart of the agent" for one in came.restart_needed]
    return attrs.evolve(done, reloaded=True, notes=notes)


def change(door: Door, action: Action[Any, Applied], given: Any, *, yes: bool, dry_run: bool) -> int:
    """Show what an action would change, ask, and do it; returns the exit code."""
    place = place_of(door)
    plan = run(door, action, attrs.evolve(given, dry_run=True), place=place)
    if not door.as_json:
        show_diff(door, plan.diff)
        show_problems(door, plan.warnings)
    if dry_run or not plan.diff:
        door.result(plan, lambda: door.line("nothing was written" if plan.diff else "nothing to change"))
        return 0
    ask(f"Write {plan.path}?", yes=yes)
    done = run(door, action, attrs.evolve(given, hash=plan.hash, dry_run=False), place=place)
    door.result(done, lambda: show_done(door, done))
    return 0


def ask(question: str, *, yes: bool) -> None:
    """Returns when it is meant.

    Raises:
        UsageError: nobody can be asked, and `--yes` is missing.
        click.Abort: the person said no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is here to be asked, so nothing was changed", fix="add --yes")
    click.confirm(terminal_safe(question), default=True, abort=True, err=True)


def show_done(door: Door, done: Applied, what: str = "") -> None:
    """What was written, and whether it holds."""
    what = what or f"wrote {done.path} (version {done.version}; `yaat config undo` takes it back)"
    door.line(f"{mark('yes')} {terminal_safe(what)}")
    if done.reloaded:
        door.line(f"{mark('yes')} the agent has taken it up")
    if done.confirm_seconds is not None:
        door.line(
            f"{mark('warn')} taken back in {done.confirm_seconds:g} s unless `yaat config confirm` comes"
        )
    for note in done.notes:
        door.line(f"{mark('warn')} {terminal_safe(note)}")


def show_diff(door: Door, diff: str) -> None:
    """A diff in colours."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in diff.splitlines():
        head = line.startswith(("---", "+++"))
        door.line(click.style(terminal_safe(line), fg=None if head else colours.get(line[:1]), bold=head))


def show_problems(door: Door, problems: Sequence[ConfigProblem]) -> None:
    """Problems or warnings, for a person."""
    for problem in problems:
        door.note(problem.render() + "\n")
