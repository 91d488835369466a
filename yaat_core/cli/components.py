"""`yaat sources`, `yaat processors` and `yaat sinks`: the same commands for three kinds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from yaat_core.cli import completing
from yaat_core.cli.door import Door, DoorCommand, DoorGroup
from yaat_core.cli.editing import change, dry_run_option, run, yes_option
from yaat_core.cli.marks import mark
from yaat_core.cli.table import table, terminal_width
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.actions.components import Components
    from yaat_core.sampling import Tested

_EXAMPLES: Final = {
    "sources": ("app", "file", "paths='[/var/log/app/*.log]'"),
    "processors": ("noise", "filter", "drop=\"level = 'debug'\""),
    "sinks": ("archive", "duckdb", "path=archive.duckdb"),
}
_MARKS: Final = {"ok": "yes", "done": "yes", "down": "error", "retrying": "warn", "paused": "warn"}

_FIELDS: Final = (
    "timestamp",
    "level",
    "service_name",
    "message",
    "operation",
    "status_code",
    "duration_ms",
    "tags",
)

set_option = click.option(
    "--set", "set_", multiple=True, metavar="KEY=VALUE", help="An option, its value in YAML; may be repeated."
)
file_option = click.option(
    "--file", type=click.Path(path_type=Path), help="The included file that it is written to."
)


def group(kind: str) -> DoorGroup:
    """The commands for a kind."""
    one = kind.removesuffix("s")
    made = DoorGroup(kind, help=f"The {kind} of the configuration: list, add, change, test.")
    for command in (
        _list(kind, one),
        _add(kind, one),
        _edit(kind, one),
        _remove(kind, one),
        _test(kind, one),
    ):
        made.add_command(command)
    if kind == "processors":
        made.add_command(_move())
    return made


def _name(kind: str) -> click.Argument:
    return click.Argument(["name"], shell_complete=completing.components(kind))


def _list(kind: str, one: str) -> click.Command:
    def list_(door: Door) -> None:
        from yaat_core.actions.components import COMPONENTS_LIST, ListGiven

        found = run(door, COMPONENTS_LIST, ListGiven(kind=kind))  # type: ignore[arg-type]
        door.result(found, lambda: _show(door, found))

    return DoorCommand(
        "list",
        callback=click.pass_obj(list_),
        help=f"Every {one}: its type, where it is written, and how it is when an agent runs.",
        example=f"yaat {kind} list\nyaat {kind} list --json",
    )


def _show(door: Door, found: Components) -> None:
    rows = []
    for one in found.components:
        rates = one.rates
        rows.append(
            [
                one.name,
                one.type,
                one.status.state if one.status else ("" if found.running else "not running"),
                f"{rates.in_:.1f}" if rates else "",
                f"{_shown(one.file)}:{one.line}" if one.file else "by default",
                (one.status.detail or "") if one.status else "",
            ]
        )
    width = terminal_width() - 2 if door.on_terminal else None
    lines = table(["name", "type", "state", "in/s", "written in", "detail"], rows, width=width)
    door.line("  " + click.style(next(lines), bold=True))
    for one, line in zip(found.components, lines, strict=True):
        kind = _MARKS.get(one.status.state, "off") if one.status else "off"
        door.line(f"{mark(kind)} {line}")


def _shown(file: str) -> str:
    from yaat_core.config.text import shown_name

    return shown_name(Path(file))


def _add(kind: str, one: str) -> click.Command:
    def add(
        door: Door,
        *,
        name: str,
        type_: str | None,
        set_: tuple[str, ...],
        file: Path | None,
        before: str | None = None,
        from_detection: str | None = None,
        only: bool,
        yes: bool,
        dry_run: bool,
    ) -> int:
        from yaat_core.actions.components import COMPONENTS_ADD, AddGiven
        from yaat_core.cli.filling import fill_in
        from yaat_core.cli.values import assigned

        options: Mapping[str, Any] = _nested(assigned(set_))
        if from_detection is not None:
            options = {**_detected(door, from_detection), **options}
            type_ = type_ or str(options.get("type"))
        type_, options = fill_in(door, kind, type_, options)
        given = AddGiven(
            kind=kind,  # type: ignore[arg-type]
            name=name,
            type=type_,
            options=options,
            before=before,
            file=str(file) if file else None,
            keep_defaults=not only,
        )
        return change(door, COMPONENTS_ADD, given, yes=yes, dry_run=dry_run)

    name, type, setting = _EXAMPLES[kind]
    params: list[click.Parameter] = [
        click.Argument(["name"]),
        click.Option(
            ["--type", "type_"],
            shell_complete=completing.types(kind),
            help=f"Type of the {one}; asked for on a terminal: yaat plugins list.",
        ),
    ]
    if kind == "processors":
        params.append(
            click.Option(
                ["--before"],
                shell_complete=completing.components(kind),
                help="The processor that it comes before; the last one by default.",
            )
        )
    if kind == "sources":
        detection = click.Option(
            ["--from-detection"],
            metavar="NAME",
            help="As the detection of this name would be read: yaat detect.",
        )
        params.append(detection)
    made = DoorCommand(
        "add",
        callback=click.pass_obj(add),
        params=params,
        help=f"Add a {one} to the configuration, with the rest of the file as it is.\n\n"
        "Shows the difference and asks. A section that is not written yet is written with what holds by default, since "
        "a written section takes its place; --only leaves that out.",
        example=f"yaat {kind} add {name} --type {type} --set {setting}\n"
        f"yaat {kind} add {name} --type {type} --set {setting} --dry-run",
    )
    only = click.option("--only", is_flag=True, help="Don't write out what holds by default.")
    return _with(made, set_option, file_option, only, dry_run_option, yes_option)


def _edit(kind: str, one: str) -> click.Command:
    def edit(
        door: Door,
        *,
        name: str,
        set_: tuple[str, ...],
        unset: tuple[str, ...],
        rename: str | None,
        yes: bool,
        dry_run: bool,
    ) -> int:
        from yaat_core.actions.components import COMPONENTS_EDIT, EditGiven
        from yaat_core.cli.values import assigned

        value = None
        if not set_ and not unset and rename is None:
            value = _in_editor(door, kind, name)
        given = EditGiven(
            kind=kind,  # type: ignore[arg-type]
            name=name,
            set=assigned(set_),
            unset=list(unset),
            value=value,
            rename=rename,
        )
        return change(door, COMPONENTS_EDIT, given, yes=yes, dry_run=dry_run)

    name, _, setting = _EXAMPLES[kind]
    made = DoorCommand(
        "edit",
        callback=click.pass_obj(edit),
        params=[_name(kind)],
        help=f"Change a {one}: with --set and --unset, or in $EDITOR.\n\nShows the difference and asks.",
        example=f"yaat {kind} edit {name}\nyaat {kind} edit {name} --set {setting} --yes",
    )
    unset = click.option(
        "--unset", multiple=True, metavar="KEY", help="An option that goes; may be repeated."
    )
    rename = click.option("--rename", metavar="NAME", help="Its new name.")
    return _with(made, set_option, unset, rename, dry_run_option, yes_option)


def _remove(kind: str, one: str) -> click.Command:
    def remove(door: Door, *, name: str, yes: bool, dry_run: bool) -> int:
        from yaat_core.actions.components import COMPONENTS_REMOVE, RemoveGiven

        return change(
            door,
            COMPONENTS_REMOVE,
            RemoveGiven(kind=kind, name=name),  # type: ignore[arg-type]
            yes=yes,
            dry_run=dry_run,
        )

    name, _, _ = _EXAMPLES[kind]
    made = DoorCommand(
        "remove",
        callback=click.pass_obj(remove),
        params=[_name(kind)],
        help=f"Take a {one} out of the configuration.\n\n"
        "Shows the difference and asks; `yaat config undo` brings it back.",
        example=f"yaat {kind} remove {name}\nyaat {kind} remove {name} --yes",
    )
    return _with(made, dry_run_option, yes_option)


def _move() -> click.Command:
    def move(door: Door, *, name: str, before: str | None, yes: bool, dry_run: bool) -> int:
        from yaat_core.actions.ordering import COMPONENTS_MOVE, MoveGiven

        return change(door, COMPONENTS_MOVE, MoveGiven(name=name, before=before), yes=yes, dry_run=dry_run)

    made = DoorCommand(
        "move",
        callback=click.pass_obj(move),
        params=[
            click.Argument(["name"]),
            click.Option(["--before"], metavar="NAME", help="The processor that it is put before; the last place by default."),
        ],
        help="Put a processor elsewhere in their order: events go through them from the first to the last.\n\n"
        "Shows the difference and asks.",
        example="yaat processors move noise --before scrub\nyaat processors move noise",
    )  # fmt: skip
    return _with(made, dry_run_option, yes_option)


def _test(kind: str, one: str) -> click.Command:
    def test(door: Door, *, name: str, lines: int, seconds: float, source: str | None = None) -> int:
        from yaat_core.actions.components import COMPONENTS_TEST, TestGiven

        given = TestGiven(kind=kind, name=name, lines=lines, seconds=seconds, source=source)  # type: ignore[arg-type]
        found = run(door, COMPONENTS_TEST, given)
        door.result(found, lambda: _show_tested(door, found))
        return 0 if found.ok else 1

    name, _, _ = _EXAMPLES[kind]
    params: list[click.Parameter] = [
        _name(kind),
        click.Option(["--lines"], type=click.IntRange(1, 200), default=20, help="Lines at most."),
        click.Option(["--seconds"], type=click.FloatRange(0.1, 60), default=5.0, help="How long to read."),
    ]
    if kind == "processors":
        params.append(
            click.Option(
                ["--source"],
                shell_complete=completing.components("sources"),
                help="The source whose lines it gets.",
            )
        )
    does = {
        "sources": "Read sample lines of a source through its format, the processors and the redaction.",
        "processors": "Send sample lines of a source through the pipeline, up to and beyond this processor.",
        "sinks": "Check a sink step by step: can it be reached, does it take what it is given?",
    }
    return DoorCommand(
        "test",
        callback=click.pass_obj(test),
        params=params,
        help=f"{does[kind]}\n\nKeeps nothing, changes nothing, binds no port. Exit code 1: something is wrong.",
        example=f"yaat {kind} test {name}\nyaat {kind} test {name} --json",
    )


def _show_tested(door: Door, found: Tested) -> None:
    for line in found.lines:
        event = line.event or {}
        kind = "yes" if line.parsed else "off" if found.parsed_share is None else "warn"
        door.line(f"{mark(kind)} {terminal_safe(line.raw)}")
        if line.event is None:
            door.line("    dropped")
        elif line.parsed:
            told = {
                key: value for key, value in event.items() if key in _FIELDS and value not in (None, "", {})
            }
            door.line("    " + terminal_safe("  ".join(f"{key}={value}" for key, value in told.items())))
    if found.lines:
        share = "" if found.parsed_share is None else f", {found.parsed_share:.0%} parsed"
        door.line(f"{len(found.lines)} lines, format {terminal_safe(found.format)}{share}")
    for component, count in found.dropped.items():
        door.line(f"{terminal_safe(component)} dropped {count}")
    for step in found.passed:
        door.line(f"{mark('yes')} {terminal_safe(step)}")
    for finding in found.findings:
        door.line(f"{mark('error' if finding.level == 'error' else 'warn')} {terminal_safe(finding.problem)}")
        if finding.advice:
            door.line(f"    fix: {terminal_safe(finding.advice)}")
    for note in found.notes:
        door.line(f"{mark('off')} {terminal_safe(note)}")
    door.line(
        f"{mark('yes')} {terminal_safe(found.component)} works" if found.ok else f"{mark('error')} not well"
    )


def _with(command: click.Command, *options: Any) -> click.Command:
    for option in options:
        option(command)
    return command


def _detected(door: Door, name: str) -> dict[str, Any]:
    """What is read of a detected service by default."""
    from yaat_core.cli.editing import place_of
    from yaat_core.config.editing.components import default_value
    from yaat_core.errors import UsageError
    from yaat_core.guessing import guess

    found = default_value("sources", place_of(door).plugins)
    if name not in found:
        raise UsageError(
            f"no source `{name}` was detected",
            fix=f"{guess(name, found, 'detected')} `yaat detect` shows all",
        )
    return dict(found[name])


def _nested(flat: dict[str, Any]) -> dict[str, Any]:
    """``queue.max_bytes=1GiB`` as a mapping."""
    from yaat_core.config.editing.keys import merged

    return merged({}, flat, ())


def _in_editor(door: Door, kind: str, name: str) -> dict[str, Any]:
    """What a person made of the component in an editor."""
    from yaat_core.actions.components import COMPONENTS_GET, GetGiven
    from yaat_core.cli.editor import edited_text
    from yaat_core.cli.values import value_of
    from yaat_core.config.editing.rendering import entry
    from yaat_core.errors import UsageError

    there = run(door, COMPONENTS_GET, GetGiven(kind=kind, name=name))  # type: ignore[arg-type]
    lines = [line for key, value in there.value.items() for line in entry(key, value, 0)]
    text = edited_text("\n".join(lines) + "\n", name)
    value = value_of(text, f"{kind}.{name}")
    if not isinstance(value, dict):
        raise UsageError(f"{terminal_safe(name)} must be a mapping of options with its `type`")
    return value


sources = group("sources")
processors = group("processors")
sinks = group("sinks")
