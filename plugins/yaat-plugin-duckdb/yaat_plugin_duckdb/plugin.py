"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yaat_core.hookspecs import hookimpl
from yaat_plugin_duckdb.config import DuckDBConfig

if TYPE_CHECKING:
    from yaat_core.components import Context, QueryAnswer, QueryRequest, Sink
    from yaat_core.registry import Register


@hookimpl
def register_components(register: Register) -> None:
    """Provide the sink type `duckdb`."""
    register.sink("duckdb", DuckDBConfig, _make)


@hookimpl
def query(sink: Any, context: Context, request: QueryRequest) -> QueryAnswer | None:
    """Answer from the running sink's own instance, or from the file when only its options are given."""
    if isinstance(sink, DuckDBConfig):
        from yaat_plugin_duckdb.offline import ask_file

        return ask_file(sink, context, request)
    from yaat_plugin_duckdb.sink import DuckDBSink

    return sink.ask(request) if isinstance(sink, DuckDBSink) else None


def _make(config: DuckDBConfig, context: Context) -> Sink:
    from yaat_plugin_duckdb.sink import DuckDBSink

    return DuckDBSink(config, context)
