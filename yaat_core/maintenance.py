"""What a queue can do beyond its contract: be looked at without being changed, and be repaired.

A queue type that has neither method is opened for looking as it is, and can't be repaired by command.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, runtime_checkable

from yaat_core.components import Damage, Queue, RecordInfo

#: Record headers looked at in one step.
_STEP: Final = 4096


@runtime_checkable
class Viewable(Protocol):
    """A queue whose `Queue.open` may mend what lies on the disk, and that has another way to look."""

    def view(self) -> Queue:
        """This queue for looking only, not open yet.

        Opening, reading, verifying and closing it changes no byte of the store; what is damaged is told and left.
        Its writing methods raise `UsageError`. Nobody else may have the store open meanwhile.
        """
        ...


@runtime_checkable
class Repairable(Protocol):
    """A queue that can take out what is damaged."""

    def repair(self) -> Sequence[Damage]:
        """Check everything in the open queue and set aside what does not check out; what was found.

        What is missing afterwards is a hole that readers see and `Queue.verify` no longer reports.

        Raises:
            StoreUnavailable: no space, I/O error.
        """
        ...


async def gaps(
    infos: Callable[[int, int], Awaitable[Sequence[RecordInfo]]], after: int, tail: int
) -> list[tuple[int, int]]:
    """Sequences from ``after + 1`` to ``tail`` that no record holds; ``infos(after, limit)`` is `Queue.infos`."""
    found: list[tuple[int, int]] = []
    while after < tail:
        ahead = await infos(after, _STEP)
        for info in ahead:
            if info.first > after + 1 and after < tail:
                found.append((after + 1, min(info.first - 1, tail)))
            after = max(after, info.last)
        if len(ahead) < _STEP:
            break
    if after < tail:
        found.append((after + 1, tail))
    return found
