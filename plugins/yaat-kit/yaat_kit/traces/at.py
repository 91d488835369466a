"""Java, Node and .NET, whose frames all begin with ``at``.

They are one grammar: what tells them apart stands at different places of a trace.
Sources: Throwable.printStackTrace, logback's root cause first; V8's stack and Node's util.inspect; Exception.ToString.
"""

from __future__ import annotations

from typing import Final

from yaat_kit.traces.grammar import BLANK, TEXT, Grammar, State

_FRAME: Final = r"\s+at \S"
_MORE: Final = r"\s*\.\.\. \d+ (?:more|common frames|lines|frames)"
_CAUSE: Final = r"\s*(?:Caused by: |Suppressed: |Wrapped by: |---> )"
_INDENTED: Final = r"\s+\S"
_CLOSE: Final = r"[}\])]+,?;?$"
_UNHANDLED: Final = r"(?:Exception in thread \".*?\" |Unhandled exception\. |Unhandled Exception:|Uncaught )"
_NAMED: Final = r"(?:[A-Za-z_$][\w$]*[./])*[\w$]*(?:Exception|Error|Throwable|Failure|Fault|Interrupt)[\w$]*"
_HEADER: Final = (
    rf"\s*\[?{_UNHANDLED}*"
    rf"(?:{_NAMED}(?: \[\w+\])?(?::|\s*$| [(\-])|(?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:: |$)|Unhandled Exception:$)"
)
#: An exception's name within a line: what comes before it says what failed.
_TELLING: Final = rf".*[ (\[]{_NAMED}: "
#: Where Node says which line threw, above that line and a caret.
_PLACE: Final = r"(?:node:|file://|/|[A-Za-z]:[\\/])\S.*:\d+$"
_CARET: Final = r"\s*\^+$"
_NODE: Final = r"Node\.js v\d"

_GOES_ON: Final = (
    (_FRAME, "frames"),
    (_CAUSE, "cause"),
    (_MORE, "frames"),
    (_INDENTED, "frames"),
    (_CLOSE, "frames"),
)

AT: Final = Grammar(
    anchors=((_FRAME, "frames"), (_PLACE, "place")),
    bare=(_UNHANDLED, _PLACE),
    header=_HEADER,
    inner=_CAUSE,
    telling=_TELLING,
    states={
        "frames": State((*_GOES_ON, (BLANK, "gap"))),
        "cause": State((*_GOES_ON, (BLANK, "gap"), (TEXT, "text"))),
        "text": State(((_FRAME, "frames"), (_MORE, "frames"), (TEXT, "text")), accepts=False),
        "gap": State(((_NODE, "end"),), accepts=False),
        "place": State(((_CARET, "caret"), (TEXT, "source"), (_INDENTED, "source")), accepts=False),
        "source": State(((_CARET, "caret"),), accepts=False),
        "caret": State(((BLANK, "above"),), accepts=False),
        "above": State(((_FRAME, "frames"), (TEXT, "named")), accepts=False),
        "named": State(
            ((_FRAME, "frames"), (_CLOSE, "frames"), (BLANK, "gap"), (TEXT, "named")),
            accepts=False,
            title=True,
        ),
        "end": State(),
    },
)
