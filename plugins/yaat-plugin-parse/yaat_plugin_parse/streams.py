"""What is remembered of each stream, for the streams that were used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MAX_STREAMS: Final = 256


class Streams(Generic[T]):
    """A value for each stream, made when first asked for; the least recently used are forgotten beyond ``limit``."""

    def __init__(self, make: Callable[[], T], limit: int = MAX_STREAMS) -> None:
        self._make = make
        self._limit = limit
        self._kept: OrderedDict[str, T] = OrderedDict()

    def get(self, stream: str) -> T:
        """The value of a stream."""
        found = self._kept.get(stream)
        if found is None:
            found = self._kept[stream] = self._make()
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        self._kept.move_to_end(stream)
        return found

    def __iter__(self) -> Iterator[T]:
        return iter(self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)
