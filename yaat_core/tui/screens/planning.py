"""A plan of what is done to the machine, as screens show it: the document of `yaat service install --dry-run --json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from yaat_core.service.plan import VERBS
from yaat_core.tui.text import safe, size
from yaat_core.tui.widgets.table import Column, Table

_STYLES: Final = {"remove": "class:error", "stays": "class:ok", "is so already": "class:dim"}


@attrs.frozen(kw_only=True)
class Row:
    """A step, or something that stays."""

    does: str
    what: str
    where: str
    bytes: int | None
    detail: str


def rows(plan: Mapping[str, Any]) -> Sequence[Row]:
    """The steps in order, then what stays."""
    made = [
        Row(
            does="is so already" if step["done"] else VERBS[step["kind"]],
            what=step["what"],
            where=step["target"] or " ".join(step["command"]),
            bytes=step["bytes"],
            detail="\n".join(
                filter(None, [step["what"], step["target"], " ".join(step["command"]), step["text"]])
            ),
        )
        for step in plan["steps"]
    ]
    made += [
        Row(
            does="stays",
            what=one["what"] + (f": {one['why']}" if one["why"] else ""),
            where=one["where"],
            bytes=one["bytes"],
            detail="\n".join(filter(None, [one["what"], one["where"], one["why"], one["remove"]])),
        )
        for one in plan["stays"]
    ]
    return made


def lines(plan: Mapping[str, Any]) -> Sequence[str]:
    """The steps that change something, a line each, and the notes."""
    steps = [f"{row.does} {row.where}" for row in rows(plan) if row.does not in ("stays", "is so already")]
    return [*map(safe, steps), *map(safe, plan["notes"])]


def table(empty: str, open: Any) -> Table[Row]:
    """An empty table of such rows."""
    return Table(
        [
            Column(title="does", value=lambda one: one.does, least=8,
                   style=lambda one: _STYLES.get(one.does, "")),
            Column(title="where", value=lambda one: one.where, least=16, stretch=True),
            Column(title="size", value=lambda one: "" if one.bytes is None else size(one.bytes), align="right", least=7, drop=2,
                   sort=lambda one: one.bytes or 0),
            Column(title="what", value=lambda one: one.what, least=20, drop=1),
        ],
        identity=lambda one: (one.does, one.what, one.where),
        empty=empty,
        open=open,
        open_does="it in full",
    )  # fmt: skip
