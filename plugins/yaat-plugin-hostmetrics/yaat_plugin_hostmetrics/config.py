"""Options of the source."""

from __future__ import annotations

import difflib
from typing import Any, Final, Literal

from yaat_core.config.options import Duration, configuration, option, positive
from yaat_kit.choosing import Choice

#: What can be collected, in the order of collection.
GROUPS: Final = (
    "cpu",
    "load",
    "memory",
    "disk",
    "disk_io",
    "network",
    "processes",
    "system",
    "temperature",
    "pressure",
    "cgroup",
)
_NO_DISKS: Final = (
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "pstore",
    "ramfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tmpfs",
    "tracefs",
)


def _groups(_instance: Any, _attribute: Any, value: tuple[str, ...]) -> None:
    for one in value:
        if one not in GROUPS:
            near = difflib.get_close_matches(one, GROUPS, 1)
            guess = f"did you mean `{near[0]}`? " if near else ""
            raise ValueError(f"no group {one!r}: {guess}There are {', '.join(GROUPS)}")


def _top(_instance: Any, _attribute: Any, value: int) -> None:
    if not 0 <= value <= 1_000:
        raise ValueError(f"must be from 0 to 1000, got {value}")


@configuration
class Watched:
    """A process (or several of one name) to look at in each round."""

    name: str = option(help="Name of it in the tag `watch`.", example="web")
    process: str | None = option(
        default=None, help="The process's name, as `ps -o comm` shows it; globs.", example="nginx"
    )
    pid_file: str | None = option(
        default=None, help="File that holds its process id.", example="/run/nginx.pid"
    )

    def __attrs_post_init__(self) -> None:
        if (self.process is None) == (self.pid_file is None):
            raise ValueError(f"{self.name}: write one of `process` and `pid_file`")


@configuration
class HostMetricsConfig:
    """CPU, load, memory, disks, network, processes, pressure, container limits."""

    interval: Duration = option("15s", help="How often to collect.", example="10s", validator=positive)
    groups: tuple[str, ...] = option(
        default=GROUPS,
        help=f"What to collect: {', '.join(f'`{name}`' for name in GROUPS)}.",
        example=["cpu", "memory", "disk"],
        validator=_groups,
    )
    names: Literal["yaat", "otel", "both"] = option(
        "yaat",
        help="`yaat`: the names of the schema (`host.cpu.usage_percent`); `otel`: OpenTelemetry's (`system.cpu.utilization`).",
    )
    metrics: Choice = option(
        factory=Choice, help="Metrics by name.", example={"exclude": ["host.cpu.core.*", "host.swap.*"]}
    )
    mounts: Choice = option(
        default=Choice(
            exclude=(
                "/dev",
                "/dev/*",
                "/proc",
                "/proc/*",
                "/sys",
                "/sys/*",
                "/run/credentials/*",
                "/var/lib/docker/*",
                "/var/lib/containers/*",
                "/var/lib/kubelet/*",
                "/snap/*",
            )
        ),
        help="Mount points whose space is told.",
        example={"exclude": ["/mnt/*"]},
    )
    filesystems: Choice = option(
        default=Choice(exclude=_NO_DISKS),
        help="Types of file systems whose space is told.",
        example={"include": ["ext4", "xfs"]},
    )
    devices: Choice = option(
        default=Choice(exclude=("loop*", "ram*", "zram*", "sr*", "fd*")),
        help="Block devices.",
        example={"include": ["sd?", "nvme*"]},
    )
    interfaces: Choice = option(
        default=Choice(
            exclude=("lo", "veth*", "docker*", "br-*", "cni*", "cali*", "flannel*", "ifb*", "dummy*")
        ),
        help="Network interfaces.",
        example={"include": ["eth*", "en*"]},
    )
    per_core: bool = option(default=True, help="Also the use of each core.", example=False)
    top: int = option(
        default=5, help="How many processes to tell of, by CPU and by memory; 0 for none.", validator=_top
    )
    watch: tuple[Watched, ...] = option(
        default=(),
        help="Processes that are told of in each round, also that they are gone.",
        example=[{"name": "web", "process": "nginx"}],
    )
    mount_timeout: Duration = option(
        "2s",
        help="How long a mount may take to answer before it is told as not answering.",
        validator=positive,
    )
    host_proc: str = option(
        "/proc", help="Where the host's /proc is, when the agent runs in a container.", example="/host/proc"
    )
    host_sys: str = option("/sys", help="Where the host's /sys is.", example="/host/sys")
    host_root: str = option(
        "/", help="Where the host's root is mounted, to ask its mounts for their space.", example="/host"
    )
