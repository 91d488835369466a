"""Documents made from the code: ``python -m yaat_core.docgen [--check]``, from the root of the repository.

Whole files: docs/schema.md, docs/configuration.md, docs/errors.md. In READMEs: the tables of options between
``<!-- options:KIND.TYPE -->`` and ``<!-- /options -->``. With ``--check`` nothing is written, and the exit code is 1 when
something would change.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import pyarrow as pa

from yaat_core.codes import EXPLANATIONS
from yaat_core.components import KINDS, Kind
from yaat_core.config.model import DeadLetterSettings, HealthSettings, PluginSettings
from yaat_core.config.options import Duration, Size
from yaat_core.event import FIELD_HELP, SCHEMA, SCHEMA_VERSION
from yaat_core.plugins import load_plugins
from yaat_core.registry import Registry

_MARKED: Final = re.compile(r"(<!-- options:([a-z]+)\.([a-z0-9_-]+) -->\n).*?(<!-- /options -->)", re.S)
_MADE: Final = "<!-- Made by `python -m yaat_core.docgen`; change the code, not this page. -->\n"
_KIND_TITLES: Final[Mapping[str, str]] = {
    "sources": "Sources",
    "processors": "Processors",
    "queue": "Queue",
    "sinks": "Sinks",
}
_COMMON: Final[Mapping[str, str]] = {
    "sources": "Any source also takes `type`, `format` (a parser by name, or a mapping with its `type` and options), "
    "`service_name`, `environment` and `tags`.",
    "processors": "Any processor also takes `type`, `name` (its type by default) and `sources` (names; all by default).",
    "queue": "Also `type`, and the bounds that hold for every sink: `max_bytes` (1GiB), `retention` (24h, or `none`) and "
    "`when_full` (`block`, `drop_oldest`, `drop_newest`; by default `block` for local sinks, `drop_oldest` for remote ones).",
    "sinks": "Any sink also takes `type`, `from` (`oldest` or `now`) and `queue` (its own `max_bytes`, `retention`, `when_full`).",
}
_TOP: Final = """
Searched in this order: `-c FILE`, `YAAT_CONFIG`, `./yaat.yaml`, `~/.config/yaat/yaat.yaml`, `/etc/yaat/yaat.yaml`. An empty file
is a valid configuration. Durations and sizes are strings with units (`30s`, `10MiB`). In any text, `${env:NAME}`,
`${env:NAME:-default}`, `${file:PATH}` and `${secret:NAME}` are replaced. `yaat config schema` prints the JSON Schema.

| key | meaning |
|---|---|
| `version` | 1 |
| `service_name`, `environment`, `organization_id` | for events that name none |
| `state_dir` | where queue, database and sockets lie; relative to this file |
| `tags` | added to every event |
| `sources`, `sinks` | name to component |
| `processors` | ordered list; `scrub` always comes last |
| `queue` | the durable queue |
| `dead_letter`, `plugins`, `health` | see below |
| `shutdown_grace` | how long stopping may take (10s) |
"""


def pages(registry: Registry) -> dict[str, str]:
    """Whole pages by path."""
    return {
        "docs/schema.md": _schema(),
        "docs/configuration.md": _configuration(registry),
        "docs/errors.md": _errors(),
    }


def filled(text: str, registry: Registry) -> str:
    """A README with its tables of options made anew."""

    def table(match: re.Match[str]) -> str:
        kind: Any = match[2]
        found = registry.find(kind, match[3])
        return f"{match[1]}{_options(found.config)}{match[4]}" if found else match[0]

    return _MARKED.sub(table, text)


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; returns the exit code."""
    registry = load_plugins().registry
    root = Path.cwd()
    wanted = {root / name: text for name, text in pages(registry).items()}
    for readme in sorted(root.glob("plugins/*/README.md")):
        wanted[readme] = filled(readme.read_text(), registry)
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if "--check" in arguments:
            print(
                f"{path.relative_to(root)} is not what the code says: run `make docs` or `python -m yaat_core.docgen`"
            )
        else:
            path.write_text(wanted[path])
    return 1 if stale and "--check" in arguments else 0


def _schema() -> str:
    lines = [
        f"# The event contract\n\n{_MADE}\nSchema version {SCHEMA_VERSION}.\n",
        "| column | type | required | meaning |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{field.name}` | {_type_name(field.type)} | {'no' if field.nullable else 'yes'} | {FIELD_HELP[field.name]} |"
        for field in SCHEMA
    ]
    lines.append(
        "\nTimes are microseconds, UTC; nanoseconds are cut. Tags set by the agent: `host.name`, `yaat.source`, `log.file.path`; data "
        "never overrides `yaat.*`. Access-log lines become spans. In DuckDB `events` has these columns, and the views `logs`, `spans` "
        "and `metrics` hold one type each; `tags['key']` is text, or NULL where there is no such tag.\n\nAs JSON (dead letters, the "
        "stdout sink): RFC 3339 times with `Z`, ids as UUID text, empty fields left out.\n"
    )
    return "\n".join(lines)


def _configuration(registry: Registry) -> str:
    parts = [f"# Configuration: `yaat.yaml`\n\n{_MADE}{_TOP}"]
    for name, settings in (
        ("dead_letter", DeadLetterSettings),
        ("plugins", PluginSettings),
        ("health", HealthSettings),
    ):
        parts.append(f"## `{name}`\n\n{_options(settings)}")
    for kind in KINDS:
        parts.append(f"## {_KIND_TITLES[kind]}\n\n{_COMMON[kind]}\n")
        parts += [_component(registry, kind, name) for name in registry.names(kind)]
    return "\n".join(parts)


def _component(registry: Registry, kind: Kind, name: str) -> str:
    found = registry.find(kind, name)
    assert found is not None
    return f"### `type: {name}`\n\n{found.summary} ({found.distribution})\n\n{_options(found.config)}"


def _errors() -> str:
    parts = [f"# Error codes\n\n{_MADE}\n`yaat explain CODE` prints the same.\n"]
    parts += [f"## {code}\n\n{text.strip()}\n" for code, text in sorted(EXPLANATIONS.items())]
    return "\n".join(parts)


def _options(config: type) -> str:
    rows = list(_rows(config, ""))
    if not rows:
        return "No options.\n"
    head = "| option | default | meaning |\n|---|---|---|\n"
    return head + "".join(f"| `{name}` | {default} | {help} |\n" for name, default, help in rows)


def _rows(config: type, prefix: str) -> Iterator[tuple[str, str, str]]:
    attrs.resolve_types(config)
    for field in attrs.fields(config):
        yield f"{prefix}{field.name}", _default(field), _cell(field.metadata.get("help", ""))
        inner = [
            one for one in getattr(field.type, "__args__", ()) if isinstance(one, type) and attrs.has(one)
        ]
        for one in inner:
            yield from _rows(one, f"{prefix}{field.name}[].")


def _default(field: Any) -> str:
    if field.default is attrs.NOTHING:
        return "required"
    value = field.default
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        value = value.factory()
    if value is None or value in ((), [], {}, ""):
        return "none"
    if isinstance(value, Duration | Size):
        return f"`{value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple | list):
        return f"`{_cell(', '.join(str(one) for one in value))}`"
    return f"`{_cell(str(value))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _type_name(type: pa.DataType) -> str:
    return {"fixed_size_binary[16]": "UUID", "timestamp[us, tz=UTC]": "time", "double": "float64"}.get(
        str(type), "text to text" if pa.types.is_map(type) else str(type)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
