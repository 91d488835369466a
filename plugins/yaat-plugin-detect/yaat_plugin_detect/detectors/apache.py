"""Apache: `CustomLog`, `LogFormat` and `ErrorLog` of every file of its configuration (nothing is run).

https://httpd.apache.org/docs/2.4/mod/mod_log_config.html, https://httpd.apache.org/docs/2.4/configuring.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, Final

import attrs

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
from yaat_plugin_detect.words import apache_directives

PROGRAMS: Final = ("apache2", "httpd")
_KNOWN: Final = (
    "/etc/apache2/apache2.conf",
    "/etc/httpd/conf/httpd.conf",
    "/usr/local/apache2/conf/httpd.conf",
)
_NAMED: Final = ("common", "combined", "vhost_combined")
_REFERENCE: Final = re.compile(r"\$\{(\w+)\}")
#: What Debian's envvars comes to for the one instance that most have.
_DEBIAN: Final = {"APACHE_LOG_DIR": "/var/log/apache2", "APACHE_CONFDIR": "/etc/apache2"}


def find(machine: Machine) -> Iterator[Detection]:
    """Every configuration that a parent process runs, or the installed one."""
    all = [one for one in machine.processes if one.name in PROGRAMS]
    pids = {one.pid for one in all}
    configs: dict[tuple[str, str], list[Process]] = {}
    for process in all:
        given = words(process)
        root = option(given, "-d")
        known = next(filter(machine.exists, _KNOWN), _KNOWN[0])
        configs.setdefault((absolute(option(given, "-f"), root) or known, root), []).append(process)
    if not configs:
        configs = {(path, ""): [] for path in _KNOWN if machine.exists(path)}
    for (config, root), running in configs.items():
        uid = min((one.uid for one in running), default=machine.owner(config) or 0)
        read = _Config(Files(machine, uid), root=root or _server_root(config))
        read.take(config)
        shown = f"Apache, {count(len(pids), 'process', 'processes')}"
        yield Detection(
            service="apache",
            what=shown if running else "Apache, installed, not running",
            evidence=[
                *map(told, running[:1]), *listening(machine, running), *configured(read.files)
            ],
            logs=[attrs.evolve(log, uid=uid) for log in read.logs.values()],
            notes=list(unreadable(machine, [config])),
        )  # fmt: skip


def _server_root(config: str) -> str:
    folder = os.path.dirname(config)
    return os.path.dirname(folder) if os.path.basename(folder) == "conf" else folder


@attrs.define(eq=False)
class _Config:
    files: Files
    root: str
    names: dict[str, str] = attrs.field(factory=dict)
    formats: dict[str, str] = attrs.field(factory=dict)
    logs: dict[str, Log] = attrs.field(factory=dict)

    def take(self, config: str) -> None:
        self.names |= _DEBIAN if config.startswith("/etc/apache2/") else {}
        text = self.files.text(os.path.join(os.path.dirname(config), "envvars"))
        for name, value in re.findall(r"^\s*(?:export\s+)?(\w+)=(.*)$", text or "", re.M):
            if "`" not in value and "$(" not in value:
                value = value.strip().strip("\"'").replace("$SUFFIX", "").replace("${SUFFIX}", "")
                self.names[name] = value
        self.files.seen.clear()
        text = self.files.text(config)
        # formats may be defined in a file that is read later than the first use
        for only_formats in (True, False):
            self.files.seen.clear()
            self.files.seen[config] = None
            self._walk(text or "", 0, only_formats=only_formats)

    def _walk(self, text: str, depth: int, *, only_formats: bool) -> None:
        for given in apache_directives(text):
            name = given[0].lower()
            arguments = [self._filled(one) for one in given[1:]]
            if name in ("include", "includeoptional") and arguments:
                for _, included in self.files.included(self._pattern(arguments[0]), depth):
                    self._walk(included, depth + 1, only_formats=only_formats)
            elif name == "serverroot" and arguments:
                self.root = arguments[0]
            elif name == "define" and len(arguments) == 2:
                self.names[arguments[0]] = arguments[1]
            elif name == "logformat" and len(arguments) == 2:
                self.formats[arguments[1]] = arguments[0]
            elif not only_formats and arguments:
                self._log(name, arguments)

    def _log(self, name: str, given: list[str]) -> None:
        if name not in ("customlog", "transferlog", "errorlog"):
            return
        path = "" if given[0].startswith(("|", "syslog", "/dev/")) else absolute(given[0], self.root)
        if not path:
            return
        if name == "customlog" and len(given) > 1:
            format, told_apart = self._format(given[1])
            self.logs.setdefault(path, Log(path=path, format=format, name=told_apart))
        else:
            self.logs.setdefault(path, Log(path=path, format="apache"))

    def _format(self, written: str) -> tuple[Any, str]:
        if written in _NAMED:
            return "apache", ""
        text = self.formats.get(written, written)
        if text.lstrip().startswith("{"):
            return "json", written if written in self.formats else "json"
        if "%" not in text:
            return "apache", ""
        return {"type": "apache", "log_format": text}, written if written in self.formats else "custom"

    def _filled(self, text: str) -> str:
        return _REFERENCE.sub(lambda match: self.names.get(match[1], match[0]), text)

    def _pattern(self, written: str) -> str:
        path = absolute(written, self.root)
        return os.path.join(path, "*") if path.endswith("-enabled") else path
