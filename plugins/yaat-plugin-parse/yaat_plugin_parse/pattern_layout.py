"""log4j's ``PatternLayout`` and Logback's encoder patterns as templates.

https://logging.apache.org/log4j/2.x/manual/pattern-layout.html, https://logback.qos.ch/manual/layouts.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from yaat_plugin_parse import date_patterns
from yaat_plugin_parse.templates import Part, Slot, Template, compiled

_WORD: Final = re.compile(r"%(?P<pad>-?0?\d+)?(?:\.-?\d+)?(?P<word>[A-Za-z]+|%)")
_PROPERTY: Final = re.compile(r"\$\{[^{}]*?(?::-?(?P<default>[^{}]*))?\}")
_TIME: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_ANSI: Final = r"(?:\x1b\[[0-9;]*m)*"
_NUMBER: Final = r"\d+|\?"

_SLOTS: Final[Mapping[str, Slot]] = {
    name: slot
    for names, slot in (
        ("p level le priority", Slot("level", r"[A-Za-z]+")),
        ("c logger lo", Slot("logger", r"[^\s\]:,]*")),
        ("t tn thread threadName", Slot("thread.name")),
        ("T tid threadId", Slot("thread.id", r"\d+")),
        ("tp threadPriority", Slot("thread.priority", r"\d+")),
        ("F file", Slot("file", r"[^\s:()\]]*")),
        ("L line", Slot("line", _NUMBER)),
        ("M method", Slot("function", r"[^\s(:\]]*")),
        ("C class", Slot("class", r"[^\s\]:]*")),
        ("l location caller", Slot("location")),
        ("r relative", Slot("log4j.elapsed_ms", r"\d+")),
        ("pid processId", Slot("process.pid", r"\d*")),
        ("sn sequenceNumber", Slot("log4j.sequence", r"\d+")),
        ("N nano", Slot("log4j.nanoseconds", r"-?\d+")),
        ("u uuid", Slot("log4j.uuid")),
        ("x NDC", Slot("log4j.ndc")),
        ("marker markerSimpleName", Slot("log4j.marker")),
        ("kvp", Slot("log4j.pairs")),
        ("m msg message", Slot("message")),
    )
    for name in names.split()
}
#: What is written only when there is an exception: then the event has more lines, and they follow the message.
_SILENT_WORDS: Final = (
    "n ex exception throwable xEx xException xThrowable rEx rException rThrowable wEx wex nopex"
)
_SILENT: Final = frozenset(_SILENT_WORDS.split())
_WRAPPER_WORDS: Final = (
    "clr highlight style maxLen maxLength notEmpty varsNotEmpty variablesNotEmpty enc encode"
)
_WRAPPERS: Final = frozenset(_WRAPPER_WORDS.split())
#: What changes its argument, so that it can't be told from the text.
_REFUSED: Final = frozenset(["replace", "equals", "equalsIgnoreCase", "repeat", "map", "MAP", "K"])
_NAMED_DATES: Final[Mapping[str, str]] = {
    "ABSOLUTE": "HH:mm:ss,SSS",
    "DATE": "dd MMM yyyy HH:mm:ss,SSS",
    "COMPACT": "yyyyMMddHHmmssSSS",
}


def template_of(text: str) -> Template:
    """The template of a pattern.

    Raises:
        ValueError: a conversion word that is not known, or a date pattern that can't be read.
    """
    text = _PROPERTY.sub(
        lambda hit: hit["default"] or "", _PROPERTY.sub(lambda hit: hit["default"] or hit[0], text)
    )
    try:
        parts = _trimmed(list(_parts(text)))
        return compiled(parts)
    except ValueError as error:
        raise ValueError(f"pattern can't be read back: {error}") from None


def _trimmed(parts: list[Part]) -> list[Part]:
    """Without the line break at the end."""
    while parts and isinstance(parts[-1], str) and not parts[-1].strip():
        parts.pop()
    return parts


def _parts(text: str) -> Iterator[Part]:
    place = 0
    while place < len(text):
        match = _WORD.search(text, place)
        if match is None:
            yield text[place:]
            return
        if match.start() > place:
            yield text[place : match.start()]
        word, place = _known(match["word"]), match.end()
        place -= len(match["word"]) - len(word)
        arguments, place = _arguments(text, place)
        yield from _of_word(word, arguments, padded=match["pad"] is not None)


def _known(run: str) -> str:
    """The longest conversion word that letters begin with: `%msgx` is `%msg` and an x."""
    for length in range(len(run), 0, -1):
        if run[:length] in _ALL:
            return run[:length]
    raise ValueError(f"unknown conversion word %{run}")


def _arguments(text: str, place: int) -> tuple[list[str], int]:
    """What stands in braces or parentheses behind a word."""
    found: list[str] = []
    while place < len(text) and text[place] in "{(":
        if text[place] == "(" and found:
            break
        closing = _closing(text, place)
        found.append(text[place + 1 : closing])
        place = closing + 1
    return found, place


def _closing(text: str, place: int) -> int:
    opened, pair = 0, {"{": "}", "(": ")"}[text[place]]
    for index in range(place, len(text)):
        opened += (text[index] == text[place]) - (text[index] == pair)
        if not opened:
            return index
    raise ValueError(f"a brace is not closed in {text[place : place + 20]!r}")


def _of_word(word: str, arguments: list[str], *, padded: bool) -> Iterator[Part]:
    if word == "%":
        yield "%"
    elif word in ("d", "date"):
        yield from _date(arguments)
    elif word in ("X", "mdc", "MDC"):
        yield from _context(arguments[0] if arguments else "", padded=padded)
    elif word in _WRAPPERS:
        yield Slot("", _ANSI)
        yield from _parts(arguments[0] if arguments else "")
        yield Slot("", _ANSI)
    elif word in _REFUSED:
        raise ValueError(f"what %{word} writes can't be told from the line; use `regex`")
    elif word not in _SILENT:
        yield attrs.evolve(_SLOTS[word], padded=padded)


def _context(argument: str, *, padded: bool) -> Iterator[Part]:
    """One key of the diagnostic context (`key:-default`), or all of it as text."""
    key = argument.partition(":-")[0].strip()
    yield Slot(key if key and "," not in key else "log4j.context", padded=padded)


def _date(arguments: list[str]) -> Iterator[Part]:
    name = (arguments[0] if arguments else "").strip("\"' ")
    pattern = name.partition(", ")[0] if name.count(",") and "/" in name.partition(", ")[2] else name
    if pattern in ("UNIX", "UNIX_MILLIS"):
        yield Slot("timestamp", r"\d+")
    elif not pattern or pattern in ("DEFAULT", "STRICT") or pattern.startswith("ISO8601"):
        yield Slot("timestamp", _TIME)
    else:
        for part in date_patterns.java(_NAMED_DATES.get(pattern, pattern)):
            yield (
                part if isinstance(part, str) else attrs.evolve(part, name=part.name and f"time.{part.name}")
            )


_ALL: Final = frozenset({*_SLOTS, *_SILENT, *_WRAPPERS, *_REFUSED, "d", "date", "X", "mdc", "MDC", "%"})
