"""Which texts of a configuration are secrets: for those who must keep them out of what they write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from yaat_core.config.fields import keys_of
from yaat_core.config.model import Configuration
from yaat_core.config.nodes import MASK, KeyPath
from yaat_core.config.options import Secret


def secret_values(configuration: Configuration) -> frozenset[str]:
    """Values of secret options, and texts from files and secret stores."""
    whole = configuration
    sections: list[tuple[KeyPath, Any]] = [
        *((("sources", name), entry.options) for name, entry in whole.sources.items()),
        *(
            (("sources", name, "format"), one.format.options)
            for name, one in whole.sources.items()
            if one.format
        ),
        *((("processors", entry.id.name), entry.options) for entry in whole.processors),
        *((("sinks", name), entry.options) for name, entry in whole.sinks.items()),
        (("queue",), whole.queue.options),
    ]
    hidden = {path for path, shown in whole.interpolated.items() if shown == MASK}
    return frozenset(
        value for path, options in sections for value in _found(options, path, hidden, secret=False) if value
    )


def _found(value: Any, path: KeyPath, hidden: set[KeyPath], *, secret: bool) -> Iterator[str]:
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, str):
        if secret or path in hidden:
            yield value
    elif attrs.has(type(value)):
        for key in keys_of(type(value)):
            inner = getattr(value, key.attribute)
            yield from _found(inner, (*path, key.name), hidden, secret=secret or key.secret)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _found(inner, (*path, name), hidden, secret=secret)
    elif isinstance(value, tuple | list | set | frozenset):
        for index, inner in enumerate(value):
            yield from _found(inner, (*path, index), hidden, secret=secret)
