"""`yaat validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from yaat_core.cli.door import Door, command
from yaat_core.cli.marks import mark
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yaat_core.cli.checking import Checked


@command(example="yaat validate\nyaat -c new.yaml validate --offline")
@click.option("--offline", is_flag=True, help="Don't reach for the sinks.")
@click.pass_obj
def validate(door: Door, *, offline: bool) -> int:
    """Check the configuration, that sources can be read and that sinks can be reached.

    Binds no port and opens no store. Exit code 2: the configuration is wrong; 1: something can't be read or reached.
    """
    from yaat_core.cli.checking import check
    from yaat_core.cli.setup import load

    setup = load(door)
    path = setup.configuration.path
    found = check(setup, offline=offline)
    ok = all(one.ok for one in found)

    def human() -> None:
        door.line(
            f"{mark('yes')} configuration  {terminal_safe(str(path)) if path else 'no file, all defaults'}"
        )
        for file in setup.configuration.included:
            door.line(f"{mark('yes')} included       {terminal_safe(str(file))}")
        for warning in setup.configuration.warnings:
            door.line(warning.render())
        show(door, found)
        door.line(f"{mark('yes')} valid" if ok else f"{mark('error')} not all is well")

    document = {
        "ok": ok,
        "config_file": str(path) if path else None,
        "included": [str(file) for file in setup.configuration.included],
        "offline": offline,
        "warnings": [warning.to_json() for warning in setup.configuration.warnings],
        "components": found,
    }
    door.result(document, human)
    return 0 if ok else 1


def show(door: Door, found: Sequence[Checked]) -> None:
    """A line a component, its findings below."""
    for one in found:
        warned = any(finding.level == "warn" for finding in one.findings)
        kind = "error" if not one.ok else "warn" if warned else "yes"
        stage = (
            ""
            if one.stage == "checked"
            else "  (made, not reached)"
            if one.component.startswith("sinks.")
            else ""
        )
        door.line(f"{mark(kind)} {terminal_safe(one.component)}  {one.type}{stage}")
        for step in one.passed:
            door.line(f"    {mark('yes')} {terminal_safe(step)}")
        for finding in one.findings:
            door.line(f"    {finding.level}: {terminal_safe(finding.problem)}")
            if finding.advice:
                door.line(f"    fix: {terminal_safe(finding.advice)}")
        if one.hint:
            door.line(f"    hint: {one.hint}")
