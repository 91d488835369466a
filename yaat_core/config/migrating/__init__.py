"""Older configuration files as new ones, with a report of what became of each key.

    report.py    what comes of it
    old.py       the old file while it is translated
    sidecar.py   the first agent's file
    rules.py     its scrub rules

There is one version of our own format so far. A second one adds a step from version 1, tried here before the first agent's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from yaat_core.config.keys import SECTIONS, VERSION
from yaat_core.config.loading import load
from yaat_core.config.migrating.report import Migrated, Needed, Note
from yaat_core.config.nodes import Node, Scalar, Table
from yaat_core.config.parsing import parse
from yaat_core.config.problems import ConfigError, in_order
from yaat_core.errors import UsageError
from yaat_core.plugins import Plugins

__all__ = ["KEY_REFERENCE", "Migrated", "Needed", "Note", "migrate"]

#: What stands in place of the API key.
KEY_REFERENCE: Final = "${env:YAAT_API_KEY}"
_OURS: Final = frozenset((*SECTIONS, "version", "state_dir", "include", "dead_letter", "plugins", "health"))
#: In place of a secret while the new file is tried: what it refers to need not be there yet.
_STAND_IN: Final = "YAAT_MIGRATE_STAND_IN"
_ADVICE: Final = (
    "let the first agent send what it has queued before you stop it: its queue is not taken over",
    "each source goes on where it stopped; the first agent began at the end at every start",
)


def migrate(
    text: str,
    name: str,
    plugins: Plugins,
    *,
    folder: Path,
    key_reference: str = KEY_REFERENCE,
    start_at: str = "end",
) -> Migrated:
    """What ``text`` is as a file of this version, in ``folder``. The result was loaded: it is valid with these plugins.

    ``name`` is the old file's, for messages. ``key_reference`` stands in place of the API key. ``start_at``: where logs
    begin that were never read by this yaat, `end` as the first agent, or `beginning`.

    Raises:
        ConfigError: the old file is no YAML, or nothing valid can be made of it.
        UsageError: it is of a version that this yaat does not know, or no configuration.
    """
    from yaat_core.config.migrating.sidecar import OWN_KEYS, translate

    root = _root(text, name)
    if root is None or not OWN_KEYS & set(root.entries) or _OURS & set(root.entries):
        return _ours(text, name, root)
    path = folder / "yaat.yaml"
    made = translate(
        root,
        lambda part, key: _wrong(part, key, path, plugins, key_reference),
        key_reference=key_reference,
        start_at=start_at,
    )
    written = _written(made.new, made.needed)
    _load(written, path, plugins, key_reference)
    return Migrated(
        format="first agent",
        current=False,
        text=written,
        notes=made.old.in_order(),
        needed=made.needed,
        advice=_ADVICE,
    )


def _root(text: str, name: str) -> Table | None:
    document = parse(text, name)
    if document.misfits:
        raise ConfigError(in_order(document.misfits))
    root = document.root
    if root is None or (isinstance(root, Scalar) and root.value is None):
        return None
    if not isinstance(root, Table):
        raise UsageError(f"{name} is no configuration: it is no mapping of keys")
    return root


def _ours(text: str, name: str, root: Table | None) -> Migrated:
    version: Node | None = root.get("version") if root is not None else None
    number = version.value if isinstance(version, Scalar) else VERSION
    if number != VERSION:
        later = isinstance(number, int) and number > VERSION
        raise UsageError(
            f"{name} says version {number if isinstance(number, int) else 'that is no number'}; "
            f"there is only version {VERSION} so far",
            fix="update yaat" if later else f"write version: {VERSION}",
        )
    return Migrated(format=f"version {VERSION}", current=True, text=text)


def _wrong(part: Mapping[str, Any], key: str, path: Path, plugins: Plugins, key_reference: str) -> str:
    """What is wrong with a part of the new file below ``key``."""
    from yaat_core.config.problems import ConfigProblem

    try:
        _load(_written({"sources": {}, **part}, []), path, plugins, key_reference)
    except ConfigError as error:
        found: list[ConfigProblem] = [one for one in error.problems if one.key.startswith(key)]
        return f"{found[0].what}; {found[0].fix}".rstrip("; ") if found else ""
    return ""


def _load(written: str, path: Path, plugins: Plugins, key_reference: str) -> None:
    trial = written.replace(key_reference, f"${{env:{_STAND_IN}}}")
    environ = {**os.environ, _STAND_IN: "a-key-in-its-place"}
    load(path, plugins, environ=environ, detect=False, texts={Path(os.path.abspath(path)): trial})


def _written(new: Mapping[str, Any], needed: list[Needed]) -> str:
    from yaat_core.config.editing.rendering import entry

    head = ["# Made by `yaat config migrate` from the first agent's file."]
    head += [f"# The API key is not in this file: {one.reference} has to be it." for one in needed]
    lines = [line for name, value in {"version": VERSION, **new}.items() for line in entry(name, value, 0)]
    return "\n".join([*head, *lines]) + "\n"
