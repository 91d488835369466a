"""MySQL, MariaDB and Redis: the files that their options name, and those that they hold open."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from typing import Final

from yaat_core.detection import Detection, Log, Machine, Process
from yaat_plugin_detect.config import MAX_DEPTH
from yaat_plugin_detect.looking import (
    Files,
    absolute,
    configured,
    count,
    listening,
    option,
    told,
    unreadable,
    words,
)
from yaat_plugin_detect.words import settings

MYSQL: Final = ("mysqld", "mariadbd")
_MY_CNF: Final = ("/etc/my.cnf", "/etc/mysql/my.cnf")
REDIS: Final = ("redis-server", "valkey-server")
_REDIS_CONF: Final = ("/etc/redis/redis.conf", "/etc/redis.conf", "/etc/valkey/valkey.conf")


def find_mysql(machine: Machine) -> Iterator[Detection]:
    """https://dev.mysql.com/doc/refman/8.4/en/error-log.html, https://mariadb.com/kb/en/error-log/."""
    running = [one for one in machine.processes if one.name in MYSQL]
    configs = [path for path in _MY_CNF if machine.exists(path)]
    if not running and not configs:
        return
    given = words(running[0]) if running else []
    uid = running[0].uid if running else 0
    own = option(given, "--defaults-file")
    files = Files(machine, uid)
    known: dict[str, str] = {}
    for path in [own] if own else configs:
        _read_mysql(files, path, known, 0)
    for name, *spelled in (("log_error", "--log-error", "--log_error"), ("datadir", "--datadir")):
        known |= {name: value} if (value := option(given, *spelled)) else {}
    folder = known.get("datadir", "/var/lib/mysql")
    named = absolute(known.get("log_error", ""), folder)
    usual = [path for path in ("/var/log/mysql/error.log", "/var/log/mysqld.log") if machine.exists(path)]
    held = [
        path
        for one in running
        for path in machine.open_logs(one.pid)
        if "slow" not in path and "general" not in path
    ]
    paths = dict.fromkeys([*([named] if named else []), *held]) or dict.fromkeys(usual)
    if not running and not paths:
        return  # the client's configuration alone
    yield Detection(
        service="mysql",
        what=f"MySQL or MariaDB, {count(len(running), 'process', 'processes')}"
        if running
        else "MySQL or MariaDB, not running",
        evidence=[
            *map(told, running),
            *listening(machine, running),
            *configured(files),
        ],
        logs=[Log(path=path, format="mysql", uid=uid) for path in paths],
        notes=list(unreadable(machine, configs)),
    )


def _read_mysql(files: Files, path: str, known: dict[str, str], depth: int) -> None:
    text = files.text(path) if depth < MAX_DEPTH else None
    for line in (text or "").splitlines():
        directive, _, rest = line.strip().partition(" ")
        if directive == "!include":
            _read_mysql(files, rest.strip(), known, depth + 1)
        elif directive == "!includedir" and rest.strip().startswith("/"):
            for one in files.machine.glob(os.path.join(glob.escape(rest.strip()), "*.cnf")):
                _read_mysql(files, one, known, depth + 1)
        else:
            known |= {name.replace("-", "_").lower(): value for name, value in settings(line)}


def find_redis(machine: Machine) -> Iterator[Detection]:
    """https://redis.io/docs/latest/operate/oss_and_stack/management/config/: `logfile`; empty: standard output."""
    running = [one for one in machine.processes if one.name in REDIS]
    configs: dict[str, Process | None] = {}
    for process in running:
        # a process title is `redis-server 127.0.0.1:6379`: the file is gone from it
        named = next((one for one in words(process)[1:] if one.endswith(".conf")), "")
        configs[absolute(named, process.folder) or next(filter(machine.exists, _REDIS_CONF), "")] = process
    configs = configs or {path: None for path in _REDIS_CONF if machine.exists(path)}
    for config, one in configs.items():
        uid = one.uid if one else machine.owner(config) or 0
        files = Files(machine, uid)
        known = dict(settings(files.text(config) or "")) if config else {}
        named = absolute(known.get("logfile", ""), known.get("dir", ""))
        paths = [named] if named else []  # it opens its log for each line, so that no open file tells
        own = [one] if one else []
        yield Detection(
            service="redis",
            what="Redis" if one else "Redis, installed, not running",
            evidence=[
                *map(told, own),
                *listening(machine, own),
                *configured(files),
            ],
            logs=[Log(path=path, format="redis", uid=uid) for path in paths],
            notes=list(unreadable(machine, [config])),
        )
