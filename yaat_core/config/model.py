"""The configuration as typed values: what `yaat_core.config.load` returns. Nothing here reads a file.

Everything is resolved: paths are absolute, defaults filled, component types found, options structured into
the plugin's config class. Keys and their meaning are those of ``docs/configuration.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs

from yaat_core.components import ComponentId, Kind
from yaat_core.config.nodes import KeyPath
from yaat_core.config.options import Duration, Size, configuration, option, positive
from yaat_core.config.problems import ConfigProblem
from yaat_core.registry import ComponentType

WhenFull = Literal["block", "drop_oldest", "drop_newest"]


@attrs.frozen(kw_only=True)
class Bounds:
    """How much may wait for a sink, for how long, and what happens beyond."""

    max_bytes: Size
    retention: Duration | None
    """None: `none` was written, nothing expires by age."""
    when_full: WhenFull


@attrs.frozen(kw_only=True)
class Entry:
    """One configured component: its id, its type and the options for the type's factory."""

    id: ComponentId
    type: ComponentType
    options: Any


@attrs.frozen(kw_only=True)
class ProcessorEntry(Entry):
    """A processor; ``sources`` limits it to some sources (by name), None means all."""

    sources: tuple[str, ...] | None = None


@attrs.frozen(kw_only=True)
class SourceEntry(Entry):
    """A source with what the core does for it: a parse step of its own, defaults for its events."""

    format: ProcessorEntry | None = None
    """None: the line is the message, since `raw` is written or no `format` at all (``format_given`` tells)."""
    format_given: bool = False
    service_name: str = ""
    environment: str = ""
    tags: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class QueueEntry(Entry):
    """The queue; ``bounds`` hold for sinks that have none of their own."""

    bounds: Bounds | None = None


@attrs.frozen(kw_only=True)
class SinkEntry(Entry):
    """A sink with its own bounds. ``start`` None: `oldest` in a new state directory, else `now`."""

    bounds: Bounds
    start: Literal["oldest", "now"] | None = None


def _address(_instance: Any, _attribute: Any, value: str) -> None:
    host, colon, port = value.rpartition(":")
    if value != "off" and not (colon and host and port.isdecimal() and int(port) < 65_536):
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:9477, or off")


@configuration
class DeadLetterSettings:
    """Where events go that a sink refused for good."""

    path: str = option("dead", help="Folder, relative to state_dir.")
    retention: Duration = option("168h", help="How long a dead letter is kept.", validator=positive)


@configuration
class PluginSettings:
    """Which plugins are used."""

    disable: tuple[str, ...] = option(
        (), help="Distributions that are not loaded.", example=["yaat-plugin-stdout"]
    )


def _share(_instance: Any, _attribute: Any, value: float | None) -> None:
    if value is not None and not 0 < value <= 1:
        raise ValueError(f"must be a share such as 0.9, more than 0 and at most 1, got {value:g}")


@configuration
class HealthSettings:
    """The health endpoints, and how much may wait before the agent counts as unhealthy."""

    listen: str = option(
        "127.0.0.1:9477",
        help="HOST:PORT for /healthz, /readyz and what plugins add (/metrics), or `off`.",
        validator=_address,
    )
    max_queue_share: float | None = option(
        0.9,
        help="Unhealthy when what waits for a sink reaches this share of its bounds (`max_bytes`, `retention`); "
        "`none`: no limit.",
        validator=_share,
    )
    max_queue_age: Duration | None = option(
        "1h",
        help="Unhealthy when an event waits for a sink longer than that; `none`: no limit.",
        validator=positive,
    )
    max_queue_events: int | None = option(
        None,
        help="Unhealthy when more events wait for a sink; `none`: no limit.",
        example=1_000_000,
        validator=positive,
    )


@configuration
class ReloadSettings:
    """When a running agent takes up changes of its configuration."""

    watch: bool = option(
        True,
        help="Look every second whether this file or an included one has changed, and take it up when it is valid. "
        "`yaat reload` and SIGHUP do it in any case.",
    )


@attrs.frozen(kw_only=True)
class Configuration:
    """A whole configuration, checked."""

    path: Path | None
    """The file it came from; None: no file, all defaults."""
    state_dir: Path
    service_name: str
    environment: str
    organization_id: str
    tags: Mapping[str, str]
    sources: Mapping[str, SourceEntry]
    processors: Sequence[ProcessorEntry]
    queue: QueueEntry
    sinks: Mapping[str, SinkEntry]
    dead_letter: DeadLetterSettings
    plugins: PluginSettings
    health: HealthSettings
    shutdown_grace: Duration
    reload: ReloadSettings
    included: Sequence[Path] = ()
    """Files that ``path`` includes, in the order in which they were read."""
    digest: str = attrs.field(default="", eq=False)
    """SHA-256 of the text of the file and of those that it includes, as `sha256sum` prints it for a file alone."""
    formats: Mapping[str, ProcessorEntry] = attrs.field(factory=dict)
    """Every format that works without options, ready to serve as a parser that a label names."""
    warnings: Sequence[ConfigProblem] = ()
    """What is allowed and perhaps not meant."""
    default_sections: frozenset[Kind] = attrs.field(factory=frozenset, eq=False)
    """Sections that were not written."""
    interpolated: Mapping[KeyPath, str] = attrs.field(factory=dict)
    """By path of the key: what is shown of a value that came from a variable, a file or a secret store."""

    @property
    def config_dir(self) -> Path:
        """Folder of the file; the working directory when there is none."""
        return self.path.parent if self.path else Path.cwd()
