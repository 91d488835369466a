#!/usr/bin/env python3
"""Sends StatsD datagrams to a UDP port, or a Unix socket, at a set rate; prints as JSON what it sent.

    bench/statsd_sender.py PORT|FILE RATE SECONDS

Six of ten datagrams are counters, three timers, one a gauge, over 300 names; one metric a
datagram, as clients without a buffer send them. The sender falls behind rather than sends in larger bursts than 2 ms.
"""

from __future__ import annotations

import json
import random
import socket
import sys
import time

BURST_SECONDS = 0.002
#: Names of the counters begin with this: the sum of all is what is judged.
COUNTER = "bench.requests"


def datagrams(count: int, seed: int = 1) -> list[bytes]:
    """One metric each."""
    numbers = random.Random(seed)
    made = []
    for _ in range(count):
        number, kind = numbers.randrange(100), numbers.random()
        if kind < 0.6:
            made.append(f"{COUNTER}.n{number}:1|c")
        elif kind < 0.9:
            made.append(f"bench.latency.n{number}:{numbers.randrange(1000)}|ms")
        else:
            made.append(f"bench.level.n{number}:{numbers.randrange(1000)}|g")
    return [text.encode() for text in made]


def main() -> None:
    place, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    texts = datagrams(10_000)
    counters = [COUNTER.encode() in text for text in texts]
    sent = 0
    family = socket.AF_UNIX if "/" in place else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.connect(place if "/" in place else ("127.0.0.1", int(place)))
        began = time.perf_counter()
        while (now := time.perf_counter() - began) < seconds:
            due = min(int(now * rate), sent + max(int(rate * BURST_SECONDS), 1))
            for place in range(sent, due):
                sender.send(texts[place % len(texts)])
            sent = max(sent, due)
            time.sleep(BURST_SECONDS / 4)
        took = time.perf_counter() - began
    rounds, rest = divmod(sent, len(texts))
    print(
        json.dumps(
            {"sent": sent, "counters": rounds * sum(counters) + sum(counters[:rest]), "rate": sent / took}
        )
    )


if __name__ == "__main__":
    main()
