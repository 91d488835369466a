"""What a change does to a text, as a unified diff in which no secret stands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Final

from yaat_core.config.editing.page import BREAK
from yaat_core.config.fields import keys_of
from yaat_core.config.nodes import MASK, Items, Node, Table
from yaat_core.config.parsing import mask, parse
from yaat_core.registry import Registry

_CONTEXT: Final = 3
_SECRET_LINE: Final = re.compile(
    r"(?i)^(\s*(?:- )?[\"']?[\w-]*(?:secret|passw|passphrase|token|api_?key|private_?key|access_?key|credential"
    r"|authorization)[\w-]*[\"']?\s*:\s+)(\S.*)$"
)
_REFERENCE: Final = re.compile(r"""["']?\$\{(?![^}]*:-)[^}]*\}["']?\s*(#.*)?""")


def unified(before: str, after: str, name: str, registry: Registry | None = None) -> str:
    """The lines that differ, with three around them; empty when none does. A secret is ``***`` on both sides."""
    old, new = _lines(before), _lines(after)
    shown_old, shown_new = masked_lines(before, registry), masked_lines(after, registry)
    lines: list[str] = []
    matching = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matching.get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        lines.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@")
        for what, i1, i2, j1, j2 in group:
            if what == "equal":
                lines += [" " + line for line in shown_old[i1:i2]]
                continue
            lines += ["-" + line for line in shown_old[i1:i2]]
            lines += ["+" + line for line in shown_new[j1:j2]]
    return "\n".join([f"--- {name}", f"+++ {name}", *lines]) + "\n" if lines else ""


def masked_lines(text: str, registry: Registry | None = None) -> list[str]:
    """The lines without what is a secret by its key, or by the option that it is given to."""
    lines = _lines(text)
    root = parse(text, "").root
    if root is None:
        return [_without_secret(line) for line in lines]
    if registry is not None and isinstance(root, Table):
        _mask_options(root, registry)
    spans: dict[int, list[tuple[int, int]]] = {}
    for start, end in root.start.text.masked:
        for line in range(start.line, min(end.line, len(lines) - 1) + 1):
            first = start.column if line == start.line else _indent(lines[line])
            last = end.column if line == end.line else len(lines[line])
            if last > first:
                spans.setdefault(line, []).append((first, last))
    return [_masked(line, spans.get(number, [])) for number, line in enumerate(lines)]


def _masked(line: str, spans: list[tuple[int, int]]) -> str:
    for start, end in sorted(set(spans), reverse=True):
        line = line[:start] + MASK + line[end:]
    return line


def _without_secret(line: str) -> str:
    found = _SECRET_LINE.match(line)
    return found[1] + MASK if found and not _REFERENCE.fullmatch(found[2]) else line


def _mask_options(root: Table, registry: Registry) -> None:
    for kind in ("sources", "processors", "sinks"):
        for component in _below(root.get(kind)):
            type = component.get("type") if isinstance(component, Table) else None
            known = registry.find(kind, getattr(type, "text", ""))
            if known is not None and isinstance(component, Table):
                _mask_class(component, known.config)


def _mask_class(table: Table, config: type) -> None:
    import attrs

    for key in keys_of(config):
        value = table.get(key.name)
        if value is None:
            continue
        if key.secret:
            mask(value)
        for one in [value, *_below(value)]:
            if isinstance(one, Table) and isinstance(key.type, type) and attrs.has(key.type):
                _mask_class(one, key.type)


def _below(node: Node | None) -> Iterator[Node]:
    if isinstance(node, Items):
        yield from node.nodes
    elif isinstance(node, Table):
        for _, value in node.entries.values():
            yield value


def _lines(text: str) -> list[str]:
    """As YAML counts them, so that the places of secrets fit."""
    lines = BREAK.split(text)
    return lines if lines[-1] else lines[:-1]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _range(first: int, last: int) -> str:
    length = last - first
    start = first + 1 if length else first
    return f"{start}" if length == 1 else f"{start},{length}"
