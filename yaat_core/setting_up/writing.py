"""Writes a draft: the key first, for its owner only, then the configuration, with a version in its history."""

from __future__ import annotations

import attrs

from yaat_core import durable
from yaat_core.actions.base import Nothing
from yaat_core.actions.reloading import RELOAD
from yaat_core.config.editing.desk import Desk
from yaat_core.config.editing.results import Applied
from yaat_core.config.editing.saving import cannot_write
from yaat_core.control.client import Client
from yaat_core.errors import AgentNotRunning, UsageError
from yaat_core.plugins import Plugins
from yaat_core.setting_up.drafting import Draft


def write(draft: Draft, plugins: Plugins) -> Applied:
    """Write it; a running agent takes it up.

    Raises:
        UsageError: there is a key's file already that holds another key.
        ChangedMeanwhile: the configuration is not the one that was looked at.
        CannotWrite: this user may not write it.
        YaatError: the running agent can't take it up; it is written.
    """
    fresh = _write_key(draft)
    desk = Desk(path=draft.path, state_dir=draft.state_dir, plugins=plugins)
    try:
        done = desk.apply(draft.text, draft.hash, summary="yaat setup")
    except BaseException:
        if fresh and draft.key_file is not None:
            draft.key_file.unlink(missing_ok=True)
        raise
    try:
        with Client(draft.state_dir) as agent:
            agent.call(RELOAD, Nothing())
    except AgentNotRunning:
        return done
    return attrs.evolve(done, reloaded=True)


def _write_key(draft: Draft) -> bool:
    """True: it was not there."""
    if draft.key_file is None:
        return False
    try:
        there = draft.key_file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        there = ""
    except OSError as error:
        raise cannot_write(draft.key_file, error) from error
    if there == draft.key:
        return False
    if there:
        raise UsageError(
            f"{draft.key_file} holds another key, which is not overwritten",
            where=str(draft.key_file),
            effect="nothing was written",
            fix="move it away, or give api_key as a reference: ${file:...}",
        )
    try:
        draft.key_file.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(draft.key_file, draft.key.encode() + b"\n")
    except OSError as error:
        raise cannot_write(draft.key_file, error) from error
    return True
