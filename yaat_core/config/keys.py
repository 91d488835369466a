"""The keys that the core itself understands: of the file, and of every source, processor, queue and sink.

A plugin's config class adds its own to these; it can't use their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from yaat_core.components import Kind
from yaat_core.config.fields import defaults_of, keys_of
from yaat_core.config.model import (
    DeadLetterSettings,
    HealthSettings,
    PluginSettings,
    ReloadSettings,
    WhenFull,
)
from yaat_core.config.nodes import Node
from yaat_core.config.options import Duration, Size, configuration, option, positive

#: The only version of the format so far.
VERSION: Final = 1
#: Processors of this type are gathered behind all others, so that nothing brings a secret back.
SCRUB: Final = "scrub"
#: A name of a component in the file.
COMPONENT_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def _filled(_instance: Any, _attribute: Any, value: str) -> None:
    if not value.strip() or value != value.strip():
        raise ValueError("must be a text that is not empty and has no space at its ends")


def _own_tags(_instance: Any, _attribute: Any, value: Mapping[str, str]) -> None:
    reserved = [name for name in value if name.startswith("yaat.") or not name.strip()]
    if reserved:
        raise ValueError(f"must not hold `{reserved[0]}`: tag names are not empty, and yaat.* is reserved")


@configuration
class BoundsKeys:
    """How much may wait for a sink, for how long, and what happens beyond."""

    max_bytes: Size = option("1GiB", help="How much may wait for a sink on disk.", validator=positive)
    retention: Duration | None = option(
        "24h", help="How long an event may wait for a sink; `none`: as long as it takes.", validator=positive
    )
    when_full: WhenFull = option(
        None,
        help="Beyond that: `block` stops the sources, `drop_oldest` and `drop_newest` drop and count. "
        "By default `block` for a local sink, `drop_oldest` for a remote one.",
        example="block",
    )


@configuration
class QueueKeys(BoundsKeys):
    """The queue; its bounds hold for every sink that has none of its own."""

    type: str = option("leveldb", help="Type of the queue.")


@configuration
class SourceKeys:
    """What every source has."""

    type: str = option(help="Type of the source.", example="file")
    format: Node = option(
        None,
        help="How its lines are read: the name of a format, or a mapping with `type` and options; "
        "`raw`: the line is the message.",
        example="auto",
    )
    service_name: str = option("", help="Service of its events that name none.", example="shop")
    environment: str = option("", help="Environment of its events that name none.", example="staging")
    tags: Mapping[str, str] = option(
        factory=dict,
        help="Tags for its events; an event's own win.",
        example={"tier": "front"},
        validator=_own_tags,
    )


@configuration
class ProcessorKeys:
    """What every processor has."""

    type: str = option(help="Type of the processor.", example="scrub")
    name: str = option("", help="Its name, unique in the list; its type by default.")
    sources: tuple[str, ...] = option(
        None, help="Names of the sources whose events go through it; all by default.", example=["app"]
    )


@configuration
class FormatKeys:
    """A source's `format` when written as a mapping."""

    type: str = option(help="The format: a processor type that reads lines.", example="json")


@configuration
class SinkKeys:
    """What every sink has."""

    type: str = option(help="Type of the sink.", example="duckdb")
    from_: Literal["oldest", "now"] = option(
        None,
        help="Where a new sink begins: with the oldest event that is queued, or with what comes from now on. "
        "By default `oldest` in a new state directory, else `now`.",
        example="oldest",
    )
    queue: Node = option(
        None,
        help="Bounds of its own: `max_bytes`, `retention`, `when_full` as in the top-level `queue`.",
        example={"max_bytes": "10GiB", "when_full": "drop_oldest"},
    )


@configuration
class FileKeys:
    """The file as a whole. An empty one is valid: every key has a default."""

    version: int = option(VERSION, help="Version of the format of this file.")
    service_name: str = option(
        "host", help="Service of events that name none and whose source names none.", validator=_filled
    )
    environment: str = option("production", help="Environment of events that name none.", validator=_filled)
    organization_id: str = option("local", help="Tenant; a backend fills in its own.", validator=_filled)
    state_dir: str = option(
        "",
        help="Folder of queue, database and positions, relative to this file. "
        "By default /var/lib/yaat for root, else ~/.local/state/yaat.",
        example="./state",
    )
    include: tuple[str, ...] = option(
        (),
        help="More files, by path or pattern, relative to this one: what they configure joins what stands here.",
        example=["conf.d/*.yaml"],
    )
    tags: Mapping[str, str] = option(
        factory=dict,
        help="Tags for every event; an event's own win.",
        example={"team": "payments"},
        validator=_own_tags,
    )
    dead_letter: DeadLetterSettings = option(
        factory=lambda: defaults_of(DeadLetterSettings), help="Where events go that a sink refused for good."
    )
    plugins: PluginSettings = option(
        factory=lambda: defaults_of(PluginSettings), help="Which plugins are used."
    )
    health: HealthSettings = option(factory=lambda: defaults_of(HealthSettings), help="The health endpoints.")
    reload: ReloadSettings = option(
        factory=lambda: defaults_of(ReloadSettings),
        help="When a running agent takes up changes of its configuration.",
    )
    shutdown_grace: Duration = option(
        "10s", help="How long the agent goes on delivering after it was told to stop.", validator=positive
    )


#: The sections of the file that hold components: name to help.
SECTIONS: Final[Mapping[Kind, str]] = {
    "sources": "What is read: name to source. By default readable logs under /var/log.",
    "processors": "What events go through, in this order, `scrub` always last. By default secrets are scrubbed.",
    "queue": "The durable queue between processors and sinks.",
    "sinks": "Where events go: name to sink. By default a local DuckDB.",
}

#: By kind: the class with the core's keys.
CORE: Final[Mapping[Kind, type]] = {
    "sources": SourceKeys,
    "processors": ProcessorKeys,
    "queue": QueueKeys,
    "sinks": SinkKeys,
}


def core_keys(kind: Kind) -> set[str]:
    """Names that a plugin's option can't have."""
    return {key.name for key in keys_of(CORE[kind])}
