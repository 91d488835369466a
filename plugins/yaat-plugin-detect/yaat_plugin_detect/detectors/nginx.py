"""nginx: its logs and their formats, from its configuration as it is written (nothing is run).

https://nginx.org/en/docs/http/ngx_http_log_module.html, https://nginx.org/en/docs/ngx_core_module.html#error_log
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from typing import Any, Final

import attrs

from yaat_core.components import Finding
from yaat_core.detection import Detection, Log, Machine, Process
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
from yaat_plugin_detect.words import nginx_statements

_KNOWN: Final = ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf", "/opt/nginx/conf/nginx.conf")
_NO_FILE: Final = ("syslog:", "memory:", "/dev/", "stderr", "off")
_VARIABLE: Final = re.compile(r"\$(?:\{\w+\}|\w+)")


def find(machine: Machine) -> Iterator[Detection]:
    """Every configuration that a master process runs, or the installed one."""
    masters = [one for one in machine.processes if one.name == "nginx" and _is_master(one)]
    configs: dict[str, list[Process]] = {}
    for master in masters:
        given = words(master)
        prefix = option(given, "-p")
        config = absolute(option(given, "-c"), prefix) or next(filter(machine.exists, _KNOWN), _KNOWN[0])
        configs.setdefault(config, []).append(master)
    if not configs:
        configs = {path: [] for path in _KNOWN if machine.exists(path)}
    for config, running in configs.items():
        yield _detection(machine, config, running)


def _is_master(process: Process) -> bool:
    given = words(process)
    return "worker" not in given[:2] and "cache" not in given[:2]


def _detection(machine: Machine, config: str, running: list[Process]) -> Detection:
    uid = running[0].uid if running else machine.owner(config) or 0
    read = _Config(
        Files(machine, uid),
        folder=os.path.dirname(config),
        prefix=option(words(running[0]), "-p") if running else "",
        open=[path for one in running for path in machine.open_logs(one.pid)],
    )
    read.take(config)
    workers = [one for one in machine.processes if one.name == "nginx"]
    logs = [attrs.evolve(log, uid=uid) for log in read.logs()]
    return Detection(
        service="nginx",
        what=f"nginx, {count(len(workers), 'process', 'processes')}"
        if running
        else "nginx, installed, not running",
        evidence=[
            *map(told, running),
            *listening(machine, workers),
            *configured(read.files),
        ],
        logs=logs,
        notes=[*unreadable(machine, [config]), *read.notes],
    )


@attrs.define(eq=False)
class _Config:
    """What the configuration says, gathered over all of its files."""

    files: Files
    folder: str
    prefix: str
    open: list[str]
    formats: dict[tuple[str, str], tuple[str, str]] = attrs.field(factory=dict)
    """By part (`http`, `stream`) and name: escape and text."""
    access: dict[str, tuple[str, str]] = attrs.field(factory=dict)
    """By path: part and name of the format."""
    errors: dict[str, None] = attrs.field(factory=dict)
    notes: list[Finding] = attrs.field(factory=list)

    def take(self, config: str) -> None:
        text = self.files.text(config)
        if text is not None:
            self._walk(text, [], 0)

    def _walk(self, text: str, blocks: list[str], depth: int) -> None:
        blocks = list(blocks)
        for given, end in nginx_statements(text):
            if end == "}":
                blocks[-1:] = []
            elif end == "{":
                blocks.append(given[0] if given else "")
            elif given[:1] == ["include"] and len(given) == 2:
                for _, included in self.files.included(absolute(given[1], self.folder), depth):
                    self._walk(included, blocks, depth + 1)
            elif len(given) > 1:
                self._directive(given, blocks[0] if blocks else "")

    def _directive(self, given: list[str], part: str) -> None:
        name = given[0]
        if name == "log_format" and len(given) > 2:
            escape = given[2].removeprefix("escape=") if given[2].startswith("escape=") else ""
            self.formats[part, given[1]] = (escape, "".join(given[3:] if escape else given[2:]))
        elif name in ("access_log", "error_log"):
            if given[1].startswith(_NO_FILE):
                if given[1].startswith("syslog:"):
                    self.notes.append(
                        Finding(problem=f"a log goes to {given[1]}, not to a file", level="warn")
                    )
                return
            path = self._path(given[1])
            if name == "error_log" and path:
                self.errors[path] = None
            elif path:
                named = [one for one in given[2:] if "=" not in one and one not in ("gzip", "off")]
                self.access.setdefault(path, (part, named[0] if named else "combined"))

    def _path(self, written: str) -> str:
        """Relative ones are below the prefix; where that was compiled in, an open file tells."""
        path = absolute(written, self.prefix)
        if not path:
            path = next((one for one in self.open if one.endswith("/" + written)), "")
        if not path:
            problem = f"the log {written!r} is relative to a folder that is not known"
            self.notes.append(Finding(problem=problem, advice="write a source with its path", level="warn"))
        return path

    def logs(self) -> Iterator[Log]:
        """The logs, those of one format behind each other."""
        for path, (part, name) in self.access.items():
            format, told_apart = self._format(part, name)
            pattern = _VARIABLE.search(path) is not None
            yield Log(
                path="*".join(map(glob.escape, _VARIABLE.split(path))) if pattern else path,
                pattern=pattern,
                format=format,
                name=told_apart,
            )
        known = {*self.access, *self.errors}
        for path in [*self.errors, *(one for one in self._unnamed() if one not in known)]:
            if path not in self.access:
                yield Log(path=path, format="nginx")

    def _unnamed(self) -> list[str]:
        """Open files, and the usual ones when no directive names any: their places were compiled in."""
        usual = ["/var/log/nginx/access.log"] if not self.access else []
        usual += ["/var/log/nginx/error.log"] if not self.errors else []
        return list(
            dict.fromkeys([*self.open, *filter(self.files.machine.exists, usual if not self.open else [])])
        )

    def _format(self, part: str, name: str) -> tuple[Any, str]:
        if (part, name) not in self.formats:
            return "nginx", ""
        escape, text = self.formats[part, name]
        if escape == "json" and text.lstrip().startswith("{"):
            return "json", name
        if escape or text[:1] in "'\"":
            quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
            text = f"log_format {name} {f'escape={escape} ' if escape else ''}'{quoted}'"
        return {"type": "nginx", "log_format": text}, name
