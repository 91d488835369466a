"""Python: tracebacks, chained and grouped, syntax errors, the fault handler's."""

from __future__ import annotations

from typing import Final

from yaat_kit.traces.grammar import BLANK, Grammar, State

_PLAIN: Final = r"Traceback \(most recent call last\):\s*$"
_GROUP: Final = r"[ |+]+(?:Exception Group )?Traceback \(most recent call last\):\s*$"
_FRAME: Final = r'  File ".*", line \d+'
_BODY: Final = r"[ \t|+]"
_EXCEPTION: Final = r"[A-Za-z_\x{80}-\x{10FFFF}][\w.<>\x{80}-\x{10FFFF}]*(?:\s*$|:)"
_GROUP_NAMED: Final = r"[ |]+[A-Za-z_][\w.]*: .*\(\d+ sub-exceptions?\)$"
_LINK: Final = (
    r"[ |]*(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):$"
)
_MARGIN_BLANK: Final = r"[ |]*$"
_FATAL: Final = r"Fatal Python error: "
_THREAD: Final = r"(?:Current thread|Thread) 0x[0-9a-f]+ .*\(most recent call first\):$"
_MODULES: Final = r"Extension modules: "

PYTHON: Final = Grammar(
    anchors=((_PLAIN, "body"), (_GROUP, "group"), (_FRAME, "body"), (_FATAL, "fatal"), (_THREAD, "thread")),
    bare=(_FATAL,),
    last_title=True,
    states={
        "body": State(((_BODY, "body"), (BLANK, "gap"), (_EXCEPTION, "exception"))),
        "exception": State(((BLANK, "gap"), (_BODY, "more")), title=True),
        "more": State(((BLANK, "gap"), (_BODY, "more"))),
        "group": State(((_GROUP_NAMED, "named"), (_BODY, "group"), (BLANK, "gap"))),
        "named": State(((_BODY, "members"), (BLANK, "gap")), title=True),
        "members": State(((_BODY, "members"), (BLANK, "gap"))),
        "gap": State(((_LINK, "linked"),), accepts=False),
        "linked": State(((_MARGIN_BLANK, "unlinked"),), accepts=False),
        "unlinked": State(((_PLAIN, "body"), (_GROUP, "group")), accepts=False),
        "fatal": State(((BLANK, "dump"), (_THREAD, "thread")), accepts=False, title=True),
        "thread": State(((_BODY, "thread"), (BLANK, "dump"))),
        "dump": State(((_THREAD, "thread"), (_MODULES, "end")), accepts=False),
        "end": State(),
    },
)
