"""From a text to one that means something else, by the smallest changes that lead there.

The text is read again after each change, and must then mean exactly what the change was to bring. Where it does not (a way of
writing that nobody foresaw), the piece around it is written anew, up to the whole document.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from typing import Any, Final

import attrs

from yaat_core.config.editing import splices
from yaat_core.config.editing.page import Page
from yaat_core.config.editing.rendering import checked, same
from yaat_core.config.nodes import Items, KeyPath, Node, Table, plain_value
from yaat_core.config.problems import ConfigError
from yaat_core.errors import YaatError

#: Changes in a row before the whole is written anew.
_MOST: Final = 2_000


class CannotEdit(YaatError):
    """A text in which the wanted change can't be written."""

    code = "YAAT-E120"
    exit_code = 2


@attrs.frozen
class _Change:
    """A change of the text, and what the whole must mean after it."""

    path: KeyPath
    """What it is about; for more of it the parent is written anew."""
    text: Callable[[Page], str]
    meaning: Any


def reach(text: str, wanted: Any, name: str = "the configuration") -> str:
    """A text that means ``wanted`` (dicts, lists and scalars), with as much of ``text`` as possible.

    Raises:
        ConfigError: ``text`` is not YAML.
        CannotEdit: no way was found.
    """
    wanted = checked(wanted)
    for _ in range(_MOST):
        page = Page.of(text, name)
        change = _first(page, wanted)
        if change is None:
            return text
        text = _done(page, change, wanted)
    return _done(page, _whole(page, wanted), wanted)


def _first(page: Page, wanted: Any) -> _Change | None:
    if same(page.value, wanted) or (page.root is None and wanted in ({}, None)):
        return None
    if page.root is None:
        return _whole(page, wanted)
    return _Differing(page, page.value).at(page.root, wanted, ())


def _done(page: Page, change: _Change, wanted: Any) -> str:
    """The text with the change, or with a larger one."""
    while True:
        after = _tried(page, change)
        if after is not None:
            return after
        if not change.path:
            raise CannotEdit(
                "this file is written in a way that can't be edited piece by piece",
                fix="change it by hand: `yaat config edit`",
            )
        change = _replace(page, change.path[:-1], _at(wanted, change.path[:-1]), page.value)


def _tried(page: Page, change: _Change) -> str | None:
    try:
        text = change.text(page)
        return text if same(Page.of(text).value, change.meaning) else None
    except (ConfigError, LookupError, ValueError):
        return None


def _whole(page: Page, wanted: Any) -> _Change:
    return _Change((), lambda page: splices.replaced(page, (), wanted), wanted)


def _replace(page: Page, path: KeyPath, value: Any, before: Any) -> _Change:
    return _Change(path, lambda page: splices.replaced(page, path, value), with_value(before, path, value))


@attrs.frozen
class _Differing:
    page: Page
    whole: Any

    def at(self, node: Node, wanted: Any, path: KeyPath) -> _Change | None:
        """The first change below a node; None when it means what is wanted."""
        there = plain_value(node)
        if same(there, wanted):
            return None
        if isinstance(node, Table) and isinstance(wanted, dict) and node.entries and wanted:
            return self._table(node, wanted, path) or self._replace(path, wanted)
        if isinstance(node, Items) and isinstance(wanted, list) and node.nodes and wanted:
            return self._items(node, there, wanted, path)
        return self._replace(path, wanted)

    def _table(self, node: Table, wanted: dict[str, Any], path: KeyPath) -> _Change | None:
        gone = [name for name in node.entries if name not in wanted]
        if len(gone) == len(node.entries):
            return self._replace(path, wanted)
        if gone:
            return self._remove((*path, gone[0]))
        for name, (_, value) in node.entries.items():
            change = self.at(value, wanted[name], (*path, name))
            if change is not None:
                return change
        name = next(name for name in wanted if name not in node.entries)
        value = wanted[name]
        return _Change(
            (*path, name),
            lambda page: splices.with_entry(page, path, name, value),
            with_value(self.whole, (*path, name), value),
        )

    def _items(self, node: Items, there: list[Any], wanted: list[Any], path: KeyPath) -> _Change | None:
        matching = difflib.SequenceMatcher(None, _hashable(there), _hashable(wanted), autojunk=False)
        for what, first, _, new, _ in matching.get_opcodes():
            if what == "equal":
                continue
            if what == "replace":
                return self.at(node.nodes[first], wanted[new], (*path, first))
            if what == "insert":
                return self._insert(path, first, wanted[new], there)
            if len(there) > 1:
                return self._remove((*path, first))
        return self._replace(path, wanted)

    def _insert(self, path: KeyPath, index: int, value: Any, there: list[Any]) -> _Change:
        after = [*there[:index], value, *there[index:]]
        return _Change(
            (*path, index),
            lambda page: splices.with_item(page, path, index, value),
            with_value(self.whole, path, after),
        )

    def _remove(self, path: KeyPath) -> _Change:
        return _Change(path, lambda page: splices.removed(page, path), without(self.whole, path))

    def _replace(self, path: KeyPath, value: Any) -> _Change:
        return _replace(self.page, path, value, self.whole)


def with_value(whole: Any, path: KeyPath, value: Any) -> Any:
    """The whole with a value at a path; mappings on the way there are made."""
    if not path:
        return value
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        if not isinstance(whole, list) or not 0 <= part <= len(whole):
            raise LookupError(part)
        below = with_value(whole[part] if part < len(whole) else None, rest, value)
        return [*whole[:part], below, *whole[part + 1 :]]
    if whole is None:
        whole = {}
    if not isinstance(whole, dict):
        raise LookupError(part)  # noqa: TRY004 - the path is not there
    return {**whole, part: with_value(whole.get(part), rest, value)}


def without(whole: Any, path: KeyPath) -> Any:
    """The whole without what is at a path."""
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        if not isinstance(whole, list) or not 0 <= part < len(whole):
            raise LookupError(part)
        between = [without(whole[part], rest)] if rest else []
        return [*whole[:part], *between, *whole[part + 1 :]]
    if not isinstance(whole, dict) or part not in whole:
        raise LookupError(part)
    if rest:
        return {**whole, part: without(whole[part], rest)}
    return {name: one for name, one in whole.items() if name != part}


def _at(value: Any, path: KeyPath) -> Any:
    for part in path:
        value = value[part]
    return value


def _hashable(values: list[Any]) -> list[str]:
    return [json.dumps(one, sort_keys=True) for one in values]
