"""From pieces to a bundle, with what the secrets of this configuration and of this environment are."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import trio

from yaat_core.flare.known import secrets
from yaat_core.flare.model import Flare
from yaat_core.flare.pieces import LISTED, Piece, gather
from yaat_core.flare.redacting import Redactor

if TYPE_CHECKING:
    from yaat_core.deadletters import Letter
    from yaat_core.operations import Operations
    from yaat_core.plugins import Plugins
    from yaat_core.workshop import Workshop


async def assembled(pieces: Sequence[Piece], plugins: Plugins, shop: Workshop) -> Flare:
    """Redact and collect the pieces."""
    known = secrets(shop.configuration, os.environ)
    redactor = await trio.to_thread.run_sync(Redactor.of, plugins.registry, shop, known)
    return await gather(pieces, redactor)


def queued(agent: Operations) -> Iterator[Piece]:
    """What waits and what was refused: numbers and reasons, no event and no answer of the other end."""

    async def records() -> Any:
        return [attrs.asdict(one) for one in await agent.queue_infos(0, LISTED)]

    async def letters() -> Any:
        return dead(*await agent.dead_letters(None, LISTED))

    yield queue_piece(records)
    yield dead_piece(letters)


def queue_piece(make: Callable[[], Awaitable[Any]]) -> Piece:
    """The list of what waits."""
    return Piece(name="queue.json", why="what waits in the queue, by record", make=make, own=True)


def dead_piece(make: Callable[[], Awaitable[Any]]) -> Piece:
    """The list of what was refused."""
    return Piece(name="dead.json", why="which dead letters there are, and why; no event of them", make=make)


def dead(letters: Sequence[Letter], events: Mapping[str, int]) -> Any:
    """Heads of dead letters, without the answer of the other end, which may repeat what was sent."""
    heads = [
        {name: value for name, value in attrs.asdict(one).items() if name != "answer"} for one in letters
    ]
    return {"events": events, "letters": heads}
