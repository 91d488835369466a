"""The effective configuration as it could be written, for `yaat config show`: defaults filled in, secrets masked."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import attrs

from yaat_core.config.fields import keys_of
from yaat_core.config.keys import VERSION
from yaat_core.config.model import Bounds, Configuration, Entry, ProcessorEntry, SinkEntry, SourceEntry
from yaat_core.config.nodes import MASK, KeyPath
from yaat_core.config.options import Duration, Secret, Size


def show(configuration: Configuration) -> dict[str, Any]:
    """JSON-ready and in written forms, in the order of the docs. `load` understands it, but for what is masked.

    A text from ``${secret:...}`` or ``${file:...}`` is ``***``, one from ``${env:...}`` is shown as its reference.
    """
    document: dict[str, Any] = {
        "version": VERSION,
        "service_name": configuration.service_name,
        "environment": configuration.environment,
        "organization_id": configuration.organization_id,
        "state_dir": str(configuration.state_dir),
        "tags": dict(configuration.tags),
        "sources": {name: _source(entry) for name, entry in configuration.sources.items()},
        "processors": {entry.id.name: _processor(entry) for entry in configuration.processors},
        "queue": {**_component(configuration.queue), **_bounds(configuration.queue.bounds)},
        "sinks": {name: _sink(entry) for name, entry in configuration.sinks.items()},
        "dead_letter": written(configuration.dead_letter),
        "plugins": written(configuration.plugins),
        "health": written(configuration.health),
        "reload": written(configuration.reload),
        "shutdown_grace": written(configuration.shutdown_grace),
    }
    shown: dict[str, Any] = _replaced(document, (), configuration.interpolated)
    return {**shown, "processors": list(shown["processors"].values())}


def written(value: Any) -> Any:
    """A value as JSON that reads like the YAML it came from."""
    if isinstance(value, Duration | Size | PurePath):
        return str(value)
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, enum.Enum):
        return written(value.value)
    if attrs.has(type(value)):
        return {
            key.name: MASK
            if key.secret and getattr(value, key.attribute)
            else written(getattr(value, key.attribute))
            for key in keys_of(type(value))
        }
    if isinstance(value, Mapping):
        return {str(name): written(one) for name, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((written(one) for one in value), key=str)
    if isinstance(value, tuple | list):
        return [written(one) for one in value]
    return value


def _component(entry: Entry) -> dict[str, Any]:
    return {"type": entry.type.name, **written(entry.options)}


def _source(entry: SourceEntry) -> dict[str, Any]:
    own = {"service_name": entry.service_name, "environment": entry.environment, "tags": dict(entry.tags)}
    format = {"format": _component(entry.format)} if entry.format else {}
    return {**_component(entry), **format, **{name: value for name, value in own.items() if value}}


def _processor(entry: ProcessorEntry) -> dict[str, Any]:
    sources = {"sources": list(entry.sources)} if entry.sources is not None else {}
    return {"type": entry.type.name, "name": entry.id.name, **sources, **written(entry.options)}


def _sink(entry: SinkEntry) -> dict[str, Any]:
    start = {"from": entry.start} if entry.start else {}
    return {**_component(entry), **start, "queue": _bounds(entry.bounds)}


def _bounds(bounds: Bounds | None) -> dict[str, Any]:
    return {} if bounds is None else dict(written(bounds))


def _replaced(value: Any, path: KeyPath, shown: Mapping[KeyPath, str]) -> Any:
    if path in shown:
        return shown[path]
    if isinstance(value, dict):
        return {name: _replaced(one, (*path, name), shown) for name, one in value.items()}
    if isinstance(value, list):
        # one text may have been written for a list of one
        return [_replaced(one, (*path, index), shown) for index, one in enumerate(value)]
    return value
