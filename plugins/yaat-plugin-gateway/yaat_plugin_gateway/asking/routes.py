"""The endpoints for reading, connected to what they read from."""

from __future__ import annotations

from typing import Any

from yaat_core.components import Ask
from yaat_plugin_gateway.asking.listing import Listing
from yaat_plugin_gateway.asking.options import QueryOptions
from yaat_plugin_gateway.asking.queries import Queries
from yaat_plugin_gateway.asking.seats import Seats
from yaat_plugin_gateway.asking.store import SinkStore
from yaat_plugin_gateway.state.store import State
from yaat_plugin_gateway.web.endpoint import Endpoint


def endpoints(options: QueryOptions, ask: Ask, state: State) -> list[Endpoint[Any]]:
    """All of them."""
    store = SinkStore(ask, options.sink)
    seats = Seats(options.at_once, options.at_once_per_key)
    return [
        *Queries(store, options, seats).endpoints(),
        *Listing(store, state, seats).endpoints(),
    ]
