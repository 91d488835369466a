"""Real clients against a real agent: its database must say what the clients sent. SIGTERM ends the open window."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import datadog.dogstatsd
import pytest
import statsd

#: Rounds of each client: few enough that an ordinary receive buffer holds them while a busy machine lets the agent wait.
N = 60
MODULES = Path(__file__).resolve().parents[3] / ".cache" / "node-clients" / "node_modules"


def datadog_client(agent, way: str, **options) -> datadog.dogstatsd.DogStatsd:
    folder = agent.config.parent / "s"
    places = {
        "udp": {"host": "127.0.0.1", "port": agent.port("udp")},
        "unixgram": {"socket_path": f"unixgram://{folder}/dgram"},
        "unixstream": {"socket_path": f"unixstream://{folder}/stream"},
    }
    # A Unix socket with a time limit of 0 gives up a packet when the agent is not quick enough.
    return datadog.dogstatsd.DogStatsd(
        **places[way], disable_telemetry=True, constant_tags=["client:datadog"], socket_timeout=60, **options
    )


def send_all(client: datadog.dogstatsd.DogStatsd) -> None:
    for number in range(N):
        client.increment("counter", 2, tags=[f"shard:{number % 3}"])
        client.decrement("counter", 1, tags=["shard:0"])
        client.gauge("gauge", number)
        client.histogram("histogram", number)
        client.distribution("distribution", number)
        client.timing("timer", number)
        client.set("set", f"user-{number % 20}")
    client.flush_aggregated_metrics()
    client.flush_buffered_metrics()
    client.close_socket()


WAYS = ["udp", "unixgram", "unixstream"]
MODES = {
    "plain": {},
    "buffered": {"disable_buffering": False},
    "aggregated": {"disable_aggregation": False},
    "extended": {"disable_aggregation": False, "max_metric_samples_per_context": 10 * N},
}


def test_datadog(agent):
    """One by one, buffered, aggregated in the client, with packed values; over every transport that it has."""
    agent.begin(window="1h")
    for way in WAYS:
        for mode, options in MODES.items():
            send_all(datadog_client(agent, way, namespace=f"{way}.{mode}", **options))
    agent.end()
    sums = agent.sums()
    total = N * (N - 1) / 2
    for prefix in (f"{way}.{mode}" for way in WAYS for mode in MODES):
        assert sums[f"{prefix}.counter"] == N, prefix
        assert sums[f"{prefix}.gauge"] == N - 1, prefix
        assert sums[f"{prefix}.set"] == 20, prefix
        for name in (f"{prefix}.histogram", f"{prefix}.distribution", f"{prefix}.timer"):
            assert (sums[f"{name}.count"], sums[f"{name}.sum"]) == (N, total), name
            assert (sums[f"{name}.min"], sums[f"{name}.max"], sums[f"{name}.p95"]) == (0, N - 1, 56), name
    [tags] = agent.query(
        "SELECT DISTINCT tags['client'] AS client, tags['statsd_type'] AS type FROM metrics "
        "WHERE metric_name LIKE '%gauge'"
    )
    assert tags == {"client": "datadog", "type": "g"}


def test_events_and_checks_of_datadog(agent):
    agent.begin(window="1h")
    client = datadog_client(agent, "udp")
    client.event("deployed | fine", "first line\nsecond: ü", alert_type="error", tags=["team:x"])
    client.service_check("db.up", client.CRITICAL, message="gone", tags=["db:main"])
    client.gauge_with_timestamp("old", 7, 1_700_000_000)
    client.flush_aggregated_metrics()
    client.flush_buffered_metrics()
    client.close_socket()
    agent.end()
    rows = agent.query(
        "SELECT event_type AS e, coalesce(message, metric_name) AS name, level AS l, metric_value AS v, tags['team'] AS t, "
        "epoch(timestamp)::BIGINT = 1700000000 AS old FROM events ORDER BY ALL"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("log", "deployed | fine\nfirst line\nsecond: ü", "error", None, "x", False),
        ("log", "service check db.up is critical: gone", "error", None, None, False),
        ("metric", "db.up", None, 2, None, False),
        ("metric", "old", None, 7, None, True),
    ]


def test_statsd_from_pypi(agent):
    agent.begin(window="1h")
    port, stream = agent.port("udp"), str(agent.config.parent / "s" / "stream")
    clients = {
        "udp": statsd.StatsClient("127.0.0.1", port, prefix="udp"),
        "pipeline": statsd.StatsClient("127.0.0.1", port, prefix="pipeline"),
        "tcp": statsd.TCPStatsClient("127.0.0.1", agent.port("tcp"), prefix="tcp"),
        "unix": statsd.UnixSocketStatsClient(stream, prefix="unix"),
    }
    for way, client in clients.items():
        sender = client.pipeline() if way == "pipeline" else client
        for number in range(N):
            sender.incr("counter", 3)
            sender.decr("counter")
            sender.timing("timer", number)
            sender.gauge("gauge", 10)
            sender.gauge("gauge", -3, delta=True)
            sender.set("set", number % 7)
        if way == "pipeline":
            sender.send()
        client.close()
    agent.end()
    sums = agent.sums()
    for way in clients:
        assert sums[f"{way}.counter"] == 2 * N, way
        assert (sums[f"{way}.timer.count"], sums[f"{way}.timer.sum"]) == (N, N * (N - 1) / 2), way
        assert (sums[f"{way}.gauge"], sums[f"{way}.set"]) == (7, 7), way


def run_to_its_end(command: list[str], text: str = "") -> None:
    done = subprocess.run(command, input=text.encode(), timeout=120, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_nc(agent):
    if shutil.which("nc") is None:
        pytest.skip("nc is not installed (apt-get install netcat-openbsd)")
    agent.begin(window="1h")
    text = "counter:5|c\ngauge;dc=x:1|g\ncounter,dc=y:2|c"
    for options, transport in (["-u"], "udp"), ([], "tcp"):
        run_to_its_end(["nc", *options, "-w", "1", "127.0.0.1", str(agent.port(transport))], text)
    agent.end()
    sums = agent.sums()
    assert (sums["counter"], sums["gauge"]) == (14, 1)


def hot_shots(agent, ways: dict[str, str]) -> None:
    sender = str(Path(__file__).with_name("sender.js"))
    for way, place in ways.items():
        run_to_its_end(["node", sender, str(MODULES), way, place, str(N)])
    agent.end()
    sums = agent.sums()
    for way in ways:
        assert (sums[f"{way}.counter"], sums[f"{way}.gauge"], sums[f"{way}.set"]) == (N, N - 1, 10), way
        for name in (f"{way}.timer", f"{way}.histogram"):
            assert (sums[f"{name}.count"], sums[f"{name}.sum"]) == (N, N * (N - 1) / 2), name


@pytest.fixture
def node():
    if shutil.which("node") is None or not (MODULES / "hot-shots").is_dir():
        pytest.skip("hot-shots is not installed (tools/node-clients installs it)")


@pytest.mark.usefixtures("node")
def test_hot_shots(agent):
    agent.begin(window="1h")
    hot_shots(agent, {way: str(agent.port(way)) for way in ("udp", "tcp")})


@pytest.mark.usefixtures("node")
def test_hot_shots_over_a_unix_socket(agent):
    if not (MODULES / "unix-dgram" / "build" / "Release" / "unix_dgram.node").exists():
        pytest.skip("unix-dgram could not be compiled (tools/node-clients tries it)")
    agent.begin(window="1h")
    hot_shots(agent, {"uds": str(agent.config.parent / "s" / "dgram")})


def test_totals_over_many_windows(agent):
    """Short windows while a client sends: the sums of all windows are what was sent, and nothing comes twice."""
    agent.begin(window="50ms")
    client = datadog_client(agent, "unixgram")
    for number in range(5000):
        client.increment("windows.counter")
        client.histogram("windows.histogram", number)
    client.close_socket()
    agent.end()
    sums = agent.sums()
    assert sums["windows.counter"] == sums["windows.histogram.count"] == 5000
    assert sums["windows.histogram.sum"] == 5000 * 4999 / 2
    accounting = agent.diagnose()["accounting"]
    assert accounting["balanced"]
    assert agent.query("SELECT count(*) - count(DISTINCT event_id) AS twice FROM events") == [{"twice": 0}]
    assert not list((agent.config.parent / "s").iterdir()), "socket files are left over"


def test_kill_loses_the_open_window_alone(agent):
    """kill -9: windows that had ended are in the database, and the next start finds the socket files stale."""
    agent.begin(window="100ms")
    client = datadog_client(agent, "unixgram")
    client.increment("kill.before", 5)
    agent.wait_for(1)
    agent.kill()
    agent.begin(window="1h")
    client = datadog_client(agent, "unixgram")
    client.increment("kill.open", 7)
    client.close_socket()
    agent.kill()
    agent.begin(window="1h")
    agent.end()
    sums = agent.sums()
    assert sums["kill.before"] == 5
    assert "kill.open" not in sums
