"""What a change of a text means: which components, and which keys of the first level."""

from __future__ import annotations

from typing import Any

from yaat_core.config.editing.page import Page
from yaat_core.config.editing.paths import PROCESSORS, processor_name
from yaat_core.config.editing.rendering import same
from yaat_core.config.editing.results import ChangedKey
from yaat_core.config.problems import ConfigError

_SECTIONS = ("sources", PROCESSORS, "sinks")


def changes_between(before: str, after: str) -> list[ChangedKey]:
    """What differs; nothing can be said of a text that is not YAML."""
    try:
        old, new = _parts(Page.of(before).value), _parts(Page.of(after).value)
    except ConfigError:
        return []
    found: list[ChangedKey] = []
    for name in dict.fromkeys([*old, *new]):
        if name not in old:
            found.append(ChangedKey(component=name, what="added"))
        elif name not in new:
            found.append(ChangedKey(component=name, what="removed"))
        elif not same(old[name], new[name]):
            found.append(ChangedKey(component=name, what="changed"))
    return found


def _parts(value: Any) -> dict[str, Any]:
    """By component, or by key: what it says."""
    parts: dict[str, Any] = {}
    for name, one in value.items() if isinstance(value, dict) else ():
        if name == PROCESSORS and isinstance(one, list):
            for place, item in enumerate(one):
                parts[f"{name}.{processor_name(item) or place}"] = item
        elif name in _SECTIONS and isinstance(one, dict):
            parts |= {f"{name}.{below}": item for below, item in one.items()}
        else:
            parts[name] = one
    return parts
