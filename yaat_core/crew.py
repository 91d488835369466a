"""Tasks by name that begin and end while the others go on: sources, sinks, and what serves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import attrs
import trio

Work = Callable[[], Awaitable[object]]


@attrs.define(eq=False)
class _Member:
    work: Work
    before: trio.Event | None
    """Set when the one whose place it takes is gone."""
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    gone: trio.Event = attrs.field(factory=trio.Event)


class Crew:
    """Members are added at any time. ``stays``: also with nobody in it, until it is cancelled."""

    def __init__(self, *, stays: bool = True) -> None:
        self.ended = trio.Event()
        self._stays = stays
        self._members: dict[str, _Member] = {}
        self._nursery: trio.Nursery | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def add(self, name: str, work: Work) -> None:
        """Begin, at once or when the crew runs; after the end of one of the same name that was dismissed and is still there."""
        there = self._members.get(name)
        member = self._members[name] = _Member(work, there.gone if there else None)
        if self._nursery is not None:
            self._nursery.start_soon(self._run, name, member, name=name)

    async def dismiss(self, names: Iterable[str], *, patience: float) -> list[str]:
        """Cancel these, and wait ``patience`` seconds at most for their end; which of them still hold on to something."""
        leaving = {name: self._members[name] for name in names if name in self._members}
        for member in leaving.values():
            member.scope.cancel()
        if self._nursery is None:
            for name in leaving:
                del self._members[name]
            return []
        with trio.move_on_after(patience):
            for member in leaving.values():
                await member.gone.wait()
        return [name for name, member in leaving.items() if not member.gone.is_set()]

    async def run(self, scope: trio.CancelScope) -> None:
        """Until ``scope`` is cancelled, or all have ended by themselves in a crew that does not stay."""
        with scope:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for name, member in list(self._members.items()):
                    nursery.start_soon(self._run, name, member, name=name)
                if self._stays:
                    await trio.sleep_forever()
        self.ended.set()

    async def _run(self, name: str, member: _Member) -> None:
        try:
            if member.before is not None:
                await member.before.wait()
            if not member.scope.cancel_called:
                with member.scope:
                    await member.work()
        finally:
            member.gone.set()
            if self._members.get(name) is member:
                del self._members[name]
