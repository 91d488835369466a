"""Secrets that are known by value: those of the configuration and of the environment."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from yaat_core.config.fields import keys_of
from yaat_core.config.model import Configuration
from yaat_core.config.nodes import MASK, KeyPath, place
from yaat_core.config.options import Secret

#: Shorter values are not looked for: they would be found in the middle of words. Their keys are masked all the same.
SHORTEST: Final = 6
#: Names of keys and variables whose values are secret.
NAMED: Final = re.compile(
    r"^(?!(?:OLD)?PWD$).*(?:pass(?:word|wd|phrase)?(?:$|[^a-z])|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization"
    r"|(?:^|[_-])(?:auth|key|cookie|session|dsn|signature|salt|hmac|bearer)(?:$|[_-]))",
    re.IGNORECASE,
)


def secrets(whole: Configuration | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Value to what it is: every secret that the configuration or the environment holds, also as it may be written."""
    found: dict[str, str] = {}
    for name, value in environ.items():
        if NAMED.search(name):
            _add(found, value, name)
    if whole is not None:
        for path, text in _texts(whole):
            if _is_secret(path, text, whole):
                _add(found, text.reveal() if isinstance(text, Secret) else text, place(path))
    return found


def _is_secret(path: KeyPath, text: str | Secret, whole: Configuration) -> bool:
    shown = whole.interpolated.get(path, "")
    named = any(isinstance(part, str) and NAMED.search(part) for part in path[1:])
    return isinstance(text, Secret) or shown == MASK or bool(NAMED.search(shown)) or named


def _texts(whole: Configuration) -> Iterator[tuple[KeyPath, str | Secret]]:
    """Every text of the configuration with the path of its key."""
    yield from _below(("tags",), dict(whole.tags))
    for kind, entries in (
        ("sources", whole.sources.values()),
        ("processors", whole.processors),
        ("sinks", whole.sinks.values()),
    ):
        for entry in entries:
            yield from _below((kind, entry.id.name), entry.options)
    for source in whole.sources.values():
        yield from _below(("sources", source.id.name, "tags"), dict(source.tags))
        if source.format is not None:
            yield from _below(("sources", source.id.name, "format"), source.format.options)
    yield from _below(("queue",), whole.queue.options)


def _below(path: KeyPath, value: Any) -> Iterator[tuple[KeyPath, str | Secret]]:
    if isinstance(value, str | Secret):
        yield path, value
    elif attrs.has(type(value)):
        for key in keys_of(type(value)):
            one = getattr(value, key.attribute)
            if key.secret and isinstance(one, str) and one:
                one = Secret(one)
            yield from _below((*path, key.name), one)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _below((*path, str(name)), one)
    elif isinstance(value, list | tuple | set | frozenset):
        for index, one in enumerate(value):
            yield from _below((*path, index), one)


def _add(found: dict[str, str], value: str, name: str) -> None:
    lines = [line.strip() for line in value.splitlines()]
    for one in {value, *(line for line in lines if len(line) >= 2 * SHORTEST)}:
        for written in _written(one):
            if len(written) >= SHORTEST:
                found.setdefault(written, name)


def _written(value: str) -> Iterator[str]:
    """The value as it is, in JSON, in an address, and in base64."""
    yield value
    yield json.dumps(value)[1:-1]
    yield urllib.parse.quote(value, safe="")
    yield base64.b64encode(value.encode("utf-8", "surrogateescape")).decode().rstrip("=")
