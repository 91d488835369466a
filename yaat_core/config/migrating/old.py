"""The old file while it is translated: its values as the first agent read them, and a note for each of its keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal

import attrs

from yaat_core.config.migrating.report import Note
from yaat_core.config.nodes import Items, KeyPath, Node, Scalar, Table, place
from yaat_core.config.options import Duration

#: What Go's yaml.v3 takes for a boolean where one is wanted.
_TRUE: Final = frozenset(("true", "y", "yes", "on"))
_FALSE: Final = frozenset(("false", "n", "no", "off"))
#: https://pkg.go.dev/time#ParseDuration
_PIECE: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS: Final = {
    **{"ns": Decimal("1e-9"), "us": Decimal("1e-6"), "µs": Decimal("1e-6"), "μs": Decimal("1e-6")},
    **{"ms": Decimal("1e-3"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)},
}
_NOT_KNOWN: Final = "the first agent has no such key, so it did nothing there"
_ODD: Final = "it is not written as the first agent reads it"
#: Keys that hold others.
_HOLDERS: Final = frozenset(
    ("tags", "logs", "delivery", "metrics", "metrics.tags", "metrics.statsd", "metrics.statsd.tags")
) | {"scrubbing", "scrubbing.rules", "analytics", "proxy"}


@attrs.define(eq=False)
class Old:
    """Values by path, and the notes so far. A value that can't be read is noted as left, and stands for its default."""

    root: Table
    notes: list[Note] = attrs.field(factory=list)

    # --- values

    def node(self, *path: str | int) -> Node | None:
        """What stands there."""
        node: Node | None = self.root
        for part in path:
            if isinstance(node, Table) and isinstance(part, str):
                node = node.get(part)
            elif isinstance(node, Items) and isinstance(part, int) and part < len(node.nodes):
                node = node.nodes[part]
            else:
                return None
        return node

    def count(self, *path: str | int) -> int:
        """Items of a list."""
        node = self.node(*path)
        return len(node.nodes) if isinstance(node, Items) else 0

    def keys(self, *path: str | int) -> list[str]:
        """Keys of a mapping."""
        node = self.node(*path)
        return list(node.entries) if isinstance(node, Table) else []

    def text(self, *path: str | int) -> str:
        """A text; empty when there is none. Numbers and words are texts where a text is wanted."""
        node = self.node(*path)
        if isinstance(node, Scalar) and node.value is not None:
            return node.text
        if isinstance(node, Table | Items):
            self.left(path, "a text has to stand there")
        return ""

    def truth(self, *path: str | int) -> bool:
        """A boolean; false when there is none."""
        written = self.text(*path).lower()
        if written and written not in _TRUE | _FALSE:
            self.left(path, "neither true nor false; taken as false")
        return written in _TRUE

    def number(self, *path: str | int) -> Decimal | None:
        """A number; None when there is none."""
        written = self.text(*path)
        if not written:
            return None
        found = Decimal(written) if re.fullmatch(r"[-+]?\d{1,15}(\.\d{1,9})?", written) else None
        if found is None:
            self.left(path, "no plain number")
        return found

    def duration(self, *path: str | int) -> Duration | None:
        """A duration; None when there is none. ``0s`` is 0."""
        written = self.text(*path)
        if not written:
            return None
        if written != "0" and (_PIECE.sub("", written) or not _PIECE.match(written)):
            self.left(path, "no duration like 30s or 24h")
            return None
        seconds = sum((Decimal(one) * _SECONDS[unit] for one, unit in _PIECE.findall(written)), Decimal(0))
        return Duration(float(seconds))

    # --- notes

    def line(self, path: KeyPath) -> int | None:
        """Line of a key, from 1."""
        parent, last = self.node(*path[:-1]), path[-1]
        if isinstance(parent, Table) and isinstance(last, str) and last in parent.entries:
            return parent.entries[last][0].start.line + 1
        node = self.node(*path)
        return node.start.line + 1 if node is not None else None

    def kept(self, path: KeyPath, why: str = "") -> None:
        """It has the same name."""
        self._note(path, "kept", place(path), why)

    def renamed(self, path: KeyPath, to: str, why: str = "") -> None:
        """It has another name; nothing is noted of a key that is not written."""
        self._note(path, "renamed", to, why)

    def left(self, path: KeyPath, why: str) -> None:
        """It is not carried over."""
        self._note(path, "left", "", why)

    def added(self, to: str, why: str) -> None:
        """The new file has it without any key of the old one."""
        self.notes.append(Note(key="", what="added", to=to, why=why))

    def rest(self) -> None:
        """What nobody has noted, the first agent did not know."""
        for path in _leaves(self.root):
            if not self._is_noted(path):
                self.left(path, _ODD if _is_held(path) else _NOT_KNOWN)

    def in_order(self) -> list[Note]:
        """Notes by line, what was added last."""
        return sorted(self.notes, key=lambda one: (one.line is None, one.line or 0))

    def _is_noted(self, path: KeyPath) -> bool:
        noted = {one.key for one in self.notes if one.key}
        return any(place(path[:length]) in noted for length in range(1, len(path) + 1))

    def _note(self, path: KeyPath, what: Literal["kept", "renamed", "left"], to: str, why: str) -> None:
        if self.node(*path) is None:
            return
        key = place(path)
        if any(one.key == key for one in self.notes):
            return
        self.notes.append(Note(key=key, what=what, line=self.line(path), to=to, why=why))


def _is_held(path: KeyPath) -> bool:
    """A holder with something else in it, or an item that is none."""
    names = ".".join(str(part) for part in path if isinstance(part, str))
    return names in _HOLDERS


def _leaves(node: Node) -> Iterator[KeyPath]:
    if isinstance(node, Scalar):
        yield node.path
    else:
        below = node.nodes if isinstance(node, Items) else [value for _, value in node.entries.values()]
        if not below and node.path:
            yield node.path
        for one in below:
            yield from _leaves(one)
