"""The text of the systemd unit. Pure: facts and wishes in, text out.

Directives and their limits: systemd.service(5), systemd.exec(5), systemd.kill(5) of systemd 247 to 257. Lines that a systemd
does not know are left out by its version, so that `systemd-analyze verify` finds nothing to complain of.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from yaat_core.errors import UsageError

NAME: Final = "yaat.service"
USER: Final = "yaat"
UNIT_FILE: Final = Path("/etc/systemd/system") / NAME
DROP_INS: Final = Path("/etc/systemd/system") / f"{NAME}.d"
STATE_DIR: Final = Path("/var/lib/yaat")
RUNTIME_DIR: Final = Path("/run/yaat")
CONFIG_DIR: Final = Path("/etc/yaat")

#: Groups that let a user read most logs, where they exist: files of /var/log, the journal.
LOG_GROUPS: Final = ("adm", "systemd-journal")
DOCKER: Final = "docker"
READ_ALL: Final = "CAP_DAC_READ_SEARCH"

#: Seconds beyond `shutdown_grace` that an agent may take: it leaves behind what does not let go after 10 s.
_BEYOND_GRACE: Final = 30
#: The first systemd with Type=notify-reload (and RestartSteps= one later).
NOTIFY_RELOAD: Final = 253
_RESTART_STEPS: Final = 254

_MARK: Final = "# Written by `yaat service install`"
_HASH: Final = "# text: "


@attrs.frozen(kw_only=True)
class Unit:
    """What the unit's text is made from."""

    program: Path
    """The `yaat` to run, absolute."""
    config: Path
    """Its configuration, absolute."""
    state_dir: Path = STATE_DIR
    groups: Sequence[str] = ()
    """Supplementary groups: each exists on this machine."""
    read_all_logs: bool = False
    """May read every file of the machine."""
    writable: Sequence[Path] = ()
    """Folders that it may write, beside its state directory."""
    grace: float = 30.0
    """`shutdown_grace`, in seconds."""
    systemd: int = 252
    """Version of systemd."""


def text(unit: Unit) -> str:
    """The unit file, with a first line that tells whose it is and a hash that tells whether it was edited since."""
    body = "\n".join(_lines(unit)) + "\n"
    return (
        f"{_MARK}. To change it: `systemctl edit yaat`, which the next install keeps.\n"
        f"{_HASH}{_hash(body)}\n{body}"
    )


def is_ours(unit_file: str) -> bool:
    """Did `yaat service install` write this file?"""
    return unit_file.startswith(_MARK)


def is_edited(unit_file: str) -> bool:
    """Was one of ours changed by hand since?"""
    _, _, rest = unit_file.partition("\n")
    noted, _, body = rest.partition("\n")
    return noted != f"{_HASH}{_hash(body)}"


def config_of(unit_file: str) -> Path | None:
    """The configuration that one of ours names."""
    found = re.search(r'^ExecStart=.* run -c "?([^"\n]+)"?$', unit_file, re.MULTILINE)
    return Path(found[1]) if found else None


def program_of(unit_file: str) -> Path | None:
    """The program that one of ours runs."""
    found = re.search(r'^ExecStart="?([^"\n]+?)"? run -c ', unit_file, re.MULTILINE)
    return Path(found[1]) if found else None


def writable_of(unit_file: str) -> Sequence[Path]:
    """What `ReadWritePaths` of one of ours names."""
    found = re.search(r"^ReadWritePaths=(.*)$", unit_file, re.MULTILINE)
    return [Path(one) for one in shlex.split(found[1])] if found else []


def patience_of(unit_file: str) -> float | None:
    """Seconds of `TimeoutStopSec` of one of ours."""
    found = re.search(r"^TimeoutStopSec=(\d+)s$", unit_file, re.MULTILINE)
    return float(found[1]) if found else None


