"""What the kernel tells of paging and huge pages, for OpenTelemetry's names."""

from __future__ import annotations

from collections.abc import Mapping

from yaat_kit.points import Points
from yaat_plugin_hostmetrics.host import Host


def tell(points: Points, host: Host) -> None:
    """``/proc/vmstat`` and the huge pages of ``/proc/meminfo`` (proc(5)); what a kernel has not is left out."""
    counts = _numbers(host.text("vmstat"))
    major, all_faults = counts.get("pgmajfault"), counts.get("pgfault")
    if major is not None and all_faults is not None:
        for kind, value in (("major", major), ("minor", all_faults - major)):
            points.otel("system.paging.faults", value, "{fault}", {"system.paging.fault.type": kind})
    # The Collector's division: major operations are those of swap, minor ones those of files.
    for kind, name in (("major", "pswp"), ("minor", "pgpg")):
        for way in ("in", "out"):
            tags = {"system.paging.direction": way, "system.paging.fault.type": kind}
            points.otel("system.paging.operations", counts.get(name + way), "{operation}", tags)
    _huge_pages(points, _numbers(host.text("meminfo")))


def _huge_pages(points: Points, facts: Mapping[str, int]) -> None:
    total, free = facts.get("HugePages_Total:"), facts.get("HugePages_Free:")
    if total is None or free is None:
        return
    name = "system.memory.linux.hugepages"
    points.otel(f"{name}.limit", total, "{page}")
    points.otel(f"{name}.reserved", facts.get("HugePages_Rsvd:"), "{page}")
    points.otel(f"{name}.surplus", facts.get("HugePages_Surp:"), "{page}")
    points.otel(f"{name}.page_size", 1024 * facts.get("Hugepagesize:", 0) or None, "By")
    for state, value in (("used", total - free), ("free", free)):
        tags = {f"{name}.state": state}
        points.otel(f"{name}.usage", value, "{page}", tags)
        points.otel(f"{name}.utilization", value / total if total else None, "1", tags)


def _numbers(text: str) -> dict[str, int]:
    """The first number of each line, by its first word."""
    lines = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdecimal()}
