"""The groups of metrics that are read from files; `disk` is in `filesystems`, since mounts may hang."""

from __future__ import annotations

from yaat_plugin_hostmetrics.groups.cgroup import Cgroup
from yaat_plugin_hostmetrics.groups.cpu import Cpu
from yaat_plugin_hostmetrics.groups.disk_io import DiskIO
from yaat_plugin_hostmetrics.groups.group import Group
from yaat_plugin_hostmetrics.groups.memory import Memory
from yaat_plugin_hostmetrics.groups.network import Network
from yaat_plugin_hostmetrics.groups.pressure import Pressure
from yaat_plugin_hostmetrics.groups.processes import Processes
from yaat_plugin_hostmetrics.groups.system import Load, System, Temperature

GROUPS: tuple[type[Group], ...] = (
    Cpu,
    Load,
    Memory,
    DiskIO,
    Network,
    Processes,
    System,
    Temperature,
    Pressure,
    Cgroup,
)
