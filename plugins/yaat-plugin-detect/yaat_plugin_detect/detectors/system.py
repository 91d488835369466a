"""The system's own log: files of a syslog daemon, or systemd's journal; not both, since one is copied into the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from yaat_core.components import Finding
from yaat_core.detection import Detection, Log, Machine
from yaat_plugin_detect.looking import told

DAEMONS: Final = ("rsyslogd", "syslog-ng", "syslogd")
_FILES: Final = (
    "syslog", "messages", "auth.log", "secure", "kern.log", "daemon.log", "user.log", "mail.log", "maillog", "cron.log", "cron",
)  # fmt: skip
_JOURNALS: Final = ("/var/log/journal", "/run/log/journal")


def find(machine: Machine) -> Iterator[Detection]:
    """Syslog's files where a daemon writes them, and the journal where none does."""
    files = [path for name in _FILES if machine.exists(path := f"/var/log/{name}")]
    daemons = [one for one in machine.processes if one.name in DAEMONS]
    booted = machine.exists("/run/systemd/system")
    if files and (daemons or not booted):
        yield Detection(
            service="syslog",
            what="the system's log in files",
            evidence=[*map(told, daemons), *files],
            logs=[Log(path=path, format="syslog") for path in files],
        )
    journal = next(filter(machine.exists, _JOURNALS), "")
    if not booted or not journal:
        return
    copied = Finding(
        problem="a syslog daemon copies the journal into files, which are read already",
        advice="to read the journal instead, write a source of type journald and leave the files out",
        level="warn",
    )
    source = {"type": "journald"}
    if machine.local(journal) != journal:
        source["journal_directory"] = machine.local(journal)
    taken = bool(files and daemons)
    yield Detection(
        service="journal",
        what="systemd's journal, the log of every unit",
        evidence=["systemd runs: /run/systemd/system is there", journal],
        sources={} if taken else {"journal": source},
        notes=[copied] if taken else [*_denied(machine, journal)],
    )


def _denied(machine: Machine, journal: str) -> Iterator[Finding]:
    from yaat_kit.permissions import may, user_name

    for folder in machine.glob(f"{journal}/*"):
        for file in machine.glob(f"{folder}/system.journal"):
            if not may(machine.local(file), os.R_OK):
                yield Finding(
                    problem="this user may not read the system's journal",
                    advice=f"usermod -aG systemd-journal {user_name()}, then start the agent again",
                    level="warn",
                )
                return
