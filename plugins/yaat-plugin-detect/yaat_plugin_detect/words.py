"""Words of configuration files: nginx's, Apache's, and `name = value` files. Bad text gives odd words, never an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

#: ngx_conf_read_token: quotes count at the beginning of a word only, `${name}` is no block.
_NGINX: Final = re.compile(
    r"""(?P<gap>\s+|\#[^\n]*)|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<end>[;{}])"""
    r"""|(?P<word>(?:\$\{[^}\s]*\}|\\.|[^\s;{}])+)|(?P<odd>.)""",
    re.DOTALL,
)
_NGINX_ESCAPE: Final = re.compile(r"""\\(["'\\tnr])""")
_LETTERS: Final = {"t": "\t", "n": "\n", "r": "\r"}
_APACHE: Final = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<word>\S+)', re.DOTALL)
_SETTING: Final = re.compile(
    r"""^[ \t]*(?P<name>[A-Za-z_][\w.-]*)[ \t]*[=: \t][ \t]*(?P<value>'(?:[^'\n\\]|''|\\.)*'|"(?:[^"\n\\]|\\.)*"|[^#;\n]*)""",
    re.M,
)


def nginx_statements(text: str) -> Iterator[tuple[list[str], str]]:
    """Directives and the beginnings and ends of blocks: words, and one of ``;``, ``{``, ``}``."""
    words: list[str] = []
    for match in _NGINX.finditer(text):
        kind = match.lastgroup
        if kind == "end":
            yield words, match["end"]
            words = []
        elif kind == "word":
            words.append(match["word"])
        elif kind in ("double", "single"):
            words.append(_NGINX_ESCAPE.sub(lambda hit: _LETTERS.get(hit[1], hit[1]), match[kind]))


def apache_directives(text: str) -> Iterator[list[str]]:
    """Directives with their arguments; `<Section ...>` lines as they are."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            yield [
                match["word"] if match["quoted"] is None else re.sub(r'\\(["\\])', r"\1", match["quoted"])
                for match in _APACHE.finditer(line)
            ]


def settings(text: str) -> Iterator[tuple[str, str]]:
    """`name = value`, `name: value` and `name value` lines, quotes taken off, in their order."""
    for match in _SETTING.finditer(text):
        value = match["value"].strip()
        if value[:1] == value[-1:] == "'" and len(value) > 1:
            value = value[1:-1].replace("''", "'")
        elif value[:1] == value[-1:] == '"' and len(value) > 1:
            value = value[1:-1]
        yield match["name"], value
