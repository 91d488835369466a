"""Words and numbers for severities to the five levels of the schema, on whole columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

_WORDS: Final[Mapping[str, str]] = {
    "debug": "trace debug verbose fine finer finest dbg trc t d v spam "
    "trace1 trace2 trace3 trace4 trace5 trace6 trace7 trace8 debug1 debug2 debug3 debug4 debug5",
    "info": "info information informational notice note success config system log inf i n",
    "warning": "warn warning wrn w",
    "error": "error err severe failure e",
    "critical": "critical crit fatal panic dpanic alert emerg emergency ftl f c",
}
WORDS: Final[Mapping[str, str]] = {word: level for level, words in _WORDS.items() for word in words.split()}

#: pino and bunyan: 10 is trace, 60 fatal.
DECIMAL: Final[Mapping[str, str]] = {
    "10": "debug",
    "20": "debug",
    "30": "info",
    "40": "warning",
    "50": "error",
    "60": "critical",
}
#: RFC 5424, section 6.2.1; grouped as journald's priorities are.
SYSLOG: Final[Mapping[str, str]] = {
    "0": "critical",
    "1": "critical",
    "2": "critical",
    "3": "error",
    "4": "warning",
    "5": "info",
    "6": "info",
    "7": "debug",
}


def parse(column: Any, numbers: Mapping[str, str] = DECIMAL) -> Any:
    """Levels of a string array; null where the word or number means none."""
    coded = column.dictionary_encode()
    known = [_level(text, numbers) for text in coded.dictionary.to_pylist()]
    return pa.array(known, pa.string()).take(coded.indices)


def _level(text: str, numbers: Mapping[str, str]) -> str | None:
    word = text[:20].strip().lower() if len(text) < 40 else ""
    return WORDS.get(word) or numbers.get(word)
