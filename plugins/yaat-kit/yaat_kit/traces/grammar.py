"""What traces of one family look like: patterns of lines, and states that lead from one to the next.

Patterns are RE2, matched from a line's first character on. A trace is found by an *anchor*, a line
that shows that a trace is here. From there it goes on as long as states do, and ends behind the last line
of a state that `accepts`. The lines before the anchor that belong to it, its *lead*, are looked for backwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

BLANK: Final = r"\s*$"
#: How records of common log formats begin: a date, a time, a level, JSON, logfmt, klog, a syslog priority.
RECORD: Final = (
    r"(?:\[?\(?\d{4}[-/.]\d\d[-/.]\d\d|\[?\d\d:\d\d:\d\d|\[?\d\d?[-/. ](?:\d\d|[A-Z][a-z]{2})[-/. ]\d{2,4}\b"
    r"|\d{1,3}(?:\.\d{1,3}){3} "
    r"|(?:[A-Z][a-z]{2},? )?[A-Z][a-z]{2} +\d\d? \d\d:|[A-Z][a-z]{2} \d\d?, \d{4} "
    r"|[\[(<]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE)\b"
    r"|(?:fail|warn|info|crit|dbug|trce): |[DIWEFA], \[|[IWEF]\d{4} |<\d{1,3}>|\{\"|(?:time|ts|level|msg|lvl)=)"
)
#: Stands for any line that is neither blank nor the beginning of a record.
TEXT: Final = ""

Step = tuple[str, str]
"""A pattern, and the state that a line leads to which matches it."""

#: Lines that are looked at before an anchor, and that may stand where a trace is not sure to go on.
PATIENCE: Final = 24


@attrs.frozen(eq=False)
class State:
    """``steps`` are tried in order. ``accepts``: a trace may end here. ``title``: lines that lead here say what happened."""

    steps: tuple[Step, ...] = ()
    accepts: bool = True
    title: bool = False


@attrs.frozen(eq=False, kw_only=True)
class Grammar:
    """``bare`` are patterns of anchors and headers that belong to no line before them.

    ``header`` is a line with which an exception begins, some lines before its anchor; ``inner`` one that
    stands between them; ``telling`` a line that is no record and has the exception's name within.
    ``through_blank``: a blank line may stand before the anchor. ``last_title``: of several titles the last one
    is the event's message.
    """

    anchors: tuple[Step, ...]
    states: Mapping[str, State]
    bare: tuple[str, ...] = ()
    header: str | None = None
    inner: str | None = None
    telling: str | None = None
    through_blank: bool = False
    last_title: bool = False

    def patterns(self) -> set[str]:
        """All that are used."""
        steps = [*self.anchors, *(step for state in self.states.values() for step in state.steps)]
        wanted = {pattern for pattern, _ in steps} | set(self.bare) | {self.header, self.inner, self.telling}
        return {pattern for pattern in wanted if pattern} | {BLANK, RECORD}
