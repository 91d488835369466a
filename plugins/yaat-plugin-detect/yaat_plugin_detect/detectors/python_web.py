"""Python web servers (gunicorn, uWSGI, uvicorn, Django's own) and their logs: from command lines, uWSGI's files, open files.

A Django project is told by `manage.py` in the working directory or by a settings module on the command line; no Python is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final

from yaat_core.detection import Detection, Log, Machine, Process
from yaat_plugin_detect.looking import absolute, count, listening, option, told, words
from yaat_plugin_detect.words import settings

_SERVERS: Final = ("gunicorn", "uwsgi", "uvicorn", "daphne", "hypercorn")
_TITLE: Final = re.compile(r"(gunicorn): (?:master|worker)\b")
#: Option of the command line to the format of what it names.
_OPTIONS: Final[Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]] = {
    "gunicorn": ((("--access-logfile",), "apache"), (("--error-logfile", "--log-file"), "auto")),
    "uwsgi": ((("--logto", "--logto2", "--daemonize", "-d", "--daemonize2"), "auto"),),
    "hypercorn": (
        (("--access-logfile", "--access-log"), "auto"),
        (("--error-logfile", "--error-log"), "auto"),
    ),
    "daphne": ((("--access-log",), "auto"),),
}
_SERVICE: Final = re.compile(r"[^a-z0-9]+")


def find(machine: Machine) -> Iterator[Detection]:
    """One finding for each application: a server, its workers, and their files."""
    groups: dict[tuple[str, str, int], list[Process]] = {}
    for process in machine.processes:
        server = server_of(process)
        if server:
            groups.setdefault((server, process.folder, process.uid), []).append(process)
    for (server, folder, uid), running in groups.items():
        django = _is_django(machine, running[0])
        name = os.path.basename(folder) if folder not in ("", "/") else ""
        logs = {log.path: log for process in running for log in _logs(machine, server, process)}
        yield Detection(
            service=_SERVICE.sub("-", name.lower()).strip("-")[:40] or server,
            what=f"{'Django under ' if django and server != 'Django' else ''}{server}, "
            f"{count(len(running), 'process', 'processes')}",
            evidence=[
                told(running[0]), *([f"working directory {folder}"] if folder else []), *listening(machine, running)
            ],
            logs=[Log(path=log.path, format=log.format, multiline="python", uid=uid) for log in logs.values()],
        )  # fmt: skip


def server_of(process: Process) -> str:
    """Which of the servers a process is; empty: none."""
    given = words(process)
    if title := _TITLE.match(" ".join(given)):
        return title[1]
    if os.path.basename(given[0]) in _SERVERS:
        return os.path.basename(given[0])
    if not os.path.basename(given[0]).startswith(("python", "pypy")):
        return ""
    rest = [one for one in given[1:4] if not one.startswith("-")]
    script = os.path.basename(rest[0]).removesuffix(".py") if rest else ""
    if script == "manage" and "runserver" in given:
        return "Django"
    return script if script in _SERVERS else ""


def _is_django(machine: Machine, process: Process) -> bool:
    given = " ".join(words(process))
    if "manage.py" in given or "DJANGO_SETTINGS_MODULE" in given or "--settings" in given:
        return True
    return bool(process.folder) and machine.exists(os.path.join(process.folder, "manage.py"))


def _logs(machine: Machine, server: str, process: Process) -> Iterator[Log]:
    given = words(process)
    for names, format in _OPTIONS.get(server, ()):
        path = _file(option(given, *names), process.folder)
        if path:
            yield Log(path=path, format="auto" if _own_format(given) else format)
    if server == "uwsgi":
        for path in _of_uwsgi(machine, process):
            yield Log(path=path)
    known = {_file(option(given, *names), process.folder) for names, _ in _OPTIONS.get(server, ())}
    for path in machine.open_logs(process.pid):
        if path not in known:
            yield Log(
                path=path,
                format="apache" if "access" in os.path.basename(path) and server == "gunicorn" else "auto",
            )


def _own_format(given: list[str]) -> bool:
    return bool(
        option(given, "--access-logformat", "--access-log-format", "--log-config", "--log-config-json")
    )


def _file(written: str, folder: str) -> str:
    return "" if written in ("", "-") or written.startswith(("syslog", "udp:")) else absolute(written, folder)


def _of_uwsgi(machine: Machine, process: Process) -> Iterator[str]:
    given = words(process)
    named = [
        option(given, "--ini", "-i"),
        *(one for one in given[1:] if one.endswith(".ini") and "=" not in one),
    ]
    for config in dict.fromkeys(absolute(one, process.folder) for one in named):
        text = machine.read(config, uid=process.uid) if config else None
        for name, value in settings(text or ""):
            if name in ("logto", "logto2", "daemonize", "daemonize2", "logger", "req-logger"):
                path = absolute(value.removeprefix("file:"), process.folder)
                if path and "%" not in path and "$(" not in path:
                    yield path
