"""YAML text to a tree of nodes, strictly: what makes YAML surprising or dangerous is refused with its place.

No anchors, aliases, merge keys, tags, directives or second documents; bounded in bytes, depth and values.
Scalars mean what the core schema of YAML 1.2 says, so `no` is a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import attrs

from yaat_core.config.nodes import (
    Items,
    KeyPath,
    Mark,
    Node,
    Scalar,
    Table,
    Text,
    core_schema,
    scalars,
)
from yaat_core.config.problems import Misfit, at_value
from yaat_core.config.syntax import TAB_INDENT, duplicate, syntax, tab, tag, unprintable

MAX_BYTES: Final = 2**20
MAX_DEPTH: Final = 32
#: Parsing takes about 50 us a value; a file of this many takes a second.
MAX_VALUES: Final = 20_000

_SYNTAX: Final = "YAAT-E100"
_REFUSED: Final = "YAAT-E107"

#: Names of keys whose values are never shown.
SECRET_KEY: Final = re.compile(
    r"(?i)(secret|passw|passphrase|token|api_?key|private_?key|access_?key|credential|authorization|^key$|^auth$)"
)
#: What ruamel.yaml counts as the end of a line.
_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_KEY: Final = re.compile(r"[\w.-]+(?=[\"']?[ \t]*:[ \t]+\S)")
_REFERENCE: Final = re.compile(r"\$\{(?![^}]*:-)[^}]*\}")


@attrs.frozen
class Document:
    """What was read: the tree (None when there is none) and everything that is wrong with its YAML."""

    root: Node | None
    misfits: list[Misfit]


class Halt(Exception):
    """Nothing after this can be understood."""

    def __init__(self, misfit: Misfit) -> None:
        super().__init__(misfit.what)
        self.misfit = misfit


def parse(written: str, name: str) -> Document:
    """Read a whole document. ``name`` is the file's name for messages."""
    text = Text(name, _LINE_BREAK.split(written))
    reader = _Reader(text)
    try:
        root = reader.read(written)
    except Halt as halt:
        _mask_lines(text)
        return Document(None, [*reader.misfits, halt.misfit])
    reader.refuse_tabs(root)
    if root is not None:
        _mask_secrets(root)
    if reader.misfits:
        _mask_lines(text)
    return Document(root, reader.misfits)


