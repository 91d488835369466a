"""What can be done with the configuration as a whole: look at its text, check another one, apply it, take it back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

import attrs
import trio
from msgspec import Meta

from yaat_core.actions.base import Action, Nothing
from yaat_core.config.editing.results import Applied, Checked, ConfigHistory, ConfigText
from yaat_core.operations import Operations

File = Annotated[
    str | None, Meta(description="A file of the configuration (see `config.text`); null: the main one.")
]
Text = Annotated[str, Meta(description="The whole new text of the file.")]
DryRun = Annotated[bool, Meta(description="Check and show the difference; write nothing.")]
ConfirmSeconds = Annotated[
    Annotated[float, Meta(gt=0, le=86_400)] | None,
    Meta(description="Take it back after so many seconds, unless `config.confirm` comes."),
]


@attrs.frozen(kw_only=True)
class TextGiven:
    """Which file to show."""

    file: File = None


@attrs.frozen(kw_only=True)
class CheckGiven:
    """A text to check."""

    text: Text
    file: File = None


@attrs.frozen(kw_only=True)
class ApplyGiven:
    """A text to write, and the hash of the one that was edited (empty: there was no file)."""

    text: Text
    hash: Annotated[str, Meta(description="`hash` of `config.text` when the editing began.")]
    file: File = None
    summary: Annotated[
        str, Meta(min_length=1, max_length=200, description="What it does, for the history.")
    ] = "edited"
    dry_run: DryRun = False
    confirm_seconds: ConfirmSeconds = None


@attrs.frozen(kw_only=True)
class SetGiven:
    """Keys to set and to take out, by their paths (`sources.app.paths`, `processors.scrub.detectors`)."""

    set: Annotated[Mapping[str, Any], Meta(description="By path of the key: its value.")] = attrs.field(
        factory=dict
    )
    unset: Annotated[list[str], Meta(description="Paths of keys that go.")] = attrs.field(factory=list)
    file: File = None
    hash: Annotated[
        str | None,
        Meta(description="`hash` of a dry run: refused when the file is another by now. Null: as it is now."),
    ] = None
    dry_run: DryRun = False
    confirm_seconds: ConfirmSeconds = None


@attrs.frozen(kw_only=True)
class UndoGiven:
    """What to take back."""

    to: Annotated[
        int | None,
        Meta(description="Bring back what was before this version, as a new change. Null: the last change."),
    ] = None
    redo: Annotated[bool, Meta(description="Do again what was taken back last.")] = False
    dry_run: DryRun = False


@attrs.frozen(kw_only=True)
class Confirmed:
    """Which version stays."""

    version: int


async def _text(agent: Operations, given: TextGiven) -> ConfigText:
    return await trio.to_thread.run_sync(agent.editor.desk().text, given.file)


async def _check(agent: Operations, given: CheckGiven) -> Checked:
    return await trio.to_thread.run_sync(agent.editor.desk().check, given.text, given.file)


async def _apply(agent: Operations, given: ApplyGiven) -> Applied:
    return await agent.editor.apply(
        given.text,
        given.hash,
        given.file,
        summary=given.summary,
        dry_run=given.dry_run,
        confirm_seconds=given.confirm_seconds,
    )


async def _set(agent: Operations, given: SetGiven) -> Applied:
    from yaat_core.config.editing.desk import unchanged
    from yaat_core.config.editing.keys import keys_edit

    names = [*(f"set {path}" for path in given.set), *(f"unset {path}" for path in given.unset)]
    return await agent.editor.edit(
        unchanged(keys_edit(given.set, given.unset, given.file), given.hash),
        summary=", ".join(names)[:200] or "nothing",
        dry_run=given.dry_run,
        confirm_seconds=given.confirm_seconds,
    )


async def _undo(agent: Operations, given: UndoGiven) -> Applied:
    if given.redo:
        return await agent.editor.redo(dry_run=given.dry_run)
    return await agent.editor.undo(given.to, dry_run=given.dry_run)


async def _confirm(agent: Operations, _: Nothing) -> Confirmed:
    return Confirmed(version=await agent.editor.confirm())


async def _history(agent: Operations, _: Nothing) -> ConfigHistory:
    return await trio.to_thread.run_sync(partial(agent.editor.desk().versions))


CONFIG_TEXT: Final = Action(
    name="config.text",
    command="config edit",
    summary="A configuration file as it is written, secrets and all.",
    danger="private",
    arguments=TextGiven,
    result=ConfigText,
    handler=_text,
)
CONFIG_CHECK: Final = Action(
    name="config.check",
    command="config diff",
    summary="What is wrong with a text, and what it would change.",
    danger="private",
    arguments=CheckGiven,
    result=Checked,
    handler=_check,
)
CONFIG_APPLY: Final = Action(
    name="config.apply",
    command="config edit",
    summary="Check a text, write it, and take it up.",
    danger="change",
    arguments=ApplyGiven,
    result=Applied,
    handler=_apply,
)
CONFIG_SET: Final = Action(
    name="config.set",
    command="config set",
    summary="Set keys of the configuration, or take them out; every other line stays as it is.",
    danger="change",
    arguments=SetGiven,
    result=Applied,
    handler=_set,
)
CONFIG_UNDO: Final = Action(
    name="config.undo",
    command="config undo",
    summary="Take the last change of the configuration back, or do it again.",
    danger="change",
    arguments=UndoGiven,
    result=Applied,
    handler=_undo,
)
CONFIG_CONFIRM: Final = Action(
    name="config.confirm",
    command="config confirm",
    summary="Keep a change that would be taken back by itself.",
    danger="change",
    arguments=Nothing,
    result=Confirmed,
    handler=_confirm,
)
CONFIG_HISTORY: Final = Action(
    name="config.history",
    command="config history",
    summary="What was changed in the configuration, newest first.",
    danger="private",
    arguments=Nothing,
    result=ConfigHistory,
    handler=_history,
)

CONFIG_ACTIONS: Final = (
    CONFIG_TEXT,
    CONFIG_CHECK,
    CONFIG_APPLY,
    CONFIG_SET,
    CONFIG_UNDO,
    CONFIG_CONFIRM,
    CONFIG_HISTORY,
)
