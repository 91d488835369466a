"""The root of `yaat`: which commands there are, and what happens when one fails.

A command's module is imported when the command is called, so that ``yaat --help`` stays quick.
"""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import click

from yaat_core import __version__
from yaat_core.cli.door import DoorGroup, common_options, root_door
from yaat_core.memory import before_imports

#: name: (module and attribute, summary).
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "run": ("yaat_core.cli.run:run", "Run the agent in the foreground."),
    "setup": (
        "yaat_core.cli.setting_up:setup",
        "Set up this machine: what to read, what to redact, where to send it, how to run.",
    ),
    "tui": ("yaat_core.cli.tui:tui", "The full-screen view of a running agent, or of what is stored."),
    "status": ("yaat_core.cli.status:status", "What runs and how it is."),
    "diagnose": (
        "yaat_core.cli.diagnose:diagnose",
        "What is wrong and what to do about it, with the accounting of every event.",
    ),
    "flare": (
        "yaat_core.cli.flare:flare",
        "A redacted support bundle: shows what goes in, asks, and writes one archive for you alone.",
    ),
    "top": ("yaat_core.cli.top:top", "Live rates by component."),
    "logs": ("yaat_core.cli.logs:logs", "Live tail of events."),
    "tap": ("yaat_core.cli.tap:tap", "Events as they pass a point of the pipeline, redacted."),
    "why": ("yaat_core.cli.why:why", "The lineage of one event."),
    "agent-log": (
        "yaat_core.cli.agent_log:agent_log",
        "The agent's own log: the last lines, then what comes.",
    ),
    "log-level": ("yaat_core.cli.agent_log:log_level", "How much the agent says in its own log, for a time."),
    "query": (
        "yaat_core.cli.query:query",
        "SQL over stored events; without SQL, on a terminal, an interactive prompt (\\? there helps).",
    ),
    "validate": (
        "yaat_core.cli.validate:validate",
        "Check the configuration, that sources can be read and that sinks can be reached.",
    ),
    "reload": (
        "yaat_core.cli.reload:reload",
        "Take up the changed configuration.",
    ),
    "stop": ("yaat_core.cli.stop:stop", "Stop the running agent; nothing is lost."),
    "events": (
        "yaat_core.cli.events:events",
        "What happened to the agent: starts, reloads, problems, deliveries that fail and work again.",
    ),
    "config": ("yaat_core.cli.config:config", "The configuration as a whole."),
    "sources": (
        "yaat_core.cli.components:sources",
        "The sources of the configuration: list, add, change, test.",
    ),
    "processors": (
        "yaat_core.cli.components:processors",
        "The processors of the configuration: list, add, change, test.",
    ),
    "sinks": ("yaat_core.cli.components:sinks", "The sinks of the configuration: list, add, change, test."),
    "queue": ("yaat_core.cli.queue:queue", "What waits between sources and sinks."),
    "dead": ("yaat_core.cli.dead:dead", "Events that a sink refused for good, with the reason."),
    "plugins": ("yaat_core.cli.plugins:plugins", "What is installed and what it offers."),
    "service": (
        "yaat_core.cli.service:service",
        "The agent as a systemd service: install, start, stop, status, uninstall.",
    ),
    "uninstall": (
        "yaat_core.cli.uninstall:uninstall",
        "Remove YAAT from this machine: service, user, program, and the data if you want.",
    ),
    "explain": (
        "yaat_core.cli.explain:explain",
        "An error code in full: what it means, why it happens, what to do.",
    ),
    "completion": ("yaat_core.cli.completion:completion", "Print a shell's completion script for yaat."),
}


class Root(DoorGroup):
    """`yaat` itself: commands of the core by `COMMANDS`, those of plugins by their manifests."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, the core's first."""
        from yaat_core.cli.mounted import plugin_commands

        return [*COMMANDS, *sorted(set(plugin_commands()) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import what the name stands for."""
        if name in COMMANDS:
            module, _, attribute = COMMANDS[name][0].partition(":")
            found: click.Command = getattr(importlib.import_module(module), attribute)
            return found
        from yaat_core.cli.mounted import load_plugin_command

        return load_plugin_command(name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        from yaat_core.cli.mounted import plugin_commands

        own = [(name, summary) for name, (_, summary) in COMMANDS.items()]
        with formatter.section("Commands"):
            formatter.write_dl(own)
        mounted = [
            (name, one.summary) for name, one in sorted(plugin_commands().items()) if name not in COMMANDS
        ]
        if mounted:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(mounted)

    def main(  # type: ignore[override]  # it never returns
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **_: Any
    ) -> NoReturn:
        """Run a command line; always ends with SystemExit."""
        from yaat_core.cli.ending import ended

        given = [*(sys.argv[1:] if args is None else args)]
        name = prog_name or "yaat"
        self._main_shell_completion({}, name, "_YAAT_COMPLETE")
        sys.exit(ended(lambda: self._work(name, list(given)), given))

    def _work(self, name: str, args: list[str]) -> Any:
        with self.make_context(name, args) as ctx:
            return self.invoke(ctx)


@click.group(
    cls=Root,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[*common_options()],
    epilog="Exit codes: 0 done, 1 failed or unhealthy, 2 wrong usage or configuration, 3 no agent, 4 not allowed, "
    "5 done in part, 124 timed out, 130 interrupted.",
)
@click.version_option(__version__, prog_name="yaat", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, **_: Any) -> None:
    """YAAT, an observability agent with a SQL database of your telemetry inside.

    Start: `yaat validate`, then `yaat run`; ask: `yaat query "SELECT * FROM logs LIMIT 10"`.
    """
    ctx.obj = root_door(ctx)
    if ctx.invoked_subcommand is None:
        from yaat_core.cli import tui

        if tui.possible():
            ctx.exit(tui.run(ctx.obj))
        click.echo(ctx.get_help())


def main() -> None:
    """The console script. What the locale can't write is written as an escape."""
    before_imports()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli.main()
    except SystemExit as wish:
        from yaat_core.cli.ending import leave

        leave(wish)
