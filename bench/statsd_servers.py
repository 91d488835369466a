"""Who receives in the StatsD benchmark: each listens on a UDP port, and says in the end how many counts it got."""

from __future__ import annotations

import abc
import contextlib
import json
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from measure import Run, Server
from statsd_sender import COUNTER

PEERS = Path(__file__).resolve().parent.parent / ".cache" / "peers"
#: Seconds between two flushes of every contender.
FLUSH = 1
_PATIENCE = 60.0


class Receiver(abc.ABC):
    """One StatsD server. Use: ``with receiver.serving(folder) as place`` (a port or a file), then `run` and `received`."""

    name: str
    what: str

    def __init__(self) -> None:
        self.run: Run | None = None
        self.received = 0.0
        """Counts that came out, when it has stopped."""

    def available(self) -> bool:
        """Is it installed?"""
        return True

    @contextlib.contextmanager
    def serving(self, folder: Path) -> Iterator[str]:
        """It runs; then it has flushed and stopped."""
        place = self._place(folder)
        with self._around(folder):
            command, environ = self._command(folder, place), self._environ
            server = Server(command, folder / "log", environ)
            server.wait_for(lambda: drops(place) is not None, seconds=_PATIENCE, what="does not listen")
            yield place
            time.sleep(2.5 * FLUSH)  # every contender flushes once a second; not all of them flush at the end
            self.run = server.stop()
        self.received = self._count(folder)

    def _place(self, folder: Path) -> str:
        return str(free_port())

    @property
    def _environ(self) -> Mapping[str, str]:
        return {}

    @contextlib.contextmanager
    def _around(self, folder: Path) -> Iterator[None]:
        yield

    @abc.abstractmethod
    def _command(self, folder: Path, place: str) -> list[str]:
        """Writes its configuration; how to start it."""

    @abc.abstractmethod
    def _count(self, folder: Path) -> float:
        """What came out, after the end."""


class Agent(Receiver):
    """The agent as a user runs it."""

    name = "yaat"
    what = "aggregated, scrubbed, synced LevelDB queue, DuckDB"

    def _command(self, folder: Path, place: str) -> list[str]:
        config = folder / "yaat.yaml"
        config.write_text(
            f"""\
version: 1
state_dir: state
health: {{listen: "off"}}
sources:
  metrics: {{type: statsd, listen: ["{self._listen(place)}"], window: {FLUSH}s}}
sinks:
  local: {self._sink(folder)}
""",
            encoding="utf-8",
        )
        return [str(Path(sys.executable).with_name("yaat")), "run", "-c", str(config)]

    def _count(self, folder: Path) -> float:
        with duckdb.connect(str(folder / "state" / "events.duckdb"), read_only=True) as connection:
            [(total,)] = connection.execute(
                "SELECT coalesce(sum(metric_value), 0) FROM events WHERE metric_name LIKE ? || '.%' "
                "AND metric_name NOT LIKE '%.rate'",
                [COUNTER],
            ).fetchall()
        return float(total)

    def _listen(self, place: str) -> str:
        return f"udp://127.0.0.1:{place}"

    def _sink(self, folder: Path) -> str:
        return "{type: duckdb, path: events.duckdb}"


class AgentUnix(Agent):
    """The same over a Unix datagram socket, where senders wait."""

    name = "yaat-unix"
    what = "the same over a Unix datagram socket"

    def _place(self, folder: Path) -> str:
        return str(folder / "s")

    def _listen(self, place: str) -> str:
        return f"unixgram://{place}"


class AgentQueue(Agent):
    """The same without a database: what the queue gives out is counted and thrown away."""

    name = "yaat-queue"
    what = "the agent up to its queue, over UDP; a sink that throws away"
    _environ: Mapping[str, str] = {"YAAT_PLUGINS_DIR": str(Path(__file__).resolve().parent / "plugins")}

    def _sink(self, folder: Path) -> str:
        return f'{{type: "null", report: "{folder / "report.json"}"}}'

    def _count(self, folder: Path) -> float:
        return float(json.loads((folder / "report.json").read_text(encoding="utf-8"))["counted"])


