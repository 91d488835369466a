"""The OpenTelemetry Collector, built by bench/peers/build otelcol."""

from __future__ import annotations

import json
from pathlib import Path

from ceiling import REDACTIONS
from contenders.base import PEERS, Contender, ItemCounter, check_text
from measure import Run, run

# The file exporter has no sending queue of its own: the queue on disk is that of an OTLP exporter, which hands on to a second
# pipeline of the same process over a Unix socket.
_CONFIG = """\
extensions:
  file_storage:
    directory: {spool}
    fsync: {synced}
receivers:
  file_log:
    include: ["{source}"]
    start_at: beginning
    storage: file_storage
    poll_interval: 50ms
    operators:
      - type: json_parser
        timestamp: {{parse_from: attributes.timestamp, layout_type: strptime, layout: "%Y-%m-%dT%H:%M:%S.%fZ"}}
        severity: {{parse_from: attributes.level}}
      - {{type: move, from: attributes.message, to: body}}
  otlp:
    protocols:
      grpc: {{endpoint: "{socket}", transport: unix, max_recv_msg_size_mib: 64}}
processors:
  redaction:
    allow_all_keys: true
    blocked_values: {patterns}
exporters:
  otlp_grpc:
    endpoint: "unix://{socket}"
    compression: none
    tls: {{insecure: true}}
    wait_for_ready: true
    retry_on_failure: {{initial_interval: 50ms, max_interval: 1s, max_elapsed_time: 0}}
    sending_queue: {{storage: file_storage, queue_size: 1000, block_on_overflow: true}}
  file:
    path: {out}
    flush_interval: 50ms
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines:
    logs/read: {{receivers: [file_log], processors: [redaction], exporters: [otlp_grpc]}}
    logs/write: {{receivers: [otlp], exporters: [file]}}
"""


class Otelcol(Contender):
    """``synced``: its store on disk syncs each write, as the agent's does; by default it does not."""

    def __init__(self, *, synced: bool) -> None:
        self.name = "otelcol-sync" if synced else "otelcol"
        how = "synced" if synced else "unsynced"
        self.what = (
            f"filelog, json_parser, redaction (five patterns), file_storage queue ({how}), file; no database"
        )
        self._synced = synced
        self._program = PEERS / "otelcol" / "otelcol"

    def missing(self) -> str | None:
        built = (PEERS / "otelcol" / ".built").exists()
        return None if built else "bench/peers/build otelcol (minutes; needs go)"

    def run(self, source: Path, folder: Path) -> Run:
        config, out, spool = folder / "otelcol.yaml", folder / "out.json", folder / "spool"
        spool.mkdir()
        text = _CONFIG.format(
            source=source,
            out=out,
            spool=spool,
            socket=folder / "otlp.sock",
            synced=str(self._synced).lower(),
            patterns=json.dumps([pattern for pattern, _ in REDACTIONS]),
        )
        config.write_text(text, encoding="utf-8")
        expected, written = ItemCounter(source).count(), ItemCounter(out)
        command = [str(self._program), "--config", str(config)]
        return run(command, folder / "log", until=lambda: written.count() >= expected)

    def check(self, folder: Path, lines: int) -> None:
        check_text(folder / "out.json", lines, redacted=True)