def patience(grace: float) -> float:
    """`TimeoutStopSec` for an agent of this `shutdown_grace`, both in seconds."""
    return round(grace + _BEYOND_GRACE)


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _lines(unit: Unit) -> Iterator[str]:
    yield from (
        "[Unit]",
        "Description=YAAT, an observability agent",
        "After=local-fs.target network.target nss-lookup.target systemd-journald.service",
        # It never gives up: a machine whose agent stays dead is the one that nobody sees.
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
    )
    yield from _process(unit)
    yield ""
    yield from _rights(unit)
    yield ""
    yield from _places(unit)
    yield ""
    yield from _SEALS
    yield from ("", "[Install]", "WantedBy=multi-user.target")


def _process(unit: Unit) -> Iterator[str]:
    if unit.systemd >= NOTIFY_RELOAD:
        yield "Type=notify-reload"
    else:
        yield "Type=notify"
        # Unlike a signal it waits, and `systemctl reload` says what is wrong with the new configuration.
        yield f"ExecReload={_word(unit.program)} reload -c {_word(unit.config)}"
    yield f"ExecStart={_word(unit.program)} run -c {_word(unit.config)}"
    yield from (
        "WatchdogSec=60s",
        "TimeoutStartSec=10min",
        f"TimeoutStopSec={patience(unit.grace):.0f}s",
        "TimeoutAbortSec=10s",
        "Restart=on-failure",
        "RestartSec=5s",
    )
    if unit.systemd >= _RESTART_STEPS:
        yield from ("RestartSteps=5", "RestartMaxDelaySec=1min")
    yield from (
        # A wrong configuration (2) does not mend itself.
        "RestartPreventExitStatus=2",
        # What hangs tells where, in the journal, when the watchdog ends it.
        "Environment=PYTHONFAULTHANDLER=1",
        "LimitNOFILE=65536",
        # No memory of the agent goes to the disk: it holds lines before they are redacted.
        "LimitCORE=0",
    )


def _rights(unit: Unit) -> Iterator[str]:
    yield f"User={USER}"
    yield f"Group={USER}"
    if unit.groups:
        yield f"SupplementaryGroups={' '.join(unit.groups)}"
    yield f"CapabilityBoundingSet={READ_ALL if unit.read_all_logs else ''}"
    if unit.read_all_logs:
        yield f"AmbientCapabilities={READ_ALL}"
    yield "NoNewPrivileges=yes"
    yield "UMask=0077"


def _places(unit: Unit) -> Iterator[str]:
    """No PrivateTmp: logs in /tmp can be read, and the file system is read-only all the same."""
    yield "ProtectSystem=strict"
    yield "ProtectHome=read-only"
    writable = list(unit.writable)
    if unit.state_dir == STATE_DIR:
        yield "StateDirectory=yaat"
        yield "StateDirectoryMode=0750"
    else:
        writable.insert(0, unit.state_dir)
    yield "RuntimeDirectory=yaat"
    yield "RuntimeDirectoryMode=0755"
    yield "Environment=TMPDIR=/run/yaat"
    if unit.config.parent == CONFIG_DIR:
        yield "ConfigurationDirectory=yaat"
        yield "ConfigurationDirectoryMode=0750"
    if writable:
        yield f"ReadWritePaths={' '.join(_word(path) for path in writable)}"


#: Not here, since a source needs it: PrivateNetwork, ProtectProc and ProcSubset (host metrics), PrivateTmp, PrivateUsers,
#: ProtectHostname (a new name of the host would not be seen).
_SEALS: Final = (
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "RemoveIPC=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
)


#: What has a meaning of its own in a unit file: paths with it are refused rather than escaped.
_MEANS_SOMETHING: Final = re.compile(r"[\x00-\x1f\x7f\"'\\\\%$;]")


def check_path(path: Path) -> None:
    """Refuse a path that can't stand in a unit file as it is.

    Raises:
        UsageError: says which sign.
    """
    found = _MEANS_SOMETHING.search(str(path))
    if found or not path.is_absolute():
        why = f"{found[0]!r} has a meaning in unit files" if found else "it is not absolute"
        raise UsageError(f"a unit can't name the path {path}: {why}", fix="use another path")


def _word(path: Path) -> str:
    """One word of a command line or list."""
    return f'"{path}"' if " " in str(path) else str(path)
