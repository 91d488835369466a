"""Fields of a template to columns of the event, the time by its pieces where the template has them."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import attrs
import pyarrow.compute as pc

from yaat_core.tags import from_columns, merge
from yaat_plugin_parse import moments
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.naming import Names, assign
from yaat_plugin_parse.templates import Template

_PIECE: Final = "time."


@attrs.frozen
class Written:
    """A format made of one template. Slots named as columns go there, ``time.*`` are pieces of the time, others are tags."""

    template: Template
    zone: tzinfo
    names: Names

    def fits(self, lines: Any) -> Any:
        """Where the template reads the line."""
        return self.template.fits(lines)

    def parse(self, lines: Any) -> list[Found]:
        """Each line that the template reads."""
        return [
            found_in(fields, self.zone, self.names)
            for fields in self.template.read(lines, empty=("message",))
        ]


def found_in(fields: Fields, zone: tzinfo, names: Names) -> Found:
    """Values of a template to columns."""
    columns = {
        name: value if name == "message" else pc.utf8_trim_whitespace(value)
        for name, value in fields.columns.items()
    }
    pieces = {
        name.removeprefix(_PIECE): columns.pop(name) for name in list(columns) if name.startswith(_PIECE)
    }
    found = assign(attrs.evolve(fields, columns=columns), names)
    if not pieces:
        return found
    times = moments.times(pieces, zone)
    if times.null_count and (impossible := _texts(pieces, times)) is not None:
        found = attrs.evolve(found, tags=impossible if found.tags is None else merge(found.tags, impossible))
    return attrs.evolve(found, columns={**found.columns, "timestamp": times})


def _texts(pieces: dict[str, Any], times: Any) -> Any:
    """The pieces of impossible times, so that none is lost."""
    missing = times.is_null()
    texts = {f"timestamp.raw.{name}": pc.if_else(missing, text, None) for name, text in pieces.items()}
    present: dict[str, Any] = {name: text for name, text in texts.items() if text.null_count < len(text)}
    return from_columns(len(times), present) if present else None
