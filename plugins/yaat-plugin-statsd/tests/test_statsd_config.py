"""Options that are wrong say what to write instead."""

from __future__ import annotations

import pytest

from yaat_core.config.options import Duration, Size
from yaat_plugin_statsd.config import StatsdConfig, quantile_of


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"listen": ()}, "listens nowhere"),
        ({"listen": ("127.0.0.1:8125",)}, "udp://127.0.0.1:8125"),
        ({"listen": ("udp://h:1", "udp://h:1")}, "twice"),
        ({"aggregates": ()}, "at least one"),
        ({"aggregates": ("p100",)}, "p99.9"),
        ({"aggregates": ("avg",)}, "mean"),
        ({"counters": ()}, "is empty"),
        ({"socket_mode": "999"}, "0660"),
        ({"socket_mode": "rw"}, "0660"),
        ({"window": Duration(0.001)}, "at least 10ms"),
        ({"expiry": Duration(0)}, "more than 0"),
        ({"so_rcvbuf": Size(0)}, "more than 0"),
        ({"max_series": 0}, "more than 0"),
        ({"deny_tags": ("",)}, "empty pattern"),
    ],
)
def test_wrong_options(options, told):
    with pytest.raises(ValueError, match=told):
        StatsdConfig(**options)


@pytest.mark.parametrize(
    ("aggregate", "quantile"), [("median", 0.5), ("p50", 0.5), ("p99.9", 0.999), ("p0", 0), ("count", None)]
)
def test_quantiles(aggregate, quantile):
    assert quantile_of(aggregate) == (None if quantile is None else pytest.approx(quantile))
