"""What a test found, to read: sample lines with what became of each, or the steps of a sink's check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from yaat_core.sampling import SampleLine, Tested
from yaat_core.tui.text import Line, clip, safe, wrap
from yaat_core.tui.widgets.scrolling import Offset

#: Columns of an event worth showing, in this order; the others follow from `tags`.
_FIELDS: Final = ("timestamp", "level", "service_name", "operation", "status_code", "duration_ms", "message")


class Sampled(Offset):
    """Set `found`, or `told` while there is nothing to show."""

    name = "preview"
    help = "Each line as it was read, redacted, and the fields that were found in it."

    def __init__(self, told: str = "") -> None:
        super().__init__()
        self.found: Tested | None = None
        self.told = told

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """Everything, scrolled."""
        if self.found is None:
            return [
                [("class:dim", f" {line}")] for line in wrap(safe(self.told, lines=True), max(8, width - 2))
            ]
        return self.shown(list(self._lines(self.found, max(10, width))), height)

    def summary(self) -> str:
        """For the pane's title."""
        found = self.found
        if found is None:
            return ""
        if not found.lines:
            return "works" if found.ok else "not well"
        number = len(found.lines)
        said = f"{number} line{'s' * (number != 1)}, format {found.format}"
        return said if found.parsed_share is None else f"{said}, {1 - found.parsed_share:.0%} unparsed"

    def copied(self) -> str:
        """The lines as text."""
        return self.dump()

    def dump(self) -> str:
        """All of it."""
        lines = self._lines(self.found, 200) if self.found else iter(())
        return "\n".join("".join(text for _, text in line).rstrip() for line in lines)

    def _lines(self, found: Tested, width: int) -> Iterator[Line]:
        glyphs = self.shell.glyphs
        for finding in found.findings:
            bad = finding.level == "error"
            sign = glyphs.error if bad else glyphs.warn
            yield from _wrapped(f" {sign} ", finding.problem, width, "class:error" if bad else "class:warn")
            if finding.advice:
                yield from _wrapped("   fix: ", finding.advice, width)
        for step in found.passed:
            yield from _wrapped(f" {glyphs.yes} ", step, width, "class:ok")
        if found.ok and not (found.passed or found.findings or found.lines or found.notes):
            yield [("class:ok", f" {glyphs.yes} "), ("", "nothing is wrong with it")]
        for note in found.notes:
            yield from _wrapped(f" {glyphs.off} ", note, width, "class:dim")
        for component, number in found.dropped.items():
            yield from _wrapped(
                f" {glyphs.warn} ", f"{component} dropped {number} of them", width, "class:warn"
            )
        for line in found.lines:
            yield from self._sample(found, line, width)

    def _sample(self, found: Tested, line: SampleLine, width: int) -> Iterator[Line]:
        glyphs = self.shell.glyphs
        kind = "ok" if line.parsed else "off" if found.parsed_share is None else "warn"
        sign = glyphs.yes if line.parsed else getattr(glyphs, kind)
        yield [(f"class:{kind}", f" {sign} "), ("", clip(safe(line.raw.split("\n")[0]), width - 4))]
        if line.event is None:
            yield [("class:warn", "   dropped")]
            return
        for text in wrap(safe("  ".join(fields(line.event))), width - 5) if line.parsed else ():
            yield [("class:dim", f"   {text}")]


def fields(event: Mapping[str, Any]) -> Iterator[str]:
    """``name=value`` of what an event has."""
    for name in _FIELDS:
        if event.get(name) not in (None, "", {}):
            yield f"{name}={event[name]}"
    tags = event.get("tags")
    for name, value in tags.items() if isinstance(tags, Mapping) else ():
        yield f"{name}={value}"


def _wrapped(lead: str, text: str, width: int, style: str = "") -> Iterator[Line]:
    for number, line in enumerate(wrap(safe(text, lines=True), max(8, width - len(lead) - 1))):
        yield [
            (style, lead if number == 0 else " " * len(lead)),
            ("" if style != "class:dim" else style, line),
        ]
