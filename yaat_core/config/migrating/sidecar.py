"""The first agent's file (the sidecar written in Go) as one of ours.

What it meant is taken from its program: a key that is not written has its default, `enabled` is false, and files and the
journal are read from their end at each start. Everything that the new file says is tried before it goes in: what this yaat
can't do, or has no plugin for, is left out and told.
"""

from __future__ import annotations

import glob
import posixpath
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from yaat_core.config.migrating.old import Old
from yaat_core.config.migrating.report import Needed
from yaat_core.config.migrating.rules import rules
from yaat_core.config.nodes import KeyPath, Table
from yaat_core.config.options import Duration

#: Keys of the first level that only the first agent's file has.
OWN_KEYS: Final = frozenset(
    (
        *("api_key", "api_endpoint", "logs", "proxy", "buffer_size", "flush_interval"),
        *("delivery", "metrics", "scrubbing", "analytics"),
    )
)
_FORMATS: Final = ("django", "nginx", "apache", "json", "docker")
_COMMON_FOLDERS: Final = frozenset(("", "log", "logs", "var", "tmp", "srv", "opt"))
_LOOPBACK: Final = re.compile(r"localhost|127\.[\d.]+|::1")
_OFF: Final = "it was switched off"

#: What is wrong with a part of a configuration below a key; empty: nothing.
Trial = Callable[[Mapping[str, Any], str], str]


