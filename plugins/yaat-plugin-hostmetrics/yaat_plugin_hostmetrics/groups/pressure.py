"""Pressure stall information: the share of time in which tasks waited for a resource."""

from __future__ import annotations

import errno
from typing import Final

from yaat_kit.points import Points
from yaat_kit.rates import clock
from yaat_plugin_hostmetrics.groups.group import Group

_RESOURCES: Final = ("cpu", "memory", "io")


class Pressure(Group):
    """``/proc/pressure`` (Linux, Documentation/accounting/psi.rst); a kernel without it has none of these metrics."""

    name = "pressure"

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        for resource in _RESOURCES:
            try:
                now = clock()
                text = self.host.text("pressure", resource)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if error.errno == errno.EOPNOTSUPP:  # the kernel has it, and it was switched off at boot
                    continue
                raise
            self._one(points, resource, text, now)

    def _one(self, points: Points, resource: str, text: str, now: float) -> None:
        for line in text.splitlines():
            kind, *pairs = line.split()
            facts = dict(pair.split("=", 1) for pair in pairs)
            share = self.rates.per_second((resource, kind), float(facts["total"]), now)
            tags = {"resource": resource, "kind": kind}
            points.ours(
                "pressure.percent", None if share is None else min(100.0, share / 1e4), "percent", tags
            )
            points.ours("pressure.avg10_percent", float(facts["avg10"]), "percent", tags)
