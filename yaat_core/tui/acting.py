"""Any action from the palette: a form for its arguments, a question when it destroys, its result to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from yaat_core.actions.base import Action, Nothing, schema
from yaat_core.control import wire
from yaat_core.errors import UsageError
from yaat_core.tui import cli_line, copying
from yaat_core.tui.widgets.fields import FieldKind, FieldSpec

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell


async def do(shell: Shell, action: Action[Any, Any]) -> None:
    """Ask for what it takes, do it, show what came of it."""
    if action.stream or action.live:
        copying.copy(shell, cli_line.command_line(action, config=shell.config_option), "command")
        return
    given = await _asked(shell, action)
    if given is None:
        return
    if action.danger == "destroy" and not await shell.confirm(
        f"{action.name}?", [action.summary, *_told(given)], yes="Do it", word=action.name.rpartition(".")[2]
    ):
        return
    result = await shell.call(action, given)
    await shell.message(f"{action.name}: {action.summary}", document(result))


async def _asked(shell: Shell, action: Action[Any, Any]) -> Any:
    if action.arguments is Nothing:
        return Nothing()
    fields = fields_of(action.arguments)
    if not fields:
        return action.arguments()
    line = cli_line.command_line(action, config=shell.config_option)
    values = await shell.fill_in(action.name, fields, text=f"{action.summary}\n{line}", yes="Do it")
    return None if values is None else arguments(action, values)


def arguments(action: Action[Any, Any], values: Mapping[str, str]) -> Any:
    """What was typed, as the action's arguments.

    Raises:
        UsageError: a value is not what the action takes.
    """
    kinds = {spec.name: spec for spec in fields_of(action.arguments)}
    given: dict[str, Any] = {}
    for name, text in values.items():
        spec = kinds[name]
        if text == "" and not spec.required:
            continue
        given[name] = text == "yes" if spec.kind == "flag" else text
    try:
        return wire.checked(given, action.arguments, action.name, strict=False)
    except UsageError as error:
        raise UsageError(error.what, fix=f"`{action.command}` on the command line has --help") from None


def fields_of(model: type) -> list[FieldSpec]:
    """The fields of a form for an argument model, from its JSON Schema."""
    found = schema(model)
    described = found["$defs"][model.__name__]
    required = set(described.get("required", ()))
    return [_field(name, facts, name in required) for name, facts in described.get("properties", {}).items()]


def _field(name: str, facts: Mapping[str, Any], required: bool) -> FieldSpec:
    shapes = [facts, *facts.get("anyOf", ())]
    types = {str(one.get("type")) for one in shapes}
    choices = next((one["enum"] for one in shapes if "enum" in one), ())
    kind: FieldKind = "text"
    if choices:
        kind = "choice"
    elif "boolean" in types:
        kind = "flag"
    elif types & {"integer", "number"}:
        kind = "number"
    help_text = next((str(one["description"]) for one in shapes if "description" in one), "")
    default = facts.get("default")
    value = ("yes" if default else "no") if kind == "flag" else "" if default is None else str(default)
    return FieldSpec(
        name=name, kind=kind, help=help_text, required=required, value=value, choices=tuple(map(str, choices))
    )


def _told(given: Any) -> list[str]:
    return [
        f"{field.name}: {getattr(given, field.name)}"
        for field in attrs.fields(type(given))
        if getattr(given, field.name) is not None
    ]


def document(value: Any) -> str:
    """A result as YAML-like text to read."""
    import io

    import msgspec
    from ruamel.yaml import YAML

    plain = msgspec.to_builtins(value)
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.dump(plain, text)
    return text.getvalue().rstrip()
