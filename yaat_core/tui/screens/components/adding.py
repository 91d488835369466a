"""What to add: something that was found on this machine, or a type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import trio

from yaat_core.actions.components import ComponentKind
from yaat_core.actions.detect import DETECT_RUN, DetectedSource, DetectGiven
from yaat_core.config.editing.types import TypeInfo
from yaat_core.errors import YaatError
from yaat_core.tui.dialogs import Buttons, Dialog
from yaat_core.tui.layout import Pane
from yaat_core.tui.screens.components.sheet import Draft
from yaat_core.tui.widgets.table import Column, Table

if TYPE_CHECKING:
    from yaat_core.tui.screen import Screen


async def chosen(
    screen: Screen, kind: ComponentKind, types: Sequence[TypeInfo], taken: Sequence[str]
) -> Draft | None:
    """A draft to fill in; None: nothing was chosen."""
    by_name = {one.name: one for one in types}
    dialog: Dialog
    list_ = _types(
        types, lambda one: dialog.answer(Draft(kind=kind, type=one, proposed=free(one.name, taken)))
    )
    found = _found(
        lambda one: dialog.answer(
            Draft(
                kind=kind,
                type=by_name[str(one.options["type"])],
                value=one.options,
                proposed=free(one.name, taken),
            )
        )
    )
    sources = kind == "sources"
    one = kind.removesuffix("s")
    dialog = Dialog(
        f"Add a {one}",
        [
            *([Pane(found, "Found on this machine, not read yet", weight=1)] if sources else []),
            Pane(list_, f"Types of {kind}", weight=2),
            Pane(Buttons(["Cancel"], lambda _: dialog.answer(None)), size=1),
        ],
        wide=110,
        high=len(types) + (16 if sources else 4),
        first=list_,
    )
    async with trio.open_nursery() as nursery:
        if sources:
            nursery.start_soon(_look, screen, found, by_name)
        draft: Draft | None = await screen.shell.ask(dialog)
        nursery.cancel_scope.cancel()
    return draft


def free(wanted: str, taken: Sequence[str]) -> str:
    """The name, or the name with a number that nobody has."""
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


async def _look(screen: Screen, found: Table[DetectedSource], types: dict[str, TypeInfo]) -> None:
    try:
        seen = await screen.call(DETECT_RUN, DetectGiven())
    except YaatError as error:
        found.empty = error.what
    else:
        found.rows = [
            one for one in seen.sources if not one.read_by and str(one.options.get("type")) in types
        ]
        read = sum(bool(one.read_by) for one in seen.sources)
        found.empty = (
            f"nothing that is not read already ({read} found)" if read else "nothing that has logs of its own"
        )
    screen.shell.changed()


def _types(types: Sequence[TypeInfo], open: Any) -> Table[TypeInfo]:
    made = Table(
        [
            Column(title="type", value=lambda one: one.name, least=11),
            Column(title="what it does", value=lambda one: one.summary, least=20, stretch=True),
            Column(title="plugin", value=lambda one: one.plugin, least=12, drop=1),
        ],
        identity=lambda one: one.name,
        empty="no plugin provides one",
        open=open,
        open_does="fill it in",
    )
    made.name = "types"
    # formats are rarely put between processors: a source names its own
    made.rows = sorted(types, key=lambda one: (one.is_format, one.name))
    return made


def _found(open: Any) -> Table[DetectedSource]:
    made = Table(
        [
            Column(title="name", value=lambda one: one.name, least=10),
            Column(title="what", value=lambda one: one.what, least=12),
            Column(title="reads", value=_reads, least=20, stretch=True),
        ],
        identity=lambda one: one.name,
        empty="looking ...",
        open=open,
        open_does="fill it in",
    )
    made.name = "found"
    return made


def _reads(one: DetectedSource) -> str:
    paths = one.options.get("paths")
    if isinstance(paths, (list, tuple)):
        return ", ".join(map(str, paths))
    return str(paths or one.options.get("type", ""))
