"""rsyslog and syslog-ng: JSON parsed and written again through a queue on disk. No redaction, no database."""

from __future__ import annotations

import abc
import shutil
from pathlib import Path

from contenders.base import PEERS, Contender, ItemCounter, check_text
from measure import Run, run

_RSYSLOG = """\
global(workDirectory="{spool}" maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="mmjsonparse")
main_queue(queue.type="Disk" queue.filename="main" queue.maxDiskSpace="4g" queue.syncQueueFiles="off"
           queue.dequeueBatchSize="1024")
template(name="json" type="list") {{ property(name="$!all-json") constant(value="\\n") }}
input(type="imfile" file="{source}" tag="bench:" freshStartTail="off")
action(type="mmjsonparse" cookie="")
action(type="omfile" file="{out}" template="json" ioBufferSize="64k" flushOnTXEnd="on")
"""

_SYSLOG_NG = """\
@version: 3.38
options {{ stats-freq(0); use-dns(no); dns-cache(no); log-msg-size(65536); }};
source lines {{ file("{source}" flags(no-parse) log-fetch-limit(1000) log-iw-size(10000)); }};
parser fields {{ json-parser(prefix(".json.")); }};
destination out {{
    file("{out}" template("$(format-json .json.* --rekey .json.* --shift-levels 2)\\n") flush-lines(1000)
        disk-buffer(reliable(yes) disk-buf-size(4294967296) mem-buf-size(16777216) dir("{spool}")));
}};
log {{ source(lines); parser(fields); destination(out); flags(flow-control); }};
"""


class _Syslog(Contender):
    config: str

    def run(self, source: Path, folder: Path) -> Run:
        config, out, spool = folder / "config", folder / "out.json", folder / "spool"
        spool.mkdir()
        config.write_text(self.config.format(spool=spool, source=source, out=out), encoding="utf-8")
        expected, written = ItemCounter(source).count(), ItemCounter(out)
        return run(
            self._command(config, folder),
            folder / "log",
            until=lambda: written.count() >= expected,
            environ=self._environ(),
        )

    def check(self, folder: Path, lines: int) -> None:
        check_text(folder / "out.json", lines, redacted=False)

    @abc.abstractmethod
    def _command(self, config: Path, folder: Path) -> list[str]:
        """How to start it; what it writes goes into ``folder``."""

    def _environ(self) -> dict[str, str]:
        return {}


class Rsyslog(_Syslog):
    """Its main queue is a pure disk queue: every message is written there."""

    name = "rsyslog"
    what = "imfile, mmjsonparse, disk queue (unsynced), omfile; no redaction, no database"
    config = _RSYSLOG

    def missing(self) -> str | None:
        return None if _rsyslogd() else "apt-get install rsyslog"

    def _command(self, config: Path, folder: Path) -> list[str]:
        return [_rsyslogd() or "rsyslogd", "-n", "-f", str(config), "-i", str(folder / "pid")]


class SyslogNg(_Syslog):
    """Its reliable disk buffer takes every message; it syncs nothing. Run from where it was unpacked."""

    name = "syslog-ng"
    what = "file, json-parser, reliable disk buffer (unsynced), file; no redaction, no database"
    config = _SYSLOG_NG
    _root = PEERS / "syslog-ng"

    def missing(self) -> str | None:
        return None if (self._root / ".built").exists() else "bench/peers/build syslog-ng"

    def _command(self, config: Path, folder: Path) -> list[str]:
        [modules] = self._root.glob("usr/lib/syslog-ng/[0-9]*")
        own = ["-R", str(folder / "persist"), "-c", str(folder / "control"), "-p", str(folder / "pid")]
        program = str(self._root / "usr/sbin/syslog-ng")
        return [program, "-F", "--no-caps", f"--module-path={modules}", "-f", str(config), *own]

    def _environ(self) -> dict[str, str]:
        libraries = [self._root / "usr/lib/syslog-ng", *self._root.glob("usr/lib/*-linux-gnu")]
        return {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}


def _rsyslogd() -> str | None:
    return shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin:/sbin")
