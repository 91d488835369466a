"""Ending a query whose asker has gone: it runs in a thread, which can't be cancelled."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Protocol, runtime_checkable

import trio

from yaat_core.components import QueryAnswer


@runtime_checkable
class Interruptible(Protocol):
    """An answer that can be stopped in the middle of a batch, from any thread; its iteration then raises.

    An answer without this is stopped between two batches, or by its own limit of seconds.
    """

    def interrupt(self) -> None:
        """Stop soon. Harmless at any time."""
        ...


@contextlib.asynccontextmanager
async def interrupting(running: Callable[[], QueryAnswer | None]) -> AsyncIterator[None]:
    """Cancelled inside, a thread is waited for: when what is ``running`` there can be interrupted, that is short."""
    ended = False

    async def interrupt() -> None:
        try:
            await trio.sleep_forever()
        finally:
            answer = running()
            if not ended and isinstance(answer, Interruptible):
                answer.interrupt()

    failed: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again outside of the nursery, as itself
            failed = error
        finally:
            ended = True
        nursery.cancel_scope.cancel()
    if failed is not None:
        raise failed