@attrs.define(eq=False)
class Translation:
    """``new`` is the configuration to write, ``needed`` the secrets that it refers to."""

    old: Old
    trial: Trial
    key_reference: str
    start_at: str
    new: dict[str, Any] = attrs.field(factory=dict)
    needed: list[Needed] = attrs.field(factory=list)

    def do(self) -> None:
        """All of it."""
        self._top()
        self.new["sources"] = {}
        self._logs()
        self._metrics()
        self._proxy()
        self._scrubbing()
        self.new["sinks"] = {}
        self._delivery()
        self._analytics()
        self._cloud()
        if not self.new["sinks"]:
            self.new["sinks"]["local"] = {"type": "duckdb"}
            self.old.added("sinks.local", "the first agent sent and kept nothing; a sink has to be there")
        self.old.rest()

    # --- what holds for all

    def _top(self) -> None:
        old, new = self.old, self.new
        for key in ("service_name", "environment", "organization_id"):
            if written := old.text(key):
                new[key] = literal(written)
                old.kept((key,))
            else:
                old.left((key,), "it is empty")
        if tags := self._tags(("tags",), "tags"):
            new["tags"] = tags
        for key, why in (
            ("buffer_size", "events go to a queue on disk at once; `queue.max_bytes` bounds it"),
            ("flush_interval", "events are sent as they come"),
        ):
            old.left((key,), why)

    def _tags(self, path: KeyPath, to: str) -> dict[str, str]:
        made = {}
        for name in self.old.keys(*path):
            value = literal(self.old.text(*path, name))
            if wrong := self.trial({"tags": {name: value}}, "tags"):
                self.old.left((*path, name), wrong)
            else:
                made[name] = value
                self.old.renamed((*path, name), f"{to}.{name}") if to != "tags" else self.old.kept(
                    (*path, name)
                )
        return made

    # --- sources

    def _source(self, name: str, value: dict[str, Any], paths: Mapping[KeyPath, tuple[str, str]]) -> None:
        """Put a source in, or note why it can't be. ``paths``: the old keys, what of the source they became, and a remark."""
        free, number = name, 1
        while free in self.new["sources"]:
            number += 1
            free = f"{name}-{number}"
        wrong = self.trial({"sources": {free: value}}, f"sources.{free}")
        for path, (key, why) in paths.items():
            if wrong:
                self.old.left(path, wrong)
            else:
                self.old.renamed(path, f"sources.{free}{key}", why)
        if not wrong:
            self.new["sources"][free] = value

    def _logs(self) -> None:
        for index in range(self.old.count("logs")):
            path: KeyPath = ("logs", index)
            format = self.old.text(*path, "format")
            if format.lower() == "journald":
                self._journal(path)
            else:
                self._file(path, format)

    def _journal(self, path: KeyPath) -> None:
        unit = self.old.text(*path, "path")
        value: dict[str, Any] = {
            "type": "journald",
            "since": "now" if self.start_at == "end" else "beginning",
        }
        if unit:
            value["units"] = [literal(glob.escape(unit))]
        name = f"journal-{_slug(unit.removesuffix('.service'))}" if unit else "journal"
        self._source(name, value, {(*path, "format"): (".type", ""), (*path, "path"): (".units", "")})

    def _file(self, path: KeyPath, format: str) -> None:
        written = self.old.text(*path, "path")
        if not written:
            self.old.left(path, "it has no path")
            return
        known = format.lower() if format.lower() in _FORMATS else "raw"
        value: dict[str, Any] = {"type": "file", "paths": [literal(written)], "start_at": self.start_at}
        value["format"] = known
        if known == "django":
            value["multiline"] = "python"
        paths = {(*path, "path"): (".paths", _about(written)), (*path, "format"): (".format", "")}
        if known == "raw":
            why = "the first agent took its lines as they are; `auto` would find their format out"
            paths[*path, "format"] = (".format", why)
        self._source(_source_name(written), value, paths)

    def _metrics(self) -> None:
        old = self.old
        if not old.truth("metrics", "enabled"):
            old.left(("metrics",), _OFF)
            return
        host: dict[str, Any] = {"type": "hostmetrics", "groups": ["cpu", "memory", "disk", "network"]}
        paths: dict[KeyPath, tuple[str, str]] = {("metrics", "enabled"): ("", "")}
        interval = old.duration("metrics", "interval")
        host["interval"] = str(interval or Duration(30))
        paths["metrics", "interval"] = (".interval", "")
        tags = self._tags(("metrics", "tags"), "sources.host.tags")
        if tags:
            host["tags"] = tags
        self._source("host", host, paths)
        if not old.truth("metrics", "statsd", "enabled"):
            old.left(("metrics", "statsd"), _OFF)
            return
        self._statsd(tags)

    def _statsd(self, tags: Mapping[str, str]) -> None:
        path = ("metrics", "statsd")
        written = self.old.text(*path, "listen_addr") or ":8125"
        host, _, port = written.rpartition(":")
        value: dict[str, Any] = {"type": "statsd", "listen": [literal(f"udp://{host or '127.0.0.1'}:{port}")]}
        why = (
            ""
            if host
            else "it listened on every address, now on this machine's own; for others: udp://0.0.0.0:PORT"
        )
        paths: dict[KeyPath, tuple[str, str]] = {
            (*path, "enabled"): ("", ""),
            (*path, "listen_addr"): (".listen", why),
            (*path, "namespace"): (".namespace", ""),
        }
        if namespace := self.old.text(*path, "namespace"):
            value["namespace"] = literal(namespace)
        if both := {**tags, **self._tags((*path, "tags"), "sources.statsd.tags")}:
            value["tags"] = both
        self._source("statsd", value, paths)

    def _proxy(self) -> None:
        why = "there is no proxy: read your web server's access log instead (format nginx or apache)"
        self.old.left(("proxy",), why if self.old.truth("proxy", "enabled") else _OFF)

    # --- processors

    def _scrubbing(self) -> None:
        scrub: dict[str, Any] = {"type": "scrub", "detectors": ["secrets"]}
        said = "secrets are found without rules as well"
        if self.old.truth("scrubbing", "enabled"):
            self.old.renamed(("scrubbing", "enabled"), "processors.scrub")
            made = rules(
                self.old,
                lambda rule: self.trial({"processors": [{**scrub, "rules": [rule]}]}, "processors"),
                literal,
            )
            if made:
                scrub["rules"] = made
        else:
            self.old.left(("scrubbing",), f"{_OFF}; its rules are not carried over")
            said = "the first agent scrubbed nothing; here secrets are taken out unless you remove this"
        self.new["processors"] = [scrub]
        self.old.added("processors.scrub.detectors", said)

    # --- what goes out

    def _delivery(self) -> None:
        retention = self.old.duration("delivery", "queue_retention")
        if retention is not None:
            self.new["queue"] = {"retention": str(retention) if retention else "none"}
            self.old.renamed(("delivery", "queue_retention"), "queue.retention")
        dead = self.old.duration("delivery", "dead_letter_retention")
        if dead:
            self.new["dead_letter"] = {"retention": str(dead)}
            self.old.renamed(("delivery", "dead_letter_retention"), "dead_letter.retention")
        elif dead is not None:
            self.old.left(("delivery", "dead_letter_retention"), "dead letters are always kept for a time")

    def _analytics(self) -> None:
        old = self.old
        if not old.truth("analytics", "enabled"):
            old.left(("analytics",), _OFF)
            return
        local: dict[str, Any] = {"type": "duckdb"}
        old.renamed(("analytics", "enabled"), "sinks.local")
        days = old.number("analytics", "retention_days") or 14
        if days > 0:
            local["retention"] = str(Duration(float(days) * 86_400))
            old.renamed(("analytics", "retention_days"), "sinks.local.retention")
        gigabytes = old.number("analytics", "max_size_gb") or Decimal(2)
        if gigabytes > 0:
            local["max_bytes"] = f"{gigabytes.normalize():f}GB"
            old.renamed(("analytics", "max_size_gb"), "sinks.local.max_bytes")
        why = "the old database has other tables: it stays as it is, and a new one begins in `state_dir`"
        old.left(("analytics", "database_path"), why)
        old.left(("analytics", "batch_size"), "batches are as large as what waits")
        old.left(("analytics", "write_timeout"), "a write is never given up")
        self.new["sinks"]["local"] = local

    def _cloud(self) -> None:
        old = self.old
        if not old.text("api_key"):
            old.left(("api_key",), "it is empty")
            for path in (("api_endpoint",), ("delivery", "batch_size"), ("delivery", "compress")):
                old.left(path, "without api_key nothing was sent")
            old.left(("delivery", "max_batch_bytes"), "without api_key nothing was sent")
            return
        endpoint = old.text("api_endpoint")
        cloud: dict[str, Any] = {
            "type": "cloud",
            "endpoint": literal(endpoint),
            "api_key": self.key_reference,
        }
        if endpoint.startswith("http://") and not _LOOPBACK.fullmatch(_host(endpoint)):
            cloud["allow_plain_http"] = True
            old.added(
                "sinks.cloud.allow_plain_http", "as before, the key can be read on its way; better use https"
            )
        cloud |= self._batches()
        if wrong := self.trial({"sinks": {"cloud": cloud}}, "sinks.cloud"):
            old.notes[:] = [one for one in old.notes if not one.to.startswith("sinks.cloud")]
            for key in ("api_key", "api_endpoint"):
                old.left((key,), wrong)
            old.left(("delivery",), wrong)
            return
        old.renamed(("api_endpoint",), "sinks.cloud.endpoint")
        old.renamed(("api_key",), "sinks.cloud.api_key", f"{self.key_reference} stands in its place")
        self.needed.append(Needed(reference=self.key_reference, line=old.line(("api_key",)) or 0))
        self.new["sinks"]["cloud"] = cloud

    def _batches(self) -> dict[str, Any]:
        old = self.old
        made: dict[str, Any] = {}
        rows = old.number("delivery", "batch_size")
        if rows is not None and rows > 0:
            made["max_batch_rows"] = int(rows)
            old.renamed(("delivery", "batch_size"), "sinks.cloud.max_batch_rows")
        if old.node("delivery", "compress") is not None:
            made["compression"] = "gzip" if old.truth("delivery", "compress") else "none"
            old.renamed(("delivery", "compress"), "sinks.cloud.compression")
        size = old.number("delivery", "max_batch_bytes")
        if size is not None and size > 0:
            made["max_batch_bytes"] = f"{int(size)}B"
            old.renamed(
                ("delivery", "max_batch_bytes"), "sinks.cloud.max_batch_bytes", "of the compressed request"
            )
        elif size is not None:
            old.left(("delivery", "max_batch_bytes"), "0 was no limit; the default stays")
        return made


