"""Globs to paths. One scan costs a ``stat`` for each folder; a folder is listed again only when it changed.

Patterns are absolute. ``*``, ``?`` and ``[...]`` match within a name (not a leading dot), ``**`` matches any
depth of folders without following links. Exclusions without a slash are matched against the name,
others against the whole path.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import attrs

_WILD: Final = re.compile(r"[*?\[]")
#: A listing is trusted only when the folder had not changed for this long before it was read (timestamps are coarse).
_SETTLED_NS: Final = 2_000_000_000
#: A listing is read again after this long in any case (file systems that keep no change times).
_TRUST_SECONDS: Final = 30.0

Token = tuple[int, int]
"""What changes when another file stands at a path: (device or 0, inode)."""


@attrs.frozen(eq=False)
class _Listing:
    """The entries of a folder: name to inode, by kind; ``chosen`` keeps what patterns picked of the files."""

    changed_ns: int
    read_at: float
    trusted: bool
    files: dict[str, int]
    folders: list[str]
    links: list[str]
    chosen: dict[str, dict[str, Token]] = attrs.field(factory=dict)


class Finder:
    """Finds the files of some patterns, again and again."""

    def __init__(
        self,
        patterns: Sequence[str],
        exclude: Sequence[str] = (),
        *,
        on_error: Callable[[str, OSError], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``on_error`` is told of each folder that can't be listed or passed, at every scan; what it held before is believed."""
        self._patterns = [_parts(pattern) for pattern in patterns]
        self._expressions = [re.compile(_expression(pattern)) for pattern in patterns]
        self._exclude = exclusion(exclude)
        self._on_error = on_error
        self._clock = clock
        self._listings: dict[str, _Listing] = {}
        self._plain: set[str] = set()
        self._targets: dict[str, tuple[Token, str]] = {}
        self._target_folders: frozenset[str] = frozenset()

    def selects(self, path: str) -> bool:
        """Would this path be found, if it existed?"""
        return not self._exclude(path) and any(one.match(path) for one in self._expressions)

    def concerns(self, path: str) -> bool:
        """May a change of this path be one of a file that is selected? For any thread."""
        return self.selects(path) or os.path.dirname(path) in self._target_folders

    def folders(self) -> frozenset[str]:
        """The folders that the last scan looked into, and those in which the targets of links lie."""
        return frozenset(self._listings) | self._plain | self._target_folders

    def find(self) -> dict[str, Token]:
        """Every path that matches and is not excluded, with its token."""
        found: dict[str, Token] = {}
        used: set[str] = set()
        self._plain = set()
        for parts in self._patterns:
            for some in self._walk(parts, used):
                found.update(some)
        self._listings = {folder: kept for folder, kept in self._listings.items() if folder in used}
        self._targets = {path: kept for path, kept in self._targets.items() if path in found}
        self._target_folders = frozenset(folder for _, folder in self._targets.values())
        return found

    def _walk(self, parts: Sequence[str], used: set[str]) -> Iterator[dict[str, Token]]:
        waiting = [("/", 0)]
        while waiting:
            folder, depth = waiting.pop()
            part, last = parts[depth], depth == len(parts) - 1
            if part == "**":
                listing = self._list(folder, used)
                waiting += [(os.path.join(folder, name), depth) for name in listing.folders if name[0] != "."]
                waiting.append((folder, depth + 1))
            elif last:
                yield from self._files(folder, part, used)
            elif _WILD.search(part):
                listing = self._list(folder, used)
                names = [name for name in listing.folders + listing.links if _fits(name, part)]
                waiting += [
                    (path, depth + 1) for name in names if os.path.isdir(path := os.path.join(folder, name))
                ]
            else:
                waiting.append((os.path.join(folder, part), depth + 1))

    def _files(self, folder: str, part: str, used: set[str]) -> Iterator[dict[str, Token]]:
        if not _WILD.search(part):
            self._plain.add(folder)
            yield self._resolved(os.path.join(folder, part), on_denied=folder)
            return
        listing = self._list(folder, used)
        if part not in listing.chosen:
            paths = {
                os.path.join(folder, name): (0, inode)
                for name, inode in listing.files.items()
                if _fits(name, part)
            }
            listing.chosen[part] = {path: token for path, token in paths.items() if not self._exclude(path)}
        yield listing.chosen[part]
        for name in listing.links:
            if _fits(name, part):
                yield self._resolved(os.path.join(folder, name))

    def _resolved(self, path: str, *, on_denied: str = "") -> dict[str, Token]:
        """The path with its target's token, when there is one that is no folder. ``on_denied``: the folder to tell of."""
        try:
            status = os.stat(path)
        except OSError as error:
            if on_denied and isinstance(error, PermissionError):
                self._on_error(on_denied, error)
            return {}
        if stat.S_ISDIR(status.st_mode) or self._exclude(path):
            return {}
        token = (status.st_dev, status.st_ino)
        if self._targets.get(path, ("", ""))[0] != token:
            self._targets[path] = (token, os.path.dirname(os.path.realpath(path)))
        return {path: token}

    def _list(self, folder: str, used: set[str]) -> _Listing:
        known = self._listings.get(folder)
        if known is not None and folder in used:
            return known
        used.add(folder)
        try:
            changed = os.stat(folder).st_mtime_ns
            fresh = known is not None and known.trusted and known.changed_ns == changed
            if known is not None and fresh and self._clock() - known.read_at < _TRUST_SECONDS:
                return known
            listing = _read(folder, changed, self._clock())
        except (FileNotFoundError, NotADirectoryError):
            listing = _Listing(0, 0.0, False, {}, [], [])
        except OSError as error:
            self._on_error(folder, error)
            listing = known or _Listing(0, 0.0, False, {}, [], [])
        self._listings[folder] = listing
        return listing


