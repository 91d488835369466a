"""PostgreSQL: where its log goes and how its lines begin (https://www.postgresql.org/docs/current/runtime-config-logging.html)."""

from __future__ import annotations

import glob
import itertools
import os
import re
from collections.abc import Iterator
from typing import Any, Final

from yaat_core.components import Finding
from yaat_core.detection import Detection, Log, Machine, Process
from yaat_plugin_detect.config import MAX_DEPTH
from yaat_plugin_detect.looking import Files, absolute, configured, listening, option, told, unreadable, words
from yaat_plugin_detect.words import settings

_INSTALLED: Final = ("/etc/postgresql/*/*/postgresql.conf", "/var/lib/pgsql/data/postgresql.conf")
_PREFIX: Final = "%m [%p] "
_FILENAME: Final = "postgresql-%Y-%m-%d_%H%M%S.log"
_TIME: Final = re.compile(r"%[-_0^#]?[A-Za-z%]")
_DEBIAN: Final = re.compile(r"/etc/postgresql/([^/]+)/([^/]+)/postgresql\.conf")


def find(machine: Machine) -> Iterator[Detection]:
    """Every server that runs, and clusters that are installed beside them."""
    seen: set[str] = set()
    for process in machine.processes:
        given = words(process)
        data = option(given, "-D")
        if os.path.basename(given[0]) not in ("postgres", "postmaster") or not data:
            continue
        data = absolute(data, process.folder)
        config = absolute(_parameter(given, "config_file"), data) or os.path.join(data, "postgresql.conf")
        seen.add(config)
        yield _detection(machine, config, data, process)
    for pattern in _INSTALLED:
        for config in machine.glob(pattern):
            if config not in seen:
                yield _detection(machine, config, "", None)


def _detection(machine: Machine, config: str, data: str, process: Process | None) -> Detection:
    uid = process.uid if process else machine.owner(config) or 0
    files = Files(machine, uid)
    known: dict[str, str] = {}
    for path in (config, os.path.join(data, "postgresql.auto.conf") if data else ""):
        _read(files, path, known, 0)
    if process is not None:
        known |= dict(_parameters(words(process)))
    data = data or known.get("data_directory", "")
    running = [process] if process else []
    found = list(_logs(machine, known, data, config, process))
    note = Finding(problem="its log goes to standard error or syslog, not to a file of its own", level="warn")
    return Detection(
        service="postgresql",
        what="PostgreSQL" if process else "PostgreSQL, installed, not running",
        evidence=[
            *map(told, running),
            *listening(machine, running),
            *configured(files),
        ],
        logs=[
            Log(path=path, pattern=pattern, format=format, name=name, uid=uid)
            for path, pattern, format, name in found
        ],
        notes=[*unreadable(machine, [config]), *([] if found else [note])],
    )


def _logs(
    machine: Machine, known: dict[str, str], data: str, config: str, process: Process | None
) -> Iterator[tuple[str, bool, Any, str]]:
    """Path, whether it is a pattern, format, and what tells it apart."""
    prefix = known.get("log_line_prefix", _PREFIX)
    format = {"type": "postgres", "log_line_prefix": prefix}
    targets = {one.strip().lower() for one in known.get("log_destination", "stderr").split(",")}
    open_now = machine.open_logs(process.pid) if process else []
    if known.get("logging_collector", "off").lower() in ("on", "true", "yes", "1"):
        folder = absolute(known.get("log_directory", "log"), data)
        name = known.get("log_filename", _FILENAME)
        if folder:
            pattern = os.path.join(glob.escape(folder), "*".join(map(glob.escape, _TIME.split(name))))
            base = pattern.removesuffix(".log")
            if "stderr" in targets:
                yield f"{base}.log" if pattern.endswith(".log") else pattern, True, format, ""
            if "jsonlog" in targets:
                yield f"{base}.json", True, "json", "json"
        return
    debian = _DEBIAN.fullmatch(config)
    usual = f"/var/log/postgresql/postgresql-{debian[1]}-{debian[2]}.log" if debian else ""
    for path in open_now or ([usual] if usual and machine.exists(usual) else []):
        yield path, False, format, ""


def _read(files: Files, path: str, known: dict[str, str], depth: int) -> None:
    """Settings of a file and those it includes; later ones win."""
    text = files.text(path) if path and depth < MAX_DEPTH else None
    folder = os.path.dirname(path)
    for name, value in settings(text or ""):
        if name in ("include", "include_if_exists"):
            _read(files, absolute(value, folder), known, depth + 1)
        elif name == "include_dir":
            for one in files.machine.glob(os.path.join(glob.escape(absolute(value, folder)), "*.conf")):
                _read(files, one, known, depth + 1)
        else:
            known[name.lower()] = value


def _parameters(given: list[str]) -> Iterator[tuple[str, str]]:
    """``-c name=value`` and ``--name=value``."""
    for before, word in itertools.pairwise(given):
        text = word if before == "-c" else word.removeprefix("--") if word.startswith("--") else ""
        name, equals, value = text.partition("=")
        if equals:
            yield name.replace("-", "_").lower(), value


def _parameter(given: list[str], name: str) -> str:
    return dict(_parameters(given)).get(name, "")
