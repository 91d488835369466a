"""Edits of single keys: ``sources.app.paths`` gets a value, or goes. Each is made on the file that holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from yaat_core.config.editing.files import ConfigFile, ConfigFiles
from yaat_core.config.editing.paths import PROCESSORS, parts, resolved
from yaat_core.config.editing.reaching import reach, with_value, without
from yaat_core.config.nodes import KeyPath, place
from yaat_core.config.text import shown_name
from yaat_core.errors import UsageError


def keys_edit(
    set: Mapping[str, Any], unset: Sequence[str] = (), file: str | None = None
) -> Callable[[ConfigFiles], tuple[ConfigFile, str]]:
    """An edit that sets some keys and takes others out. All must stand in one file.

    Raises (the edit):
        UsageError: a path that is none, is not there, or they belong to several files.
        ConfigError: the file is not YAML.
    """

    def edit(files: ConfigFiles) -> tuple[ConfigFile, str]:
        paths = {written: parts(written) for written in (*set, *unset)}
        found = files.of(_path(file)) if file else _file_of(files, list(paths.values()))
        page = found.page()
        value = page.value if page.value is not None else {}
        for written, one in set.items():
            value = _set(value, paths[written], one)
        for written in unset:
            value = _unset(value, paths[written], found)
        return found, reach(found.text, value, shown_name(found.path))

    return edit


def merged(there: Mapping[str, Any], set: Mapping[str, Any], unset: Sequence[str]) -> dict[str, Any]:
    """A component's mapping with some of its keys set (by their path below it) and others taken out.

    Raises:
        UsageError: as `keys_edit`.
    """
    value: Any = dict(there)
    for written, one in set.items():
        value = _set(value, parts(written), one)
    for written in unset:
        value = _unset(value, parts(written), None)
    return dict(value)


def _set(value: Any, path: KeyPath, one: Any) -> Any:
    try:
        return with_value(value, resolved(path, value), one)
    except LookupError:
        raise UsageError(f"`{place(path)}` can't be set: what is above it has no such place") from None


def _unset(value: Any, path: KeyPath, file: ConfigFile | None) -> Any:
    try:
        return without(value, resolved(path, value))
    except LookupError:
        where = f" in {shown_name(file.path)}" if file else ""
        raise UsageError(
            f"`{place(path)}` is not set{where}: nothing to take out", fix="see `yaat config show`"
        ) from None


def _file_of(files: ConfigFiles, paths: Sequence[KeyPath]) -> ConfigFile:
    holders = {files.holding(_component(path)) or _section_file(files, path) for path in paths}
    if len(holders) > 1:
        names = " and ".join(sorted(shown_name(one.path) for one in holders))
        raise UsageError(f"these keys stand in several files: {names}", fix="change them one file at a time")
    return holders.pop() if holders else files.main


def _section_file(files: ConfigFiles, path: KeyPath) -> ConfigFile:
    """What is new goes to the main file, unless only another one has its section."""
    holder = files.holding(path[:1])
    return holder if holder is not None and path[0] not in ("sources", "sinks", "tags") else files.main


def _component(path: KeyPath) -> KeyPath:
    return (
        path if path[0] in ("sources", "sinks", "tags") else path[:2] if path[0] == PROCESSORS else path[:1]
    )


def _path(file: str) -> Any:
    from pathlib import Path

    return Path(file)
