"""The structured data of RFC 5424, section 6.3, as tags."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa

from yaat_core.event import TAGS_TYPE

_PREFIX: Final = "log.syslog.structured_data."
_ELEMENT: Final = re.compile(r'\[([^ =\]"]+)((?: [^ =\]"]+="(?:[^"\\]|\\.)*")*)\]', re.DOTALL)
_PARAMETER: Final = re.compile(r' ([^ =\]"]+)="((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED: Final = re.compile(r'\\(["\\\]])')


def tags_of(column: Any) -> Any:
    """Tags `log.syslog.structured_data.ID.NAME` of each row; texts repeat, so that each is read once."""
    coded = column.dictionary_encode()
    maps = pa.array([list(_read(text)) for text in coded.dictionary.to_pylist()] + [[]], TAGS_TYPE)
    return maps.take(coded.indices.fill_null(len(maps) - 1))


@lru_cache(maxsize=1024)
def _read(text: str) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for name, parameters in _ELEMENT.findall(text):
        values = _PARAMETER.findall(parameters)
        if not values:
            found.setdefault(f"{_PREFIX}{name}", "")
        for key, value in values:
            _add(found, f"{_PREFIX}{name}.{key}", _ESCAPED.sub(r"\1", value))
    return tuple(found.items())


def _add(found: dict[str, str], key: str, value: str) -> None:
    """A parameter may come again (section 6.3.3): it gets a number."""
    number, name = 1, key
    while name in found:
        number += 1
        name = f"{key}.{number}"
    found[name] = value
