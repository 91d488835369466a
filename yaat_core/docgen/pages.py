"""The pages under ``docs`` that are made from the code."""

from __future__ import annotations

import inspect
import re
from typing import Final

import attrs

from yaat_core import hookspecs
from yaat_core.codes import EXPLANATIONS
from yaat_core.components import KINDS, Kind
from yaat_core.config.defaults import DEFAULTS, HOST_ROOT
from yaat_core.config.keys import CORE, SECTIONS, BoundsKeys, FileKeys
from yaat_core.config.model import DeadLetterSettings, HealthSettings, PluginSettings, ReloadSettings
from yaat_core.docgen import tables
from yaat_core.event import FIELD_HELP, SCHEMA, SCHEMA_VERSION
from yaat_core.plugins import Plugins

_TITLES: Final = {"sources": "Sources", "processors": "Processors", "queue": "Queue", "sinks": "Sinks"}
_SETTINGS: Final = {
    "dead_letter": DeadLetterSettings,
    "reload": ReloadSettings,
    "plugins": PluginSettings,
    "health": HealthSettings,
}


#: Names of Arrow's types for readers.
_TYPES: Final = {
    "string": "text",
    "fixed_size_binary[16]": "UUID",
    "timestamp[us, tz=UTC]": "time",
    "double": "float64",
}


@attrs.frozen
class Kept:
    """What a page holds already: the parts that were written by hand."""

    page: str

    def part(self, name: str) -> str:
        """The part with its markers; an empty one when the page has none."""
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        text = self.page.partition(begin)[2].partition(end)[0] if end in self.page else ""
        return f"{begin}{text}{end}"


def schema(plugins: Plugins, kept: Kept) -> str:
    """The event contract."""
    del plugins
    rows = [
        (
            f"`{field.name}`",
            _type_name(str(field.type)),
            "" if field.nullable else "always",
            FIELD_HELP[field.name],
        )
        for field in SCHEMA
    ]
    return (
        "\n\n".join(
            [
                "# The schema of events",
                kept.part("intro"),
                f"Version {SCHEMA_VERSION}.",
                tables.table(("column", "type", "there", "meaning"), rows),
                kept.part("conventions"),
                "",
            ]
        ).rstrip()
        + "\n"
    )


def configuration(plugins: Plugins, kept: Kept) -> str:
    """Every key of the file."""
    parts = ["# Configuration", kept.part("intro"), "## The file", tables.options(FileKeys, skip=_SETTINGS)]
    parts += [
        "The sections:",
        tables.table(("section", "meaning"), [(f"`{name}`", help) for name, help in SECTIONS.items()]),
    ]
    for name, cls in _SETTINGS.items():
        parts += [f"### {name}", f"{inspect.getdoc(cls)}", tables.options(cls)]
    for kind in KINDS:
        parts += _section(kind, plugins)
    defaults = "".join(DEFAULTS[kind] for kind in KINDS)
    parts += [
        "## Defaults",
        "A section that is not written is as if it were this; `host` is there when a plugin provides `hostmetrics`. "
        "Where the plugin `detect` is installed, what it finds on this machine joins `sources` (`yaat detect` shows it), "
        "and `logs` leaves those files alone. "
        f"With `{HOST_ROOT}=/host`, for an agent in a container, all of it is looked for below `/host`.",
        f"```yaml\n{defaults}```",
    ]
    return "\n\n".join(parts) + "\n"


def errors(plugins: Plugins, kept: Kept) -> str:
    """Every code."""
    del plugins
    parts = ["# Error codes", kept.part("intro")]
    for code, text in sorted(EXPLANATIONS.items()):
        title, _, body = text.partition("\n")
        parts += [f"## {code}", f"**{title}**", _fenced(body.strip())]
    return "\n\n".join(parts) + "\n"


def hooks(plugins: Plugins, kept: Kept) -> str:
    """Every hook with its signature."""
    del plugins
    parts = ["# Hooks", kept.part("intro"), f"API version {hookspecs.API_VERSION}."]
    for name, function in vars(hookspecs).items():
        if hasattr(function, "yaat_spec"):
            first = " The first answer that is not None counts." if function.yaat_spec["firstresult"] else ""
            parts += [
                f"## {name}",
                f"```python\n@hookimpl\ndef {name}{_signature(function)}: ...\n```",
                f"{inspect.getdoc(function)}{first}".replace("``", "`"),
            ]
    return "\n\n".join(parts) + "\n"


def _section(kind: Kind, plugins: Plugins) -> list[str]:
    parts = [f"## {_TITLES[kind]}", SECTIONS[kind]]
    own = "The queue" if kind == "queue" else f"Each of the {kind}"
    parts += [f"{own} has these keys, and those of its type:", tables.options(CORE[kind])]
    if kind == "sinks":
        parts += ["`queue` of a sink:", tables.options(BoundsKeys)]
    for (known, name), found in sorted(plugins.registry.types.items()):
        if known == kind:
            link = f"[{found.distribution}](../plugins/{found.distribution}/README.md)"
            parts += [f"### `{name}`", f"{found.summary} {link}", tables.options(found.config)]
    return parts


def _signature(function: object) -> str:
    """As it is written in the source, where annotations are not quoted."""
    assert callable(function)
    return str(inspect.signature(function)).replace("'", "")


def _type_name(arrow: str) -> str:
    return _TYPES.get(arrow, "text to text" if arrow.startswith("map<") else arrow)


def _fenced(text: str) -> str:
    """Indented blocks as fenced ones: that is how the other pages write code."""
    return re.sub(
        r"(?:^    .*\n?)+",
        lambda match: "```\n" + re.sub(r"^    ", "", match[0].rstrip("\n"), flags=re.M) + "\n```\n",
        text,
        flags=re.M,
    ).rstrip("\n")
