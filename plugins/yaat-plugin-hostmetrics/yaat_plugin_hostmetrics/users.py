"""Names of the users that processes run as."""

from __future__ import annotations

import os

from yaat_plugin_hostmetrics.host import Host


class Users:
    """By the host's own /etc/passwd; a directory service is not asked, since it may hang. Others are numbers."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._names: dict[int, str] = {}
        self._version: tuple[int, int] | None = None

    def of(self, pid: int) -> str:
        """The user of a process; empty when it is gone."""
        try:
            uid = os.stat(self._host.proc / str(pid)).st_uid
        except FileNotFoundError:
            return ""
        self._refresh()
        return self._names.get(uid, str(uid))

    def _refresh(self) -> None:
        file = self._host.root / "etc" / "passwd"
        try:
            stat = file.stat()
            if (version := (stat.st_mtime_ns, stat.st_ino)) == self._version:
                return
            lines = file.read_text("utf-8", "replace").splitlines()
        except OSError:  # numbers will do
            return
        entries = [line.split(":") for line in lines]
        self._names = {
            int(entry[2]): entry[0] for entry in entries if len(entry) > 2 and entry[2].isdecimal()
        }
        self._version = version
