"""The whole plugin API: every hook, in one file.

A plugin is any object (usually a module) named by an entry point of the group ``yaat``, with
functions marked by `hookimpl`. Argument names come from one vocabulary:

    register   a `yaat_core.registry.Register`: say what you provide; it checks on the spot
    name       the name of a secret
    sink       a configured sink: the live component, or its config when no agent runs
    context    a `yaat_core.components.Context`
    request    a `yaat_core.components.QueryRequest`
    registry   a `yaat_core.registry.Registry`: which component types are installed
    detectors  every plugin's `yaat_core.detection.Detector`s
    agent      the running agent: what a `yaat_core.health_routes.Observed` has
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from yaat_core.components import Context, QueryAnswer, QueryRequest
    from yaat_core.detection import Detector
    from yaat_core.health_routes import HealthRoute, Observed
    from yaat_core.panels import Panel
    from yaat_core.registry import Register, Registry

#: Version of this API. A plugin's manifest says which one it was written for.
API_VERSION = "1"

hookspec = pluggy.HookspecMarker("yaat")
hookimpl = pluggy.HookimplMarker("yaat")


@hookspec
def register_components(register: Register) -> None:
    """Name the component types that the plugin provides: ``register.source("file", FileConfig, FileSource)``."""


@hookspec(firstresult=True)
def resolve_secret(name: str) -> str | None:
    """The value of ``${secret:NAME}``, or None when this store does not hold it. Never log it."""


@hookspec(firstresult=True)
def query(sink: Any, context: Context, request: QueryRequest) -> QueryAnswer | None:
    """Answer SQL from a sink's database, read-only; None when the sink is not yours.

    ``sink`` is the live sink in the agent, or its config object when no agent runs. Called in a
    worker thread. Raises `QueryRefused` or `QueryFailed`.
    """


@hookspec
def detectors() -> Sequence[Detector]:  # type: ignore[empty-body]
    """What can be looked for on a machine: ``[Detector(name="shop", detect=find_shop)]``.

    Asked by `yaat detect`, and when a configuration has no `sources`. ``detect`` gets a `Machine` and gives
    `Detection`s; the types are in `yaat_core.detection`.
    """


@hookspec
def default_sources(  # type: ignore[empty-body]
    registry: Registry, detectors: Sequence[Detector]
) -> Mapping[str, Mapping[str, Any]]:
    """Sources for a configuration that has no `sources`: name to configuration, as it would be written.

    They join the built-in default, which then leaves their files alone. A name that is taken gets a number. A source that is
    not valid, or whose type is not installed, is left out, the former with a warning. `yaat_core.detection.DefaultSources`
    is such a mapping that also tells what this user may not look at: a warning of the configuration, and a problem in
    the agent's health; its `proposed` are what screens offer to add. The agent waits for the answer at its start: look for
    a few seconds at most.
    """


@hookspec
def health_routes(agent: Observed) -> Sequence[HealthRoute]:  # type: ignore[empty-body]
    """What else is served on `health.listen`: ``[HealthRoute(path="/metrics", answer=metrics)]``.

    Asked once, when the agent starts to listen there: be quick, and import what an answer needs when the first one is asked
    for. A path that is taken is refused with a warning in the agent's health. Everybody who reaches the port may ask, so an
    answer tells nothing of events, and changes nothing. The types are in `yaat_core.health_routes`.
    """


@hookspec
def panels() -> Sequence[Panel]:  # type: ignore[empty-body]
    """Screens of the TUI: ``[Panel(name="fleet", title="Fleet", summary="...", screen="yaat_plugin_x.screen:Fleet")]``.

    Called in the process of the TUI, never in the agent. `yaat_core.panels.Panel` says what each field is; the class that
    ``screen`` names is imported when the screen is opened. ``docs/tui-panels.md`` is the guide for authors.
    """
