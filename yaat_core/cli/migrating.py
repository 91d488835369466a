"""`yaat config migrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import click

from yaat_core.cli.door import Door, command
from yaat_core.cli.marks import mark
from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from yaat_core.config.migrating import Migrated

#: Groups of the report, in their order.
_GROUPS: Final = {
    "kept": "Carried over",
    "renamed": "Carried over under another name",
    "left": "Not carried over",
    "added": "Added",
}


@command(
    "migrate",
    example="yaat config migrate /etc/yaat-sidecar/yaat.yaml --dry-run\n"
    "yaat config migrate ~/.yaat/yaat.yaml --output yaat.yaml\n"
    "yaat config migrate old.yaml --key-reference '${secret:api_key}' > yaat.yaml",
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the new file here, for its owner alone; without it, to stdout. One that is there is never overwritten.",
)
@click.option("--dry-run", is_flag=True, help="Show only what becomes of each key; write nothing.")
@click.option(
    "--key-reference",
    metavar="REFERENCE",
    help="What stands in place of the API key; default: ${env:YAAT_API_KEY}.",
)
@click.option(
    "--start-at",
    type=click.Choice(["end", "beginning"]),
    default="end",
    show_default=True,
    help="Where logs begin at the first start.",
)
@click.pass_obj
def migrate(
    door: Door,
    *,
    file: Path,
    output: Path | None,
    dry_run: bool,
    key_reference: str | None,
    start_at: str,
) -> None:
    """Make a configuration of an older one: of the first agent's (yaat-sidecar) file, for now.

    The report says of each key of the old file what became of it, and why. The API key is never written or shown: the new file
    refers to it. The old file stays as it is.
    """
    from yaat_core.config.migrating import KEY_REFERENCE, migrate
    from yaat_core.config.text import read_text, shown_name
    from yaat_core.plugins import load_plugins

    reference = _reference(key_reference or KEY_REFERENCE)
    if output is not None and output.exists() and not dry_run:
        raise UsageError(
            f"{output} is there already",
            fix="name a file that is not; then see `yaat config diff FILE`, and move it into its place",
        )
    folder = (output or file).absolute().parent
    found = migrate(
        read_text(file),
        shown_name(file),
        load_plugins(),
        folder=folder,
        key_reference=reference,
        start_at=start_at,
    )
    written = output is not None and not dry_run and not found.current
    if written:
        _write(output, found.text)
    if door.as_json:
        shown = {"file": str(file), "output": str(output) if output else None, "written": written}
        door.document({**shown, **attrs.asdict(found)})
        return
    _show(door, found, file, output, dry_run=dry_run)


def _reference(written: str) -> str:
    import re

    if not re.fullmatch(r"\$\{(env|file|secret):[^{}]+\}", written):
        # what was given may be the key itself, so it is not repeated
        raise UsageError(
            "--key-reference is no reference", fix="write ${env:NAME}, ${file:PATH} or ${secret:NAME}"
        )
    return written


def _write(output: Path | None, text: str) -> None:
    from yaat_core import durable

    assert output is not None
    try:
        durable.replace(output, text.encode())
    except OSError as error:
        raise UsageError(
            f"can't write {output}: {error.strerror}", fix="name another file with --output"
        ) from None


def _show(door: Door, found: Migrated, file: Path, output: Path | None, *, dry_run: bool) -> None:
    """The new file to stdout unless it goes elsewhere; the report beside it."""
    if found.current:
        door.line(
            f"{mark('yes')} {terminal_safe(str(file))} is of {found.format}, the one that there is: nothing to do"
        )
        return
    to_stdout = output is None and not dry_run
    tell = door.note if to_stdout else door.line
    if to_stdout:
        door.line(terminal_safe(found.text.rstrip("\n"), lines=True))
    _report(found, tell)
    if output is not None and not dry_run:
        tell(f"{mark('yes')} wrote {terminal_safe(str(output))}")
    elif dry_run:
        tell("nothing was written")
    for one in found.needed:
        tell(
            f"{mark('warn')} the key in line {one.line} of the old file has to be {one.reference} where the agent runs"
        )
    for text in found.advice:
        tell(f"{mark('warn')} {text}")


def _report(found: Migrated, tell: Callable[[str], None]) -> None:
    tell(click.style(f"From the {found.format}'s file:", bold=True))
    for what, title in _GROUPS.items():
        notes = [one for one in found.notes if one.what == what]
        if not notes:
            continue
        tell("")
        tell(click.style(f"{title} ({len(notes)})", bold=True))
        for one in notes:
            place = f"line {one.line:<4} {one.key}" if one.line is not None else one.to
            to = f" -> {one.to}" if what == "renamed" else ""
            why = f": {one.why}" if one.why else ""
            tell(f"  {terminal_safe(place + to + why)}")
    tell("")
