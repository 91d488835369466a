"""What of the agent's own happenings becomes an event, so that no event about a delivery brings about the next one.

An event of the agent's goes through its processors, its queue and its sinks like any other, and may be what makes one of them
fail. That failure is a happening, too. If each such happening became an event, two of them could keep each other going for
ever on a machine where nothing else happens. So:

- what happens to the source that makes these events is not told by them;
- of what happens behind the sources, `FREE` bad turns of one component are told, and further ones only after another source
  has had an event accepted since; a good turn is told when the bad one was.

Without foreign events the number of own events is bounded by that. With them, `BURST` and `EACH` bound the rate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from yaat_core.happenings import Happening

#: Bad turns of one component that are told while nothing else comes through the pipeline.
FREE: Final = 4
#: Events at once, and seconds for each one more.
BURST: Final = 60
EACH: Final = 1.0
#: Kinds of components that an own event passes.
_BEHIND: Final = ("processors", "queue", "sinks")


class Quiet:
    """Decides over one happening after the other. ``others``: how many events of other sources were accepted so far."""

    def __init__(self, own: str, others: Callable[[], float]) -> None:
        self._own = own
        self._others = others
        self._seen: dict[str, float] = {}
        self._spent: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        self._full_at = 0.0

    def why_not(self, one: Happening) -> str:
        """Empty: it is told. Otherwise the reason why not."""
        if one.component == self._own:
            return "own"
        if one.component.partition(".")[0] in _BEHIND and self._could_go_on(one):
            return "loop"
        return "" if self._within_rate(one.number / 1e6) else "rate"

    def _could_go_on(self, one: Happening) -> bool:
        component = one.component
        if one.level == "info":
            self._open[component] -= 1
            told = self._open[component] >= 0
            self._open[component] = max(0, self._open[component])
            return not told
        others = self._others()
        if self._seen.get(component) != others:
            self._seen[component] = others
            self._spent[component] = 0
        self._spent[component] += 1
        if self._spent[component] > FREE:
            return True
        self._open[component] += 1
        return False

    def _within_rate(self, now: float) -> bool:
        """A bucket of `BURST`, of which one is given back every `EACH` seconds."""
        waits = max(self._full_at, now) + EACH
        if waits - now > BURST * EACH:
            return False
        self._full_at = waits
        return True
