"""Which texts of a configuration are secret by their option: for those who must keep them out of what they write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from yaat_core.config.fields import keys_of
from yaat_core.config.model import Configuration
from yaat_core.config.options import Secret


def secret_values(configuration: Configuration) -> frozenset[str]:
    """Values of options that are ``secret``, wherever they came from."""
    whole = configuration
    entries = [
        *whole.sources.values(),
        *(one.format for one in whole.sources.values() if one.format),
        *whole.processors,
        *whole.sinks.values(),
        whole.queue,
    ]
    return frozenset(value for entry in entries for value in _found(entry.options, secret=False) if value)


def _found(value: Any, *, secret: bool) -> Iterator[str]:
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, str):
        if secret:
            yield value
    elif attrs.has(type(value)):
        for key in keys_of(type(value)):
            yield from _found(getattr(value, key.attribute), secret=secret or key.secret)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _found(one, secret=secret)
    elif isinstance(value, tuple | list | set | frozenset):
        for one in value:
            yield from _found(one, secret=secret)
