"""Changes of components as the command lines that make them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from yaat_core.config.editing.typed import assignments


def add(
    kind: str, name: str, value: Mapping[str, Any], *, config: str = "", before: str | None = None
) -> str:
    """``yaat sources add app --type file --set paths='[...]'``."""
    options = {key: one for key, one in value.items() if key not in ("type", "name")}
    place = ["--before", before] if before else []
    return _line(kind, "add", name, ["--type", str(value.get("type", "")), *place, *_set(options)], config)


def edit(
    kind: str,
    name: str,
    given: Mapping[str, Any],
    gone: Sequence[str],
    rename: str | None,
    *,
    config: str = "",
) -> str:
    """``yaat sources edit app --set poll=2s --unset tags``."""
    words = [*_set(given), *(word for one in gone for word in ("--unset", one))]
    return _line(kind, "edit", name, [*words, *(["--rename", rename] if rename else [])], config)


def named(kind: str, verb: str, name: str, *, config: str = "") -> str:
    """``yaat sources test app``."""
    return _line(kind, verb, name, [], config)


def _set(options: Mapping[str, Any]) -> list[str]:
    return [word for one in assignments(options) for word in ("--set", one)]


def _line(kind: str, verb: str, name: str, words: Sequence[str], config: str) -> str:
    return shlex.join(["yaat", kind, verb, name, *words, *(["-c", config] if config else [])])
