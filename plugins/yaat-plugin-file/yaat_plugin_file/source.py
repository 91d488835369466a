"""The `file` source: turns of a `Follower` in a worker thread, sent as batches."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from yaat_core.components import Context, Finding, Outlet, Source
from yaat_kit.following.follower import Follower
from yaat_kit.following.pacing import Pace
from yaat_kit.following.reader import Reader
from yaat_kit.following.tally import Tally
from yaat_kit.joining import make_joiner
from yaat_kit.multiline import Limits
from yaat_plugin_file.checks import findings
from yaat_plugin_file.config import FileConfig
from yaat_plugin_file.inheriting import left_behind
from yaat_plugin_file.running import Run
from yaat_plugin_file.selecting import selection_of


class FileSource(Source):
    """Follows files. All file access happens in worker threads, one at a time."""

    inherits = True

    def __init__(self, config: FileConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._selection = selection_of(config, context)
        self._run: Run | None = None

    def problems(self) -> Sequence[Finding]:
        """What can't be read now, and folders that can't be watched."""
        return self._run.problems() if self._run else ()

    async def check(self) -> Sequence[Finding]:
        """Do the patterns find files, and can they be read?"""
        return await trio.to_thread.run_sync(findings, self._selection)

    async def run(self, out: Outlet) -> None:
        """Follow until cancelled; with ``once`` read what is there now and return when it is durable."""
        follower = self._follow(out)
        try:
            run = Run(follower, out, self._context, self._config)
            self._run = run
            await (run.once() if self._context.once else run.forever())
        finally:
            follower.close()

    def _follow(self, out: Outlet) -> Follower:
        config, context = self._config, self._context
        reader = Reader(
            joiner=make_joiner(config.multiline, Limits(lines=config.event_lines, bytes=config.event_bytes)),
            encoding=config.encoding,
            max_line_bytes=config.max_line_bytes,
            max_event_bytes=config.event_bytes,
            fingerprint_bytes=config.fingerprint_bytes,
        )
        pace = Pace(
            poll=config.poll,
            partial_timeout=config.partial_timeout,
            join_timeout=config.join_timeout,
            max_open_files=config.max_open_files,
        )
        return Follower(
            self._selection,
            reader,
            pace,
            out.checkpoints(),
            tally=Tally.of(context.stats, "yaat_file"),
            log=context.log,
            once=context.once,
            inherited=left_behind(out.neighbours(), context),
        )