def exclusion(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Tells whether a path is excluded."""
    names = [re.compile(fnmatch.translate(pattern)) for pattern in patterns if "/" not in pattern]
    paths = [re.compile(_expression(pattern)) for pattern in patterns if "/" in pattern]

    def excluded(path: str) -> bool:
        name = os.path.basename(path)
        return any(one.match(name) for one in names) or any(one.match(path) for one in paths)

    return excluded


def matches(pattern: str, path: str) -> bool:
    """Would `Finder` find ``path`` (absolute) by ``pattern``, if it existed?"""
    return re.match(_expression(pattern), path) is not None


def _read(folder: str, changed: int, now: float) -> _Listing:
    files: dict[str, int] = {}
    folders: list[str] = []
    links: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                links.append(entry.name)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                files[entry.name] = entry.inode()
    trusted = time.time_ns() - changed > _SETTLED_NS
    return _Listing(changed, now, trusted, files, sorted(folders), sorted(links))


def _parts(pattern: str) -> list[str]:
    parts = [part for part in os.path.normpath(pattern).split("/") if part]
    joined = [
        part for part, after in zip(parts, [*parts[1:], ""], strict=True) if (part, after) != ("**", "**")
    ]
    return [*joined, "*"] if joined and joined[-1] == "**" else joined


def _fits(name: str, pattern: str) -> bool:
    if name.startswith(".") and not pattern.startswith("."):
        return False
    return fnmatch.fnmatchcase(name, pattern)


def _expression(pattern: str) -> str:
    """A regular expression of a pattern with slashes."""
    return "".join(_expressions(_parts(pattern))) + r"\Z"


def _expressions(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        yield r"(?:/[^/]+)*" if part == "**" else "/" + _within_name(part)


def _within_name(part: str) -> str:
    """As `fnmatch.translate`, but nothing matches a slash and no group is named."""
    pieces = re.findall(r"\[!?\]?[^\]]*\]|.", part, re.DOTALL)
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 2 and piece.startswith("["):
        body = piece[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[^{body[1:]}]" if body.startswith("!") else f"[{body}]"
    return re.escape(piece)
