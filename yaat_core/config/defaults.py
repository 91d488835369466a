"""What holds when the file does not say: written as configuration, so that it reads like one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yaat_core.components import Kind
from yaat_core.config.keys import SCRUB
from yaat_core.config.nodes import Items, Node, Scalar, Table, scalars
from yaat_core.config.parsing import parse
from yaat_core.config.problems import Misfit
from yaat_core.registry import Registry

#: For each section: the whole of it. An empty file is this one.
DEFAULTS: Final[Mapping[Kind, str]] = {
    "sources": """\
sources:
  logs:
    type: file
    paths: ["/var/log/**/*.log", /var/log/syslog, /var/log/messages, /var/log/auth.log, /var/log/secure]
    format: auto
  host:
    type: hostmetrics
""",
    "processors": """\
processors:
  - type: scrub
    detectors: [secrets]
""",
    "queue": """\
queue:
  type: leveldb
""",
    "sinks": """\
sinks:
  local:
    type: duckdb
""",
}

#: Types that join the defaults when they are installed, and are not missed otherwise.
_EXTRAS: Final = frozenset({"hostmetrics"})
#: Sections that can do without what is not installed.
_OPTIONAL: Final[frozenset[Kind]] = frozenset({"sources", "processors"})
_CODE: Final = "YAAT-W103"


#: Where the machine's files are, when the agent runs in a container.
HOST_ROOT: Final = "YAAT_HOST_ROOT"


def default_section(kind: Kind, registry: Registry, environ: Mapping[str, str]) -> tuple[Node, list[Misfit]]:
    """The section as if it had been written, less what is not installed; and a warning for each thing left out."""
    document = parse(DEFAULTS[kind], "the built-in defaults")
    assert isinstance(document.root, Table)
    section = document.root.entries[kind][1]
    warnings: list[Misfit] = []
    if kind not in _OPTIONAL:
        return section, warnings
    if isinstance(section, Table):
        kept = {}
        for name, (key, node) in section.entries.items():
            if _installed(kind, node, registry, warnings):
                kept[name] = (key, readable(_below(environ.get(HOST_ROOT, ""), node), registry, warnings))
        section.entries = kept
    elif isinstance(section, Items):
        section.nodes = [node for node in section.nodes if _installed(kind, node, registry, warnings)]
    return section, warnings


def _installed(kind: Kind, node: Node, registry: Registry, warnings: list[Misfit]) -> bool:
    assert isinstance(node, Table)
    type = node.get("type")
    assert isinstance(type, Scalar)
    if registry.find(kind, type.text):
        return True
    if type.text not in _EXTRAS:
        effect = "events are stored as they are" if type.text == SCRUB else "nothing is read"
        what = f"no plugin provides `{type.text}`, so the default for `{kind}` is left out: {effect}"
        warnings.append(_warning(what, f"install yaat-plugin-{type.text}, or write `{kind}`"))
    return False


def _below(root: str, node: Node) -> Node:
    """The source with its paths where the machine's files are mounted."""
    assert isinstance(node, Table)
    for path in scalars(node.only({"paths"})) if root else ():
        path.text = path.value = root.rstrip("/") + path.text
    return node


def readable(node: Node, registry: Registry, warnings: list[Misfit]) -> Node:
    """The source without its format when no plugin reads it."""
    assert isinstance(node, Table)
    format = node.get("format")
    if isinstance(format, Table):
        format = format.get("type")
    if not isinstance(format, Scalar) or registry.find("processors", format.text):
        return node
    what = f"no plugin reads the format `{format.text}`, so lines stay as they are"
    warnings.append(_warning(what, "install yaat-plugin-parse"))
    return node.without({"format"})


def _warning(what: str, fix: str) -> Misfit:
    return Misfit(code=_CODE, what=what, fix=fix, level="warning")
