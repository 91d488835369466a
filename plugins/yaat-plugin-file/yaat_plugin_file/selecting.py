"""Which files the options mean."""

from __future__ import annotations

import os

from yaat_core.components import Context
from yaat_kit.following.packing import SUFFIXES
from yaat_kit.following.starting import Selection
from yaat_plugin_file.config import DEFAULT_EXCLUDE, FileConfig


def selection_of(config: FileConfig, context: Context) -> Selection:
    """The patterns as absolute paths; a pattern that begins with ``**/`` excludes in any folder."""
    excluded = _excluded(config)
    return Selection(
        paths=[_absolute(context, pattern) for pattern in config.paths],
        exclude=[_absolute(context, one) if "/" in one and one[:3] != "**/" else one for one in excluded],
        forbidden=[str(context.state_dir)],
        start_at_end=config.start_at == "end",
        older_than=config.exclude_older_than,
        archives=any(f"*{suffix}" not in excluded for suffix in SUFFIXES),
    )


def _excluded(config: FileConfig) -> tuple[str, ...]:
    """A pattern that names compressed files wants them; the default list alone gives way to it."""
    if config.exclude != DEFAULT_EXCLUDE:
        return config.exclude
    return tuple(one for one in config.exclude if not any(path.endswith(one[1:]) for path in config.paths))


def _absolute(context: Context, pattern: str) -> str:
    return os.path.abspath(context.path(pattern))
