"""`yaat explain`."""

from __future__ import annotations

import click

from yaat_core.cli import completing
from yaat_core.cli.door import Door, command
from yaat_core.errors import UsageError
from yaat_core.guessing import guess


@command(example="yaat explain YAAT-E101\nyaat explain e501")
@click.argument("code", shell_complete=completing.codes)
@click.pass_obj
def explain(door: Door, *, code: str) -> None:
    """An error code in full: what it means, why it happens, what to do."""
    from yaat_core.codes import EXPLANATIONS

    wanted = "YAAT-" + code.upper().removeprefix("YAAT-")
    text = EXPLANATIONS.get(wanted)
    if text is None:
        raise UsageError(
            f"no error has the code {code}", fix=guess(wanted, sorted(EXPLANATIONS), "there are")
        )
    door.result({"code": wanted, "text": text}, lambda: door.line(f"{wanted}\n\n{text}"), long=True)
