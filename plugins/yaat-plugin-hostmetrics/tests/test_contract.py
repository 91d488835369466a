"""The contract of sources: each mount of a made host is told of once in the first round."""

from __future__ import annotations

from pathlib import Path

import attrs
from support.made_host import write_files

from yaat_core.config.options import Duration
from yaat_core.event import Event
from yaat_core.testing import check_source, make_context
from yaat_kit.choosing import Choice
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.source import HostMetricsSource

MOUNTS = [f"/data/{number}" for number in range(40)]


def mount_of(event: Event) -> str:
    return event.tags["mount"]


async def test_source_contract(tmp_path: Path) -> None:
    context = make_context(tmp_path, "sources.host")
    proc = tmp_path / "proc"
    write_files(proc, {"1/mountinfo": ""})
    config = HostMetricsConfig(
        interval=Duration(3600),
        groups=("disk",),
        metrics=Choice(include=("host.disk.total_bytes",)),
        host_proc=str(proc),
        host_root=str(tmp_path),
    )
    lines = [f"{n} 1 8:{n} / {mount} rw - ext4 /dev/sd{n} rw\n" for n, mount in enumerate(MOUNTS)]

    async def feed() -> None:
        for mount in MOUNTS:
            (tmp_path / mount.lstrip("/")).mkdir(parents=True, exist_ok=True)
        write_files(proc, {"1/mountinfo": "".join(lines)})

    def make() -> HostMetricsSource:
        write_files(proc, {"1/mountinfo": ""})
        return HostMetricsSource(config, context)

    def make_once() -> HostMetricsSource:
        write_files(proc, {"1/mountinfo": "".join(lines)})
        return HostMetricsSource(config, attrs.evolve(context, once=True))

    await check_source(make, feed, MOUNTS, rereadable=False, make_once=make_once, item=mount_of, seconds=60)