def _events(written: str, text: Text) -> Iterator[Any]:
    """Parser events of the whole stream; what the parser says becomes a `Halt`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        yield from YAML(typ="safe", pure=True).parse(written)
    except ReaderError as error:
        raise Halt(unprintable(text, written, error.position)) from None
    except MarkedYAMLError as error:
        raise Halt(syntax(text, error)) from None
    except YAMLError as error:
        raise Halt(Misfit(code=_SYNTAX, what=f"not YAML: {error}", mark=Mark(text, 0, 0))) from None


@attrs.define(eq=False)
class _Reader:
    """Builds the tree from events, with a stack of its own: depth is bounded before it can hurt."""

    text: Text
    misfits: list[Misfit] = attrs.field(factory=list)
    _stack: list[_Open] = attrs.field(factory=list)
    _values: int = 0
    _documents: int = 0
    _root: Node | None = None

    def read(self, written: str) -> Node | None:
        from ruamel.yaml import events

        for event in _events(written, self.text):
            if isinstance(event, events.DocumentStartEvent):
                self._document(event)
            elif isinstance(event, events.AliasEvent):
                self._alias(event)
            elif isinstance(event, events.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, events.MappingStartEvent):
                self._begin(event, _OpenTable)
            elif isinstance(event, events.SequenceStartEvent):
                self._begin(event, _OpenItems)
            elif isinstance(event, events.CollectionEndEvent):
                self._finish(event)
        return self._root

    def refuse_tabs(self, root: Node | None) -> None:
        """A tab as indentation that the parser let pass (between brackets)."""
        inside = {
            line
            for one in (scalars(root) if root else ())
            for line in range(one.start.line + 1, one.end.line + 1)
        }
        for number, line in enumerate(self.text.lines):
            if number not in inside and line.strip() and TAB_INDENT.match(line):
                self.misfits.append(tab(self.text, number, line))

    # --- events ---

    def _document(self, event: Any) -> None:
        self._documents += 1
        mark = self._mark(event.start_mark)
        if self._documents > 1:
            what = "a second document begins here; a configuration is one document"
            raise Halt(Misfit(code=_REFUSED, what=what, mark=mark, width=3, fix="take out the line `---`"))
        if event.version or event.tags:
            what = "directives like %YAML and %TAG are not read"
            first = Mark(self.text, 0, 0)
            self.misfits.append(
                Misfit(code=_REFUSED, what=what, mark=first, fix="take the line out; this is YAML 1.2")
            )

    def _alias(self, event: Any) -> None:
        node = self._node(event, text="", value=None, broken=True)
        self.misfits.append(
            at_value(
                node,
                _REFUSED,
                f"aliases like `*{event.anchor}` are not read",
                fix=f"write out what `&{event.anchor}` stands for",
            )
        )
        self._add(node)

    def _scalar(self, event: Any) -> None:
        plain = event.style is None
        text = _whole(event.value) if _SURROGATE.search(event.value) else event.value
        node = self._node(event, text=text, value=core_schema(text) if plain else text, plain=plain)
        if _SURROGATE.search(text):
            what = "half of a surrogate pair is no character"
            self.misfits.append(
                at_value(node, _SYNTAX, what, fix=r'write the character itself, or "\U0001f600"')
            )
            node.broken = True
        self._refuse_marks(event, node)
        self._add(node)

    def _begin(self, event: Any, kind: type[_Open]) -> None:
        if len(self._stack) >= MAX_DEPTH:
            what = f"nested more than {MAX_DEPTH} levels deep"
            mark = self._mark(event.start_mark)
            raise Halt(
                Misfit(code=_REFUSED, what=what, mark=mark, fix="no key of a configuration needs this")
            )
        opened = kind(self._mark(event.start_mark), self._path(), self._holder())
        self._refuse_marks(event, opened.node)
        self._stack.append(opened)

    def _finish(self, event: Any) -> None:
        node = self._stack.pop().node
        node.end = self._mark(event.end_mark)
        self._add(node)

    # --- building ---

    def _add(self, node: Node) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            what = f"more than {MAX_VALUES} values"
            raise Halt(Misfit(code=_REFUSED, what=what, mark=node.start, fix="split what is configured here"))
        if not self._stack:
            self._root = node
            return
        misfit = self._stack[-1].take(node)
        if misfit:
            self.misfits.append(misfit)

    def _node(self, event: Any, **facts: Any) -> Scalar:
        return Scalar(
            start=self._mark(event.start_mark), end=self._mark(event.end_mark), path=self._path(), **facts
        )

    def _mark(self, mark: Any) -> Mark:
        return Mark(self.text, mark.line, mark.column)

    def _path(self) -> KeyPath:
        return self._stack[-1].next_path() if self._stack else ()

    def _holder(self) -> Scalar | None:
        return self._stack[-1].key if self._stack else None

    def _refuse_marks(self, event: Any, node: Node) -> None:
        if event.anchor:
            what = f"anchors like `&{event.anchor}` are not read"
            self.misfits.append(
                at_value(node, _REFUSED, what, fix="take it out, and write values where they belong")
            )
        if event.tag:
            what = f"tags like `{tag(event.tag)}` are not read"
            self.misfits.append(
                at_value(node, _REFUSED, what, fix="take it out; quotes make a text of a value")
            )
            if isinstance(node, Scalar):
                node.broken = True


@attrs.define(eq=False)
class _Open:
    """A mapping or list whose end is still to come."""

    start: Mark
    path: KeyPath
    holder: Scalar | None
    node: Any = None
    key: Scalar | None = None

    def take(self, node: Node) -> Misfit | None:
        """Put the next node in."""
        raise NotImplementedError

    def next_path(self) -> KeyPath:
        """The path that the next node gets."""
        raise NotImplementedError


@attrs.define(eq=False)
class _OpenItems(_Open):
    def __attrs_post_init__(self) -> None:
        self.node = Items(start=self.start, end=self.start, path=self.path)

    def take(self, node: Node) -> Misfit | None:
        self.node.nodes.append(node)
        return None

    def next_path(self) -> KeyPath:
        return (*self.path, len(self.node.nodes))


@attrs.define(eq=False)
class _OpenTable(_Open):
    expects_value: bool = False

    def __attrs_post_init__(self) -> None:
        self.node = Table(start=self.start, end=self.start, path=self.path, holder=self.holder)

    def take(self, node: Node) -> Misfit | None:
        self.expects_value = not self.expects_value
        if self.expects_value:
            return self._take_key(node)
        key, self.key = self.key, None
        if isinstance(node, Scalar) and node.plain and node.text == "" and key is not None:
            node.start, node.end = key.start, key.end
        if key is not None and key.text not in self.node.entries:
            self.node.entries[key.text] = (key, node)
        return None

    def next_path(self) -> KeyPath:
        return (*self.path, self.key.text) if self.key is not None else self.path

    def _take_key(self, node: Node) -> Misfit | None:
        if not isinstance(node, Scalar) or node.text == "" or node.broken:
            return at_value(node, _SYNTAX, "a key must be a name", fix="write `name: value`")
        if node.plain and node.text == "<<":
            self.node.broken = True
            return at_value(node, _REFUSED, "merge keys (`<<`) are not read", fix="write the keys out here")
        self.key = attrs.evolve(node, path=(*self.path, node.text))
        if node.text in self.node.entries:
            return duplicate(self.key, self.node.entries[node.text][0])
        return None


def _whole(text: str) -> str:
    r"""JSON writes characters beyond U+FFFF as two escapes (RFC 8259, chapter 7): ``\ud83d\ude00`` is one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _mask_secrets(root: Node) -> None:
    """Values whose key looks like a secret's are never shown, even when the key is unknown or the value wrong."""
    below = root.nodes if isinstance(root, Items) else []
    if isinstance(root, Table):
        for name, (_, value) in root.entries.items():
            if SECRET_KEY.search(name):
                mask(value)
            else:
                below.append(value)
    for node in below:
        if not isinstance(node, Scalar):
            _mask_secrets(node)


def _mask_lines(text: Text) -> None:
    """The same by lines, in a text that could not be read as a whole: from a secret's key on, the line is not shown."""
    for number, line in enumerate(text.lines):
        key = next((found for found in _KEY.finditer(line) if SECRET_KEY.search(found[0])), None)
        if key is None:
            continue
        start = line.index(":", key.end()) + 1
        start += len(line) - start - len(line[start:].lstrip())
        if not _REFERENCE.sub("", line[start:]).strip(" \t\"'{}[],"):
            continue
        text.masked[:] = [one for one in text.masked if one[0].line != number or one[0].column < start]
        text.masked.append((Mark(text, number, start), Mark(text, number, len(line))))


def mask(node: Node) -> None:
    """Never show these values in an excerpt."""
    for one in scalars(node):
        if not _REFERENCE.fullmatch(one.text) and not isinstance(one.value, bool | None):
            one.start.text.masked.append((one.start, one.end))
