"""The core's own screens: a plugin as any other, with the hook `panels`. Each screen is imported when it is opened."""

from __future__ import annotations

from collections.abc import Sequence

from yaat_core.hookspecs import hookimpl
from yaat_core.panels import Panel

_SCREENS = "yaat_core.tui.screens"


@hookimpl
def panels() -> Sequence[Panel]:
    """See `yaat_core.hookspecs.panels`."""
    return (
        Panel(
            name="overview",
            title="Overview",
            summary="how the agent is: health, rates, queue, sources, sinks, recent events",
            screen=f"{_SCREENS}.overview:Overview",
            key="1",
            order=10,
            command="status",
        ),
        Panel(
            name="live",
            title="Tail",
            summary="events as they pass: follow, filter, look into one, why",
            screen=f"{_SCREENS}.live.screen:LiveScreen",
            key="2",
            order=20,
            actions=("tap", "why", "query"),
            command="logs",
            refresh=0.5,
        ),
        Panel(
            name="sources",
            title="Sources",
            summary="sources, processors, sinks: how each is; add, change, test, remove",
            screen=f"{_SCREENS}.components.screen:ComponentsScreen",
            key="4",
            order=40,
            actions=(
                "components.list",
                "components.types",
                "components.get",
                "components.add",
                "components.edit",
                "components.remove",
                "components.move",
                "components.test",
                "detect.run",
                "config.show",
                "config.undo",
            ),
            command="sources list",
        ),
        Panel(
            name="explore",
            title="Explore",
            summary="SQL over what is stored: rows, charts, files",
            screen=f"{_SCREENS}.explore.screen:ExploreScreen",
            key="3",
            order=30,
            actions=("query",),
            command="query",
        ),
        Panel(
            name="metrics",
            title="Metrics",
            summary="metrics over time: by tag, any time, as a chart and in numbers",
            screen=f"{_SCREENS}.metrics.screen:MetricsScreen",
            order=35,
            actions=("query",),
            command="query",
        ),
        Panel(
            name="queue",
            title="Queue",
            summary="what waits and what failed: look into it, replay, purge, export",
            screen=f"{_SCREENS}.queue:QueueScreen",
            key="5",
            order=50,
            actions=(
                "queue.list",
                "queue.show",
                "queue.purge",
                "queue.verify",
                "queue.export",
                "dead.list",
                "dead.show",
                "dead.replay",
                "dead.purge",
            ),
            command="queue list",
        ),
        Panel(
            name="plugins",
            title="Plugins",
            summary="what is installed, what is broken and why, what each offers",
            screen=f"{_SCREENS}.plugins:PluginsScreen",
            key="6",
            order=60,
            actions=("config.show", "config.text", "config.set", "config.undo"),
            command="plugins list",
        ),
        Panel(
            name="config",
            title="Config",
            summary="the configuration: edit, check while typing, apply, take back",
            screen=f"{_SCREENS}.config:ConfigScreen",
            key="7",
            order=70,
            actions=(
                "config.text",
                "config.check",
                "config.apply",
                "config.undo",
                "config.confirm",
                "config.history",
                "config.show",
            ),
            command="config edit",
        ),
        Panel(
            name="diagnostics",
            title="Diag",
            summary="what may be wrong and what to do, the agent's own log, the support bundle",
            screen=f"{_SCREENS}.diagnostics:DiagnosticsScreen",
            key="8",
            order=80,
            actions=("diagnose", "log", "log.level", "flare.write"),
            command="diagnose",
        ),
        Panel(
            name="service",
            title="Service",
            summary="the agent as a service of this machine: install, start, stop, remove",
            screen=f"{_SCREENS}.service:ServiceScreen",
            order=85,
            command="service status",
        ),
        Panel(
            name="setup",
            title="Setup",
            summary="what to read, what to redact, where it goes, how it runs: step by step",
            screen=f"{_SCREENS}.setup.screen:SetupScreen",
            order=90,
            command="setup --dry-run",
        ),
        Panel(
            name="settings",
            title="Settings",
            summary="theme, glyphs, refresh, mouse, time zone, keys",
            screen=f"{_SCREENS}.settings:SettingsScreen",
            order=95,
        ),
        Panel(
            name="uninstall",
            title="Uninstall",
            summary="remove YAAT from this machine: what goes, what stays",
            screen=f"{_SCREENS}.uninstall:UninstallScreen",
            order=100,
            actions=("stop",),
            command="uninstall --dry-run",
        ),
    )