class Etsy(Receiver):
    """Etsy's statsd on Node.js, its Graphite backend sending to a socket of ours."""

    name = "statsd"
    what = "Etsy's statsd 0.9 (Node.js), Graphite backend over TCP, nothing stored"

    def available(self) -> bool:
        return shutil.which("node") is not None and (PEERS / "statsd" / ".built").exists()

    @contextlib.contextmanager
    def _around(self, folder: Path) -> Iterator[None]:
        with Graphite() as self._graphite:
            yield

    def _command(self, folder: Path, place: str) -> list[str]:
        settings = {
            "port": int(place),
            "address": "127.0.0.1",
            "mgmt_port": free_port(),
            "graphiteHost": "127.0.0.1",
            "graphitePort": self._graphite.port,
            "graphite": {"legacyNamespace": False},
            "flushInterval": 1000 * FLUSH,
            "deleteIdleStats": True,
        }
        (folder / "config.js").write_text(json.dumps(settings), encoding="utf-8")
        return ["node", str(PEERS / "statsd/node_modules/statsd/stats.js"), str(folder / "config.js")]

    def _count(self, folder: Path) -> float:
        return self._graphite.total


class Telegraf(Receiver):
    """Telegraf's statsd input, to a file."""

    name = "telegraf"
    what = "Telegraf 1.37, memory buffer, a file of InfluxDB lines"

    def available(self) -> bool:
        return (PEERS / "telegraf" / ".built").exists()

    def _command(self, folder: Path, place: str) -> list[str]:
        (folder / "telegraf.conf").write_text(
            f"""\
[agent]
  interval = "{FLUSH}s"
  flush_interval = "{FLUSH}s"
  metric_buffer_limit = 100000
  omit_hostname = true
[[inputs.statsd]]
  protocol = "udp"
  service_address = "127.0.0.1:{place}"
  delete_counters = true
  delete_gauges = true
  delete_timings = true
  datadog_extensions = true
  percentiles = [50.0, 95.0, 99.0]
  metric_separator = "."
  allowed_pending_messages = 100000
  read_buffer_size = {4 * 2**20}
[[outputs.file]]
  files = ["{folder / "out"}"]
  data_format = "influx"
""",
            encoding="utf-8",
        )
        return [str(PEERS / "telegraf" / "telegraf"), "--config", str(folder / "telegraf.conf")]

    def _count(self, folder: Path) -> float:
        total = 0.0
        with (folder / "out").open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(COUNTER):
                    field = line.split(" ")[1]
                    total += float(field.removeprefix("value=").rstrip("i"))
        return total


class Graphite:
    """Takes lines ``NAME VALUE TIME`` and sums what is counted."""

    def __init__(self) -> None:
        self.total = 0.0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Graphite:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(0.2)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                made, _ = self._socket.accept()
                threading.Thread(target=self._take, args=(made,), daemon=True).start()

    def _take(self, made: socket.socket) -> None:
        with made, made.makefile(encoding="utf-8") as lines:
            for line in lines:
                name, value, _ = line.split(" ")
                if name.startswith(f"stats.counters.{COUNTER}.") and name.endswith(".count"):
                    self.total += float(value)


def free_port() -> int:
    """A UDP port that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def drops(place: str) -> int | None:
    """What the kernel dropped of a UDP port on loopback (of a Unix socket: nothing, senders wait); None when nobody listens."""
    if "/" in place:
        return 0 if Path(place).exists() else None
    with open("/proc/net/udp", encoding="ascii") as table:
        for row in table:
            fields = row.split()
            if fields[1].endswith(f":{int(place):04X}"):
                return int(fields[-1])
    return None
