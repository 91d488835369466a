"""The options of a `statsd` source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from yaat_core.config.options import Duration, Size, configuration, option, positive
from yaat_kit.listening import Address

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")
#: Seconds; shorter windows would keep a core busy with ending them.
_SHORTEST = 0.01
_PLAIN = ("min", "max", "mean", "median", "count", "sum")


def quantile_of(aggregate: str) -> float | None:
    """``p99.9`` to 0.999, ``median`` to 0.5; None for what is no quantile.

    Raises:
        ValueError: not an aggregate; says which there are.
    """
    if aggregate == "median":
        return 0.5
    if aggregate in _PLAIN:
        return None
    match = _PERCENTILE.fullmatch(aggregate)
    if match is None:
        raise ValueError(
            f"unknown aggregate {aggregate!r}: write {', '.join(_PLAIN)}, or a percentile like p95 or p99.9"
        )
    return float(match[1]) / 100


def _addresses(_instance: Any, _attribute: Any, value: Sequence[str]) -> None:
    if not value:
        raise ValueError("listens nowhere: write at least one address, e.g. [udp://127.0.0.1:8125]")
    parsed = [Address.parse(text) for text in value]
    if len(set(parsed)) < len(parsed):
        raise ValueError("names an address twice")


def _window(_instance: Any, _attribute: Any, value: Duration) -> None:
    if value < _SHORTEST:
        raise ValueError(f"must be at least {Duration(_SHORTEST)}, got {value}")


def _aggregates(_instance: Any, _attribute: Any, value: Sequence[str]) -> None:
    if not value:
        raise ValueError("is empty: write at least one, e.g. [mean, p95, count]")
    for one in value:
        quantile_of(one)


def _some(_instance: Any, _attribute: Any, value: Sequence[str]) -> None:
    if not value:
        raise ValueError("is empty: write [count], [rate] or [count, rate]")


def _mode(_instance: Any, _attribute: Any, value: str) -> None:
    if re.fullmatch(r"0?[0-7]{3}", value) is None:
        raise ValueError(f'must be an octal file mode in quotes like "0660", got {value!r}')


def _pattern(_instance: Any, _attribute: Any, value: Sequence[str]) -> None:
    if not all(value):
        raise ValueError("holds an empty pattern: write tag names or globs, e.g. [pod, 'k8s.*']")


@configuration
class StatsdConfig:
    """StatsD and DogStatsD: metrics aggregated in windows, events, service checks."""

    listen: tuple[str, ...] = option(
        ("udp://127.0.0.1:8125",),
        help="Addresses: `udp://HOST:PORT`, `tcp://HOST:PORT`, `unixgram:///FILE` or `unixstream:///FILE`.",
        example=["udp://127.0.0.1:8125", "unixgram:///run/yaat/dsd.socket"],
        validator=_addresses,
    )
    socket_mode: str = option(
        "0660",
        help="File mode of Unix sockets, octal, in quotes; who may write it may send.",
        example="0666",
        validator=_mode,
    )
    so_rcvbuf: Size = option(
        "4MiB",
        help="Receive buffer of each datagram socket; without CAP_NET_ADMIN the kernel gives at most `net.core.rmem_max`.",
        validator=positive,
    )
    max_connections: int = option(
        256,
        help="Connections of each stream listener; more are closed at once, and counted.",
        validator=positive,
    )
    window: Duration = option(
        "10s", help="How long samples are aggregated before they become events.", validator=_window
    )
    counters: tuple[Literal["count", "rate"], ...] = option(
        ("count", "rate"),
        help="What counters become: `count` (NAME: the sum in the window), `rate` (NAME.rate: the same a second).",
        validator=_some,
    )
    aggregates: tuple[str, ...] = option(
        ("min", "max", "mean", "median", "p95", "p99", "count", "sum"),
        help="What timers, histograms, distributions become, as NAME.AGGREGATE; percentiles are written `p95` or `p99.9`.",
        example=["mean", "p95", "p99.9", "count"],
        validator=_aggregates,
    )
    gauge_deltas: bool = option(
        True,
        help="Gauge values with a sign are added to the gauge (StatsD); false: the sign belongs to the value (DogStatsD).",
    )
    expiry: Duration = option(
        "5m",
        help="A series that got nothing for so long is forgotten, also as the base of gauge deltas.",
        validator=positive,
    )
    repeat_idle: bool = option(
        False,
        help="Until they expire, send counters without samples as 0, and gauges with their last value.",
    )
    max_series: int = option(
        20_000,
        help="Distinct series (name, type, tags) kept at a time; samples of further ones are counted, not kept.",
        validator=positive,
    )
    namespace: str = option("", help="Put before each metric's name, with a dot between.", example="shop")
    allow_tags: tuple[str, ...] = option(
        (),
        help="Globs of the tags to keep; empty: all. Series that differ in other tags alone become one.",
        example=["env", "k8s.*"],
        validator=_pattern,
    )
    deny_tags: tuple[str, ...] = option(
        (),
        help="Globs of tags to leave out, also of those that are allowed.",
        example=["request_id"],
        validator=_pattern,
    )
    origin_detection: bool = option(
        False,
        help="On Unix sockets, ask the kernel which process sends, and its control group for the container: `container.id`, "
        "unless the client says `c:`.",
    )
    origin_tags: bool = option(
        True,
        help="What clients run in (`c:`, `e:`, or detected) becomes tags: `container.id`, `container.name`, `k8s.pod.uid`.",
    )