def translate(root: Table, trial: Trial, *, key_reference: str, start_at: str) -> Translation:
    """The whole file."""
    made = Translation(Old(root), trial, key_reference, start_at)
    made.do()
    return made


def literal(text: str) -> str:
    """A text that is meant as it stands: the first agent filled no references in."""
    return text.replace("${", "$${")


def _about(path: str) -> str:
    said = []
    if not path.startswith("/"):
        said.append("relative to the new file")
    if glob.has_magic(path):
        said.append("it is a pattern now")
    if "/docker/containers/" in path:
        said.append("the source `docker` reads every container, also new ones")
    return "; ".join(said)


def _source_name(path: str) -> str:
    folder, file = posixpath.split(path)
    stem = _slug(re.sub(r"\.(log|json|txt|out)$", "", file.replace("*", "")))
    if "/docker/containers/" in path:
        return f"docker-{stem.removesuffix('-json')[:12].strip('-')}"
    parent = _slug(posixpath.basename(folder))
    if parent in _COMMON_FOLDERS or stem.startswith(parent):
        return stem or parent or "logs"
    return f"{parent}-{stem}" if stem else parent


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-._").lower()[:30].rstrip("-._")


def _host(endpoint: str) -> str:
    try:
        return urlsplit(endpoint).hostname or ""
    except ValueError:
        return ""
