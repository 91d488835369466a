"""Wrong keys, counted by the address that they come from: whoever guesses is made slow, and takes no memory."""

from __future__ import annotations

import ipaddress
from typing import Final

import trio

from yaat_plugin_gateway.access.bucket import Bucket

#: Wrong keys that an address may try at once, and after these, in a second.
AT_ONCE: Final = 20
_EACH_SECOND: Final = 0.2
#: Addresses that are remembered; beyond, those that failed longest ago are forgotten.
REMEMBERED: Final = 10_000


class Failures:
    """A bucket for each address. Only who fails is counted: a key that is right passes from anywhere."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def wait(self, address: str) -> float:
        """Seconds until this address may try another key; 0: now."""
        bucket = self._buckets.get(_network(address))
        return bucket.wait(1, trio.current_time()) if bucket else 0.0

    def add(self, address: str) -> None:
        """It tried a wrong one."""
        network = _network(address)
        now = trio.current_time()
        bucket = self._buckets.pop(network, None) or Bucket(_EACH_SECOND, AT_ONCE, now)
        bucket.take(1, now)
        if len(self._buckets) >= REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[network] = bucket

    def __len__(self) -> int:
        return len(self._buckets)


def _network(address: str) -> str:
    """Who has one address of IPv6 has 2^64 of them: they count as one."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.IPv6Network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address
