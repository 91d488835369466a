"""The whole plugin API: every hook, in one file.

A plugin is any object (usually a module) named by an entry point of the group ``yaat``, with
functions marked by `hookimpl`. Argument names come from one vocabulary:

    register   a `yaat_core.registry.Register`: say what you provide; it checks on the spot
    name       the name of a secret
    sink       a configured sink: the live component, or its config when no agent runs
    context    a `yaat_core.components.Context`
    request    a `yaat_core.components.QueryRequest`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from yaat_core.components import Context, QueryAnswer, QueryRequest
    from yaat_core.registry import Register

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
