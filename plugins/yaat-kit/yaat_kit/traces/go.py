"""Go: panics, fatal errors, goroutine dumps (runtime/traceback.go), and errors with stacks of github.com/pkg/errors."""

from __future__ import annotations

from typing import Final

from yaat_kit.traces.grammar import BLANK, TEXT, Grammar, State

_PANIC: Final = r"(?:panic: |fatal error: |SIG[A-Z]+: |runtime: goroutine stack exceeds)"
_GOROUTINE: Final = r"goroutine \d+ .*\[.*\]:$"
_FILE: Final = r"\t\S.*\.(?:go|s):\d+(?: \+0x[0-9a-f]+)?$"
_TAB: Final = r"\t"
_CREATED: Final = r"created by "
_CALL: Final = r"[\w./*()\-\[\]·~{}%,$&]+\(.*\)$"
_NAME: Final = r"[\w./*()\-\[\]~%]+\.[\w.()*]+$"
_ELIDED: Final = r"\.\.\.\s*(?:\d+|additional) frames elided"
_REGISTER: Final = r"\w{2,6}\s+0x[0-9a-f]+$"
_EXIT: Final = r"exit status \d+$"

_FRAMES: Final = (
    (_GOROUTINE, "stack"),
    (_CREATED, "call"),
    (_TAB, "stack"),
    (_CALL, "call"),
    (_NAME, "call"),
    (_ELIDED, "stack"),
    (_REGISTER, "stack"),
    (_EXIT, "end"),
)

GO: Final = Grammar(
    anchors=((_PANIC, "panic"), (_GOROUTINE, "stack"), (_FILE, "stack")),
    bare=(_PANIC,),
    inner=_NAME,
    through_blank=True,
    states={
        "panic": State(
            ((_GOROUTINE, "stack"), (BLANK, "before"), (TEXT, "panic")), accepts=False, title=True
        ),
        "before": State(((_GOROUTINE, "stack"), (BLANK, "before"), (TEXT, "before")), accepts=False),
        "stack": State((*_FRAMES, (BLANK, "gap"))),
        "call": State(((_TAB, "stack"),), accepts=False),
        "gap": State(((_GOROUTINE, "stack"), (_REGISTER, "stack"), (_EXIT, "end")), accepts=False),
        "end": State(),
    },
)
