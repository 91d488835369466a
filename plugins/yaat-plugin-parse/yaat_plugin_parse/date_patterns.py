"""Patterns of times that users or programs write, as parts of a template: names of slots are pieces of `moments`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import TIME_TYPE
from yaat_plugin_parse import moments
from yaat_plugin_parse.templates import Part, Slot, Template, compiled

_TWO: Final = r"\d\d"
_NAME: Final = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[A-Za-z]{0,6}"
_ZONE: Final = r"Z|(?:UTC|GMT)?[+-]\d\d:?\d\d|[+-]\d\d|[A-Z]{2,5}"
_ZONE_ID: Final = r"[A-Z][A-Za-z_]+(?:/[A-Za-z_+-]+)+|[A-Z]{1,5}"
_WORD: Final = r"[A-Za-z]+"

#: Letters of strftime (POSIX, and Python's %f); aliases below.
_STRFTIME: Final[Mapping[str, Slot]] = {
    "Y": Slot("year", r"\d{4}"),
    "y": Slot("year", _TWO),
    "m": Slot("month", r"\d{1,2}"),
    "b": Slot("mon", _NAME),
    "B": Slot("mon", _NAME),
    "h": Slot("mon", _NAME),
    "d": Slot("day", r"\d{1,2}"),
    "e": Slot("day", r" ?\d{1,2}"),
    "j": Slot("doy", r"\d{1,3}"),
    "H": Slot("hour", r"\d{1,2}"),
    "k": Slot("hour", r" ?\d{1,2}"),
    "I": Slot("hour", r"\d{1,2}"),
    "l": Slot("hour", r" ?\d{1,2}"),
    "M": Slot("minute", _TWO),
    "S": Slot("second", _TWO),
    "f": Slot("fraction", r"\d{1,9}"),
    "p": Slot("ampm", r"[AaPp][Mm]"),
    "z": Slot("zone", _ZONE),
    "Z": Slot("zone", _ZONE),
    "a": Slot("", _WORD),
    "A": Slot("", _WORD),
    "s": Slot("epoch", r"\d{1,11}"),
}
_ALIASES: Final = {"T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "F": "%Y-%m-%d", "c": "%a %b %e %H:%M:%S %Y",
                   "r": "%I:%M:%S %p", "n": "\n", "t": "\t", "%": "%"}  # fmt: skip
_DIRECTIVE: Final = re.compile(r"%[-_0^#EO]?(.)", re.DOTALL)

#: Runs of a letter in java.text.SimpleDateFormat and java.time.format.DateTimeFormatter.
_JAVA: Final = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z']+)")
_JAVA_LETTERS: Final[Mapping[str, tuple[str, str]]] = {
    "d": ("day", r"\d{1,2}"),
    "D": ("doy", r"\d{1,3}"),
    "H": ("hour", r"\d{1,2}"),
    "k": ("hour", r"\d{1,2}"),
    "h": ("hour", r"\d{1,2}"),
    "K": ("hour", r"\d{1,2}"),
    "m": ("minute", r"\d{1,2}"),
    "s": ("second", r"\d{1,2}"),
    "S": ("fraction", r"\d{1,9}"),
    "n": ("fraction", r"\d{1,9}"),
    "a": ("ampm", r"[AaPp][Mm]"),
    "z": ("zone", _ZONE_ID),
    "Z": ("zone", _ZONE),
    "X": ("zone", _ZONE),
    "x": ("zone", _ZONE),
    "V": ("zone", _ZONE_ID),
    "E": ("", _WORD),
    "e": ("", _WORD),
    "u": ("year", r"\d{4}"),
}


def strftime(text: str) -> Iterator[str | Slot]:
    """Parts of a template from strftime's directives.

    Raises:
        ValueError: one that is not known.
    """
    place = 0
    for match in _DIRECTIVE.finditer(text):
        if match.start() > place:
            yield text[place : match.start()]
        place = match.end()
        letter = match[1]
        if letter in _STRFTIME:
            yield _STRFTIME[letter]
        elif letter in "%nt":
            yield _ALIASES[letter]
        elif letter in _ALIASES:
            yield from strftime(_ALIASES[letter])
        else:
            raise ValueError(f"unknown directive %{letter} in the time format {text!r}")
    if place < len(text):
        yield text[place:]


def java(text: str) -> Iterator[str | Slot]:
    """Parts of a template from a pattern of Java's date formats.

    Raises:
        ValueError: a letter that is not known.
    """
    place = 0
    while place < len(text):
        match = _JAVA.match(text, place)
        if match is None:
            raise ValueError(f"unfinished quote in the date pattern {text!r}")
        place = match.end()
        if match[1] is not None:
            yield match[1].replace("''", "'") or "'"
        elif match[3] is not None:
            yield match[3]
        else:
            yield _java_slot(match[2], len(match[0]), text)


def _java_slot(letter: str, count: int, text: str) -> Slot:
    if letter in "yY" or letter == "u":
        return Slot("year", r"\d\d" if count == 2 else r"\d{4}")
    if letter in "ML":
        return Slot("mon", _NAME) if count > 2 else Slot("month", r"\d{1,2}")
    if letter not in _JAVA_LETTERS:
        raise ValueError(f"unknown letter {letter!r} in the date pattern {text!r}")
    return Slot(*_JAVA_LETTERS[letter])


def template_of(text: str) -> Template:
    """Whole texts that strftime wrote.

    Raises:
        ValueError: an unknown directive, or none at all.
    """
    parts: list[Part] = list(strftime(text))
    return compiled(parts)


def read(template: Template, column: Any, zone: tzinfo, now_us: int | None = None) -> Any:
    """Times of a string array by a template of `template_of`; null where it does not fit."""
    coded = column.dictionary_encode()
    found = pa.nulls(len(coded.dictionary), TIME_TYPE)
    for fields in template.read(coded.dictionary):
        mask = np.zeros(len(found), bool)
        mask[fields.rows] = True
        found = pc.replace_with_mask(found, pa.array(mask), moments.times(fields.columns, zone, now_us))
    return found.take(coded.indices)
