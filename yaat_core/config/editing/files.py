"""The files of a configuration as they lie there: the main one and those that it includes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from yaat_core.config.editing.page import Page
from yaat_core.config.editing.paths import PROCESSORS, processor_name
from yaat_core.config.nodes import Items, KeyPath, Table, plain_value
from yaat_core.config.parsing import MAX_BYTES
from yaat_core.config.problems import ConfigError
from yaat_core.config.text import read_text, shown_name

_BOM: Final = "\ufeff"


@attrs.frozen
class ConfigFile:
    """One file. ``data`` is None when there is none yet."""

    path: Path
    data: bytes | None

    @classmethod
    def read(cls, path: Path) -> ConfigFile:
        """What lies there.

        Raises:
            ConfigError: it can't be read, is too large, or is no text.
        """
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return cls(path, None)
        except OSError:
            pass  # told by what follows
        read_text(path)
        data = path.read_bytes()[: MAX_BYTES + 1]
        return cls(path, data)

    @property
    def text(self) -> str:
        """What it says, with its own line breaks."""
        return (self.data or b"").decode("utf-8-sig")

    @property
    def hash(self) -> str:
        """SHA-256 of its bytes; empty when there is no file."""
        return "" if self.data is None else hash_of(self.data)

    def bytes_of(self, text: str) -> bytes:
        """Another text as this file writes it."""
        bom = self.data is not None and self.data.startswith(_BOM.encode())
        return ((_BOM if bom else "") + text).encode()

    def page(self) -> Page:
        """Its text with its tree.

        Raises:
            ConfigError: it is not YAML.
        """
        return Page.of(self.text, shown_name(self.path))


def hash_of(data: bytes) -> str:
    """The hash that tells one state of a file from another."""
    return hashlib.sha256(data).hexdigest()


@attrs.frozen
class ConfigFiles:
    """The main file first. Included ones are known as far as the main file can be read."""

    files: tuple[ConfigFile, ...]

    @classmethod
    def read(cls, main: Path) -> ConfigFiles:
        """All that are there now.

        Raises:
            ConfigError: the main file can't be read as text.
        """
        main = Path(os.path.abspath(main))
        first = ConfigFile.read(main)
        return cls((first, *_included(first)))

    @property
    def main(self) -> ConfigFile:
        """The file that names the others."""
        return self.files[0]

    def of(self, path: Path | None) -> ConfigFile:
        """The file of a path; None: the main one.

        Raises:
            UsageError: it is not one of these.
        """
        from yaat_core.errors import UsageError

        if path is None:
            return self.main
        found = next((one for one in self.files if one.path == Path(os.path.abspath(path))), None)
        if found is None:
            names = ", ".join(shown_name(one.path) for one in self.files)
            raise UsageError(f"{path} is no file of this configuration", fix=f"it is made of: {names}")
        return found

    def holding(self, path: KeyPath) -> ConfigFile | None:
        """The file in which a component, a tag or another key of the first level stands."""
        for one in self.pages():
            if _holds(one[1], path):
                return one[0]
        return None

    def pages(self) -> Iterator[tuple[ConfigFile, Page]]:
        """Each file that is YAML, with its tree."""
        for one in self.files:
            try:
                yield one, one.page()
            except ConfigError:
                continue

    def with_texts(self, texts: Mapping[Path, str]) -> dict[Path, str]:
        """What `load` is to read instead of the files."""
        return {path: text.replace("\r\n", "\n") for path, text in texts.items()}


def _included(main: ConfigFile) -> Iterator[ConfigFile]:
    from yaat_core.config.including import read

    if main.data is None:
        return
    try:
        paths = read(main.path).files
    except ConfigError:
        return
    for path in dict.fromkeys(paths):
        try:
            yield ConfigFile.read(path)
        except ConfigError:
            continue


def _holds(page: Page, path: KeyPath) -> bool:
    if not isinstance(page.root, Table) or not path:
        return False
    node = page.root.get(str(path[0]))
    if node is None or len(path) == 1:
        return node is not None
    if path[0] == PROCESSORS:
        return isinstance(node, Items) and any(
            processor_name(plain_value(one)) == path[1] for one in node.nodes
        )
    if path[0] in ("sources", "sinks", "tags"):
        return isinstance(node, Table) and _has(node, path[1:])
    return True


def _has(table: Table, rest: KeyPath) -> bool:
    """A name with dots may come in several parts."""
    names = [".".join(str(one) for one in rest[:count]) for count in range(1, len(rest) + 1)]
    return any(name in table.entries for name in names)
