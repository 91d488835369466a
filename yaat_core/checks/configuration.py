"""The configuration: what it warns of, whether its file is still what the agent runs with, who may read it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from yaat_core.checks.base import Check, Looking, Surroundings

#: Seconds by which the time of reading is rounded.
_ROUNDED: Final = 1.0


def warnings(around: Surroundings) -> Iterator[Check]:
    """What is allowed and perhaps not meant."""
    whole = around.configuration
    for one in whole.warnings:
        yield Check(name=one.code, level="warn", what=one.what, advice=one.fix or f"yaat explain {one.code}")
    if not whole.warnings:
        where = str(whole.path) if whole.path else "no file, all defaults"
        yield Check(name="configuration", level="ok", what=f"{where}: no mistakes")


def changed(around: Surroundings) -> Iterator[Check]:
    """Was a file edited after the agent read it, where it does not take changes up by itself."""
    running = around.status.configuration if around.status else None
    for path in _files(around):
        try:
            edited = path.stat().st_mtime
        except OSError as error:
            yield Check(
                name="configuration file",
                level="warn",
                what=f"{path} can't be looked at any more: {error.strerror}",
                advice="put it back: the agent needs it at its next start",
            )
            continue
        if running is None or around.configuration.reload.watch:
            continue  # what became of a change is a problem of `configuration`, if it is one
        if edited > datetime.fromisoformat(running.loaded_at).timestamp() + _ROUNDED:
            when = datetime.fromtimestamp(edited, UTC).isoformat(timespec="seconds")
            yield Check(
                name="configuration file",
                level="warn",
                what=f"{path} was changed at {when}, after the agent read it",
                advice="`yaat validate` checks it, `yaat reload` brings it into use",
            )


def readable(around: Surroundings) -> Iterator[Check]:
    """May others than the owner and its group write it: then they decide what the agent does."""
    for path in _files(around):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue  # told by `changed`
        if mode & stat.S_IWOTH:
            yield Check(
                name="configuration file",
                level="error",
                what=f"everybody may write {path}",
                advice=f"chmod o-w {os.fspath(path)}",
            )


def _files(around: Surroundings) -> Iterator[Path]:
    if around.configuration.path is not None:
        yield around.configuration.path
    yield from around.configuration.included


LOOKINGS: Final = (
    Looking(name="configuration", group="configuration", look=warnings),
    Looking(name="configuration file", group="configuration", look=changed),
    Looking(name="rights of the configuration", group="configuration", look=readable),
)
