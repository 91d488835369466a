"""`yaat config edit|set|unset|diff|undo|confirm|history`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from yaat_core.cli import completing
from yaat_core.cli.door import Door, command
from yaat_core.cli.editing import (
    ask,
    change,
    dry_run_option,
    place_of,
    run,
    show_diff,
    show_done,
    show_problems,
    yes_option,
)
from yaat_core.cli.marks import mark
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from yaat_core.config.editing.results import Checked, ConfigHistory

file_option = click.option(
    "--file", type=click.Path(path_type=Path), help="An included file, in place of the main one."
)
confirm_option = click.option(
    "--confirm-within",
    metavar="DURATION",
    help="Take it back after this time (30s), unless `yaat config confirm` comes. Needs a running agent.",
)


@command("edit", example="yaat config edit\nyaat config edit --file conf.d/app.yaml")
@file_option
@confirm_option
@yes_option
@click.pass_obj
def edit(door: Door, *, file: Path | None, confirm_within: str | None, yes: bool) -> int:
    """Edit the configuration in $EDITOR; what is not valid is never written.

    Shows the difference and asks. A running agent takes it up at once.
    """
    from yaat_core.actions.config import (
        CONFIG_APPLY,
        CONFIG_CHECK,
        CONFIG_TEXT,
        ApplyGiven,
        CheckGiven,
        TextGiven,
    )
    from yaat_core.cli.editor import edited_text

    place, named = place_of(door), str(file) if file else None
    there = run(door, CONFIG_TEXT, TextGiven(file=named), place=place)
    text = there.text
    while True:
        text = edited_text(text, Path(there.path).stem)
        if text == there.text:
            door.note("nothing was changed")
            return 0
        checked = run(door, CONFIG_CHECK, CheckGiven(text=text, file=named), place=place)
        if checked.ok:
            break
        show_problems(door, checked.problems)
        if not sys.stdin.isatty():
            raise UsageError(
                f"{len(checked.problems)} problems: nothing was written", fix="mend what is told above"
            )
        click.confirm("Edit it again?", default=True, abort=True, err=True)
    if not door.as_json:
        show_diff(door, checked.diff)
    show_problems(door, checked.warnings)
    ask(f"Write {there.path}?", yes=yes)
    given = ApplyGiven(
        text=text,
        hash=there.hash,
        file=named,
        summary="edited by hand",
        confirm_seconds=_seconds(confirm_within),
    )
    done = run(door, CONFIG_APPLY, given, place=place)
    door.result(done, lambda: show_done(door, done))
    return 0


@command(
    "set",
    example="yaat config set sources.app.paths='[/var/log/app/*.log]'\n"
    "yaat config set service_name=shop environment=staging --yes",
)
@click.argument(
    "assignments", nargs=-1, required=True, shell_complete=completing.assignments, metavar="KEY=VALUE..."
)
@file_option
@confirm_option
@dry_run_option
@yes_option
@click.pass_obj
def set_(
    door: Door,
    *,
    assignments: tuple[str, ...],
    file: Path | None,
    confirm_within: str | None,
    yes: bool,
    dry_run: bool,
) -> int:
    """Set keys by their path, values in YAML; every other line stays as it is.

    A processor is addressed by its name: processors.scrub.detectors. Shows the difference and asks.
    """
    from yaat_core.actions.config import CONFIG_SET, SetGiven
    from yaat_core.cli.values import assigned

    given = SetGiven(
        set=assigned(assignments), file=str(file) if file else None, confirm_seconds=_seconds(confirm_within)
    )
    return change(door, CONFIG_SET, given, yes=yes, dry_run=dry_run)


@command("unset", example="yaat config unset sources.app.start_at\nyaat config unset tags.team --yes")
@click.argument("keys", nargs=-1, required=True, shell_complete=completing.keys, metavar="KEY...")
@file_option
@dry_run_option
@yes_option
@click.pass_obj
def unset(door: Door, *, keys: tuple[str, ...], file: Path | None, yes: bool, dry_run: bool) -> int:
    """Take keys out; every other line stays as it is. Shows the difference and asks."""
    from yaat_core.actions.config import CONFIG_SET, SetGiven

    given = SetGiven(unset=list(keys), file=str(file) if file else None)
    return change(door, CONFIG_SET, given, yes=yes, dry_run=dry_run)


@command("diff", example="yaat config diff new.yaml\ngenerate | yaat config diff -")
@click.argument("other", type=click.File("rb"), metavar="FILE")
@file_option
@click.pass_obj
def diff(door: Door, *, other: IO[bytes], file: Path | None) -> int:
    """What FILE (- is stdin) would change in place of the configuration, and whether it is valid; nothing is written.

    Exit code 2 when it is not valid.
    """
    from yaat_core.actions.config import CONFIG_CHECK, CheckGiven

    try:
        text = other.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{other.name} is not UTF-8 text", fix="save it as UTF-8") from None
    checked = run(door, CONFIG_CHECK, CheckGiven(text=text, file=str(file) if file else None))
    door.result(checked, lambda: _show_checked(door, checked))
    return 0 if checked.ok else 2


@command("undo", example="yaat config undo\nyaat config undo --redo\nyaat config undo --to 3 --yes")
@click.option("--redo", is_flag=True, help="Do again what was taken back last.")
@click.option(
    "--to", type=int, metavar="VERSION", help="Bring back what was before this version, as a new change."
)
@dry_run_option
@yes_option
@click.pass_obj
def undo(door: Door, *, redo: bool, to: int | None, yes: bool, dry_run: bool) -> int:
    """Take the last change of the configuration back: the file has its old bytes again.

    Shows what it does and asks.
    """
    from yaat_core.actions.config import CONFIG_UNDO, UndoGiven

    if redo and to is not None:
        raise UsageError("--redo and --to can't both be given")
    place = place_of(door)
    plan = run(door, CONFIG_UNDO, UndoGiven(to=to, redo=redo, dry_run=True), place=place)
    if not door.as_json:
        show_diff(door, plan.diff)
    if dry_run:
        door.result(plan, lambda: door.line("nothing was written"))
        return 0
    ask(f"Write {plan.path}?", yes=yes)
    done = run(door, CONFIG_UNDO, UndoGiven(to=to, redo=redo), place=place)
    verb = "done again" if redo else "taken back" if to is None else "written"
    door.result(done, lambda: show_done(door, done, f"version {done.version} is {verb}: {done.path}"))
    return 0


@command("confirm", example="yaat config confirm")
@click.pass_obj
def confirm(door: Door) -> None:
    """Keep a change that was applied with `--confirm-within`, before it is taken back by itself."""
    from yaat_core.actions.base import Nothing
    from yaat_core.actions.config import CONFIG_CONFIRM

    done = run(door, CONFIG_CONFIRM, Nothing())
    door.result(done, lambda: door.line(f"{mark('yes')} version {done.version} stays"))


@command("history", example="yaat config history\nyaat config history --json | jq '.versions[0].diff'")
@click.option("--diffs", is_flag=True, help="With what each changed.")
@click.pass_obj
def history(door: Door, *, diffs: bool) -> None:
    """What was changed in the configuration, newest first; diffs show no secrets."""
    from yaat_core.actions.base import Nothing
    from yaat_core.actions.config import CONFIG_HISTORY

    found = run(door, CONFIG_HISTORY, Nothing())
    door.result(found, lambda: _show_history(door, found, diffs=diffs), long=True)


def _show_checked(door: Door, checked: Checked) -> None:
    show_diff(door, checked.diff)
    show_problems(door, [*checked.problems, *checked.warnings])
    if not checked.diff:
        door.line("nothing is different")
    door.line(f"{mark('yes')} valid" if checked.ok else f"{mark('error')} {len(checked.problems)} problems")


def _show_history(door: Door, found: ConfigHistory, *, diffs: bool) -> None:
    from yaat_core.cli.table import table

    if not found.versions:
        door.line("nothing was changed by yaat yet")
        return
    rows = [
        [
            one.version.number,
            one.version.at,
            one.version.summary,
            "taken back" if one.version.undone else "now" if one.current else "",
        ]
        for one in found.versions
    ]
    lines = table(["version", "at", "what", ""], rows)
    door.line(click.style(next(lines), bold=True))
    for one, line in zip(found.versions, lines, strict=True):
        door.line(line)
        if diffs:
            show_diff(door, one.diff)


def _seconds(written: str | None) -> float | None:
    from yaat_core.config.options import Duration

    if written is None:
        return None
    try:
        return float(Duration.parse(written))
    except ValueError as error:
        raise UsageError(f"--confirm-within {error}") from None


COMMANDS = (edit, set_, unset, diff, undo, confirm, history)
