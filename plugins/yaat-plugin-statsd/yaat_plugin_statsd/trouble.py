"""What health says of a source that goes on: drops of the kernel, series beyond the limit, lines that can't be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

import trio

from yaat_core.components import Finding
from yaat_core.config.options import Size
from yaat_plugin_statsd.config import StatsdConfig
from yaat_plugin_statsd.origins import Origins
from yaat_plugin_statsd.tally import Tally

#: Seconds for which a drop is told.
_REMEMBERED: Final = 60.0
#: Reasons named at most.
_REASONS: Final = 3


class Troubles:
    """Kept by the source, asked by health."""

    def __init__(self, config: StatsdConfig, tally: Tally, origins: Origins | None = None) -> None:
        self._origins = origins
        self._hidden = 0
        self._config = config
        self._tally = tally
        self.buffer = 0
        """Bytes of a datagram socket's receive buffer, as the kernel counts them."""
        self._drops: deque[tuple[float, int]] = deque()
        self._refused = 0
        self._rejected: dict[str, int] = {}

    def dropped(self, count: int) -> None:
        """The kernel threw datagrams away."""
        now = trio.current_time()
        if count:
            self._drops.append((now, count))
        while self._drops and self._drops[0][0] < now - _REMEMBERED:
            self._drops.popleft()

    def window_ended(self, refused: int) -> None:
        """How many samples of new series were refused in it; rejections are those of the tally."""
        self._refused = refused
        if self._origins is not None:
            self._hidden, self._origins.hidden = self._origins.hidden, 0
        self._rejected = dict(self._tally.lately.most_common())
        self._tally.lately.clear()

    def now(self) -> Sequence[Finding]:
        """What is wrong."""
        found = (self._of_drops(), self._of_series(), self._of_lines(), self._of_origins())
        return [finding for finding in found if finding]

    def _of_drops(self) -> Finding | None:
        lost = sum(count for _, count in self._drops)
        if not lost:
            return None
        return Finding(
            problem=f"the kernel dropped {lost} datagrams in the last minute: they came faster than they were read",
            advice=f"the receive buffer has {Size(self.buffer)}: raise `so_rcvbuf` (without CAP_NET_ADMIN net.core.rmem_max, "
            "too), let clients aggregate, or use unixgram://, where senders wait",
            level="warn",
        )

    def _of_series(self) -> Finding | None:
        if not self._refused:
            return None
        return Finding(
            problem=f"there are {self._config.max_series} series, and {self._refused} samples of new ones were not kept "
            "in the last window",
            advice="leave out tags that have many values (`deny_tags`), or raise `max_series`",
            level="warn",
        )

    def _of_lines(self) -> Finding | None:
        count = sum(self._rejected.values())
        if not count:
            return None
        named = list(self._rejected.items())[:_REASONS]
        reasons = ", ".join(f"{reason} {number}" for reason, number in named)
        return Finding(
            problem=f"{count} lines or values of the last window could not be read: {reasons}",
            advice="yaat_statsd_rejected_total counts them by reason; README of yaat-plugin-statsd explains the reasons",
            level="warn",
        )

    def _of_origins(self) -> Finding | None:
        if not self._hidden:
            return None
        return Finding(
            problem=f"{self._hidden} packets of the last window came from processes that can't be seen from here",
            advice="`origin_detection` needs the host's process namespace (`hostPID: true`, `--pid=host`); or leave it out",
            level="warn",
        )
