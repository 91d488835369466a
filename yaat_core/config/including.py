"""`include`: the main file and those that it names, as one document.

Mappings of components and tags are joined, processors come one after the other in the order of the files, every other
key may stand in one file only. Names of files are sorted, so that the order is the same on every machine. Each node keeps
the place where it was written, so that a mistake is told with its own file and line.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from yaat_core.config.nodes import Items, Node, Scalar, Table
from yaat_core.config.parsing import Document, parse
from yaat_core.config.problems import ConfigError, Misfit, at_key, at_value
from yaat_core.config.syntax import duplicate
from yaat_core.config.text import read_text, shown_name
from yaat_core.config.unfit import described

INCLUDE: Final = "include"
#: Files that one configuration may be made of, beyond the main one.
MAX_FILES: Final = 500

_WRONG: Final = "YAAT-E102"
_FILE: Final = "YAAT-E108"
_NOTHING: Final = "YAAT-W105"
#: Keys whose mappings are joined by name, and the one whose lists are.
_JOINED: Final = ("sources", "sinks", "tags")
_LISTED: Final = "processors"


@attrs.frozen
class Whole:
    """The joined document, the files that were included, and warnings."""

    document: Document
    files: tuple[Path, ...] = ()
    warnings: tuple[Misfit, ...] = ()
    patterns: tuple[str, ...] = ()
    """Where included files are looked for."""
    digest: str = ""
    """SHA-256 of all the texts, in their order."""


def read(path: Path, texts: Mapping[Path, str] | None = None) -> Whole:
    """The main file with what it includes. ``texts``: what to read in place of some of them, by absolute path.

    Raises:
        ConfigError: the main file can't be read.
    """
    texts = texts or {}
    text = _text(path, texts)
    digest = hashlib.sha256(text.encode())
    main = parse(text, shown_name(path))
    if not isinstance(main.root, Table) or INCLUDE not in main.root.entries:
        return Whole(main, digest=digest.hexdigest())
    joining = _Joining(path, main.root, list(main.misfits), digest, texts)
    for node in _texts(main.root.entries[INCLUDE][1]):
        joining.take(node)
    return Whole(
        Document(main.root, joining.misfits),
        tuple(joining.files),
        tuple(joining.warnings),
        tuple(joining.patterns),
        digest.hexdigest(),
    )


@attrs.define(eq=False)
class _Joining:
    main: Path
    root: Table
    misfits: list[Misfit]
    digest: hashlib._Hash
    texts: Mapping[Path, str]
    patterns: list[str] = attrs.field(factory=list)
    files: list[Path] = attrs.field(factory=list)
    warnings: list[Misfit] = attrs.field(factory=list)

    def take(self, node: Scalar) -> None:
        """Read what one pattern names."""
        if "${" in node.text:
            what = "`include` is read before references are filled in, so it can't have any"
            self.misfits.append(at_value(node, _WRONG, what, fix="write the path itself"))
            return
        pattern = str(self.main.parent / Path(node.text).expanduser())
        self.patterns.append(pattern)
        found = self._matching(node, pattern)
        for file in found:
            if len(self.files) >= MAX_FILES:
                what = f"`include` names more than {MAX_FILES} files"
                self.misfits.append(at_value(node, _FILE, what, fix="put several components into one file"))
                return
            if not any(_same(file, known) for known in (self.main, *self.files)):
                self.files.append(file)
                self._join(node, file)

    def _matching(self, node: Scalar, pattern: str) -> list[Path]:
        if not glob.has_magic(pattern):
            return [Path(pattern)]
        folder = _fixed_part(pattern)
        try:
            if folder.exists():
                os.listdir(folder)
        except OSError as error:
            what = f"can't look into {folder}: {error.strerror}"
            self.misfits.append(at_value(node, _FILE, what, fix="check its permissions"))
            return []
        found = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]
        if not found:
            what = f"`include` finds no file by {node.text}"
            fix = f"write a file into {folder}, or take the pattern out"
            self.warnings.append(attrs.evolve(at_value(node, _NOTHING, what, fix=fix), level="warning"))
        return found

    def _join(self, node: Scalar, file: Path) -> None:
        try:
            text = _text(file, self.texts)
        except ConfigError as error:
            problem = error.problems[0]
            self.misfits.append(at_value(node, _FILE, problem.what, fix=problem.fix))
            return
        self.digest.update(text.encode())
        document = parse(text, shown_name(file))
        self.misfits += document.misfits
        root = document.root
        if root is None or (isinstance(root, Scalar) and root.value is None):
            return
        if not isinstance(root, Table):
            what = f"an included file must be a mapping of keys, got {described(root)}"
            self.misfits.append(at_value(root, _WRONG, what, fix="write it like the main file: sources: ..."))
            return
        for name, (key, value) in root.entries.items():
            self._add(name, key, value)

    def _add(self, name: str, key: Scalar, value: Node) -> None:
        there = self.root.entries.get(name)
        if name == INCLUDE:
            what = "`include` can stand in the main file only"
            self.misfits.append(at_key(key, _WRONG, what, fix=f"move it to {shown_name(self.main)}"))
        elif there is None:
            self.root.entries[name] = (key, value)
        elif name in _JOINED:
            self._join_tables(name, there[1], value)
        elif name == _LISTED:
            self._join_lists(there[1], value)
        elif not (name == "version" and _equal(there[1], value)):
            self.misfits.append(duplicate(key, there[0]))

    def _join_tables(self, name: str, there: Node, value: Node) -> None:
        if not isinstance(value, Table):
            what = f"`{name}` must be a mapping, got {described(value)}"
            self.misfits.append(
                at_value(value, _WRONG, what, expected="a mapping", fix="write `name: ...` below it")
            )
        elif isinstance(there, Table):
            for one, (key, node) in value.entries.items():
                if one in there.entries:
                    self.misfits.append(duplicate(key, there.entries[one][0]))
                else:
                    there.entries[one] = (key, node)

    def _join_lists(self, there: Node, value: Node) -> None:
        if not isinstance(value, Items):
            what = f"`{_LISTED}` must be a list, got {described(value)}"
            self.misfits.append(
                at_value(value, _WRONG, what, expected="a list", fix="write `- type: NAME` items")
            )
        elif isinstance(there, Items):
            there.nodes += value.nodes


def _text(path: Path, texts: Mapping[Path, str]) -> str:
    return texts[path] if path in texts else read_text(path)


def _texts(node: Node) -> Iterator[Scalar]:
    """The patterns; what is no text is told where the key itself is checked."""
    for one in node.nodes if isinstance(node, Items) else [node]:
        if isinstance(one, Scalar) and isinstance(one.value, str) and one.text and not one.broken:
            yield one


def _fixed_part(pattern: str) -> Path:
    """The folder before the first part with a wildcard."""
    parts = Path(pattern).parts
    fixed = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:fixed])


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one == other


def _equal(one: Node, other: Node) -> bool:
    return isinstance(one, Scalar) and isinstance(other, Scalar) and one.value == other.value
