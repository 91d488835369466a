"""Components as a person edits them: added, changed, taken out, in whichever file of the configuration they stand."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from yaat_core.config.defaults import default_section
from yaat_core.config.detected import add_detected
from yaat_core.config.editing.files import ConfigFile, ConfigFiles
from yaat_core.config.editing.keys import merged
from yaat_core.config.editing.ordering import reordered
from yaat_core.config.editing.page import Page
from yaat_core.config.editing.paths import PROCESSORS, processor_name
from yaat_core.config.editing.reaching import reach
from yaat_core.config.editing.rendering import same
from yaat_core.config.keys import COMPONENT_NAME
from yaat_core.config.nodes import Table, plain_value
from yaat_core.config.text import shown_name
from yaat_core.errors import UsageError
from yaat_core.guessing import guess
from yaat_core.plugins import Plugins

ComponentKind = Literal["sources", "processors", "sinks"]
KINDS: Final[tuple[ComponentKind, ...]] = ("sources", "processors", "sinks")
ONE: Final[Mapping[str, str]] = {"sources": "source", "processors": "processor", "sinks": "sink"}

Edit = Callable[[ConfigFiles], tuple[ConfigFile, str]]


@attrs.frozen
class Written:
    """A component as it is written, or stands there by default (then ``file`` is None)."""

    kind: ComponentKind
    name: str
    value: Mapping[str, Any]
    file: Path | None
    line: int | None = None


def written_components(files: ConfigFiles, plugins: Plugins, *, detect: bool = True) -> list[Written]:
    """Everything that is configured, in the order of the pipeline; of sections that are not written, their defaults."""
    found: list[Written] = []
    for kind in KINDS:
        there = [one for file, page in files.pages() for one in _of_page(kind, file, page)]
        section = any(isinstance(page.value, dict) and kind in page.value for _, page in files.pages())
        if not section:
            default = default_value(kind, plugins, detect=detect)
            there = [Written(kind, name, value, None) for name, value in _named(kind, default)]
        found += there
    return found


def default_value(kind: ComponentKind, plugins: Plugins, *, detect: bool = True) -> Any:
    """The section as it would be written for what holds by default."""
    node, _ = default_section(kind, plugins.registry, os.environ)
    if kind == "sources" and detect and isinstance(node, Table):
        add_detected(node, plugins)
    return plain_value(node)


def find(files: ConfigFiles, plugins: Plugins, kind: ComponentKind, name: str) -> Written:
    """One by its name.

    Raises:
        UsageError: there is none; names the nearest.
    """
    there = [one for one in written_components(files, plugins) if one.kind == kind]
    found = next((one for one in there if one.name == name), None)
    if found is not None:
        return found
    raise UsageError(f"there is no {ONE[kind]} `{name}`", fix=guess(name, [one.name for one in there]))


def adding(
    kind: ComponentKind,
    name: str,
    value: Mapping[str, Any],
    plugins: Plugins,
    *,
    file: str | None = None,
    before: str | None = None,
    defaults: bool = True,
) -> Edit:
    """An edit that adds a component.

    ``defaults``: a section that is not written yet is written with what holds by default, since a written section takes
    the place of that. ``before``: of processors, the one that it is put before; it becomes the last one otherwise.
    """
    _check_name(kind, name)

    def edit(files: ConfigFiles) -> tuple[ConfigFile, str]:
        there = written_components(files, plugins, detect=False)
        taken = next((one for one in there if (one.kind, one.name) == (kind, name) and one.file), None)
        if taken is not None:
            raise UsageError(
                f"there is a {ONE[kind]} `{name}` in {shown_name(taken.file)} already",
                fix=f"choose another name, or: yaat {kind} edit {name}",
            )
        holder = files.of(Path(file)) if file else _home(files, kind)
        whole = _whole(holder)
        section = _section(files, whole, kind, plugins, defaults=defaults)
        if kind == PROCESSORS:
            if any(processor_name(one) == name for one in section):
                raise UsageError(f"there is a processor `{name}` already", fix="give it another name: --name")
            section = _put_in(section, _as_item(name, value), before)
        else:
            section = {**section, name: dict(value)}
        return holder, reach(holder.text, {**whole, kind: section}, shown_name(holder.path))

    return edit


def changing(
    kind: ComponentKind,
    name: str,
    plugins: Plugins,
    *,
    set: Mapping[str, Any] | None = None,
    unset: Sequence[str] = (),
    value: Mapping[str, Any] | None = None,
    rename: str | None = None,
) -> Edit:
    """An edit that changes a component: some of its keys, or (``value``) the whole of it."""
    if rename is not None:
        _check_name(kind, rename)

    def edit(files: ConfigFiles) -> tuple[ConfigFile, str]:
        there = find(files, plugins, kind, name)
        after = merged(there.value if value is None else value, set or {}, unset)
        holder = files.of(there.file) if there.file else _home(files, kind)
        whole = _whole(holder)
        section = _section(files, whole, kind, plugins, defaults=True)
        if kind == PROCESSORS:
            if rename is not None:
                after = _as_item(rename, {one: after[one] for one in after if one != "name"})
            section = [after if processor_name(one) == name else one for one in section]
        else:
            section = {
                (rename or one if one == name else one): after if one == name else there_too
                for one, there_too in section.items()
            }
        return holder, reach(holder.text, {**whole, kind: section}, shown_name(holder.path))

    return edit


def placing(kind: ComponentKind, name: str, value: Mapping[str, Any], plugins: Plugins) -> Edit:
    """An edit that makes a component what is said, whether or not it is there."""

    def edit(files: ConfigFiles) -> tuple[ConfigFile, str]:
        there = any((one.kind, one.name) == (kind, name) for one in written_components(files, plugins))
        made = changing(kind, name, plugins, value=value) if there else adding(kind, name, value, plugins)
        return made(files)

    return edit


def removing(kind: ComponentKind, name: str, plugins: Plugins) -> Edit:
    """An edit that takes a component out. One that stands there by default goes by writing the others."""

    def edit(files: ConfigFiles) -> tuple[ConfigFile, str]:
        there = find(files, plugins, kind, name)
        holder = files.of(there.file) if there.file else _home(files, kind)
        whole = _whole(holder)
        section = _section(files, whole, kind, plugins, defaults=True)
        if kind == PROCESSORS:
            section = [one for one in section if processor_name(one) != name]
        else:
            section = {one: kept for one, kept in section.items() if one != name}
        return holder, reach(holder.text, {**whole, kind: section}, shown_name(holder.path))

    return edit


def moving(name: str, before: str | None, plugins: Plugins) -> Edit:
    """An edit that puts a processor before another one, or (None) at the end: events go through them in this order."""

    def edit(files: ConfigFiles) -> tuple[ConfigFile, str]:
        there = find(files, plugins, "processors", name)
        holder = files.of(there.file) if there.file else _home(files, "processors")
        whole = _whole(holder)
        section = _section(files, whole, "processors", plugins, defaults=True)
        moved = next(one for one in section if processor_name(one) == name)
        rest = [one for one in section if one is not moved]
        wanted = _put_in(rest, moved, before)
        value = {**whole, "processors": wanted}
        page = holder.page()
        order = [next(n for n, one in enumerate(section) if one is item) for item in wanted]
        text = reordered(page, "processors", order) if "processors" in whole else None
        if text is None or not same(Page.of(text).value, value):
            text = reach(holder.text, value, shown_name(holder.path))
        return holder, text

    return edit


def _check_name(kind: ComponentKind, name: str) -> None:
    if not COMPONENT_NAME.fullmatch(name):
        raise UsageError(
            f"`{name}` can't be a {ONE[kind]}'s name",
            fix="names have letters, digits, _, - and ., begin with a letter, a digit or _, and have at most 64 characters",
        )


def _of_page(kind: ComponentKind, file: ConfigFile, page: Any) -> list[Written]:
    section = page.value.get(kind) if isinstance(page.value, dict) else None
    found = []
    for place, (name, value) in enumerate(_named(kind, section)):
        node = page.find((kind, place if kind == PROCESSORS else name))
        found.append(Written(kind, name, value, file.path, node.start.line + 1 if node else None))
    return found


def _named(kind: ComponentKind, section: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if kind == PROCESSORS:
        items = section if isinstance(section, list) else []
        return [(processor_name(one), one) for one in items if isinstance(one, dict) and processor_name(one)]
    entries = section.items() if isinstance(section, dict) else ()
    return [(name, value if isinstance(value, dict) else {}) for name, value in entries]


def _home(files: ConfigFiles, kind: ComponentKind) -> ConfigFile:
    """Where a new one goes: the main file, unless the section stands in one other file alone."""
    holders = [
        file
        for file, page in files.pages()
        if isinstance(page.value, dict) and page.value.get(kind) is not None
    ]
    return holders[0] if len(holders) == 1 else files.main


def _whole(file: ConfigFile) -> dict[str, Any]:
    value = file.page().value
    if value is not None and not isinstance(value, dict):
        raise UsageError(f"{shown_name(file.path)} is no mapping of keys", fix="mend it: yaat config edit")
    return dict(value or {})


def _section(
    files: ConfigFiles, whole: Mapping[str, Any], kind: ComponentKind, plugins: Plugins, *, defaults: bool
) -> Any:
    empty: Any = [] if kind == PROCESSORS else {}
    section = whole.get(kind)
    if section is None:
        elsewhere = any(isinstance(page.value, dict) and kind in page.value for _, page in files.pages())
        return default_value(kind, plugins) if defaults and not elsewhere else empty
    if not isinstance(section, type(empty)):
        shape = "a list" if kind == PROCESSORS else "a mapping"
        raise UsageError(
            f"`{kind}` must be {shape} before it can be changed", fix="mend it: yaat config edit"
        )
    return section


def _as_item(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    type = value.get("type", "")
    named = {"type": type} if type == name else {"type": type, "name": name}
    return {**named, **{key: one for key, one in value.items() if key not in ("type", "name")}}


def _put_in(section: list[Any], item: dict[str, Any], before: str | None) -> list[Any]:
    if before is None:
        return [*section, item]
    names = [processor_name(one) for one in section]
    if before not in names:
        raise UsageError(f"there is no processor `{before}`", fix=guess(before, names))
    place = names.index(before)
    return [*section[:place], item, *section[place:]]
