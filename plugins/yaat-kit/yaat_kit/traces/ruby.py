"""Ruby: uncaught exceptions with causes (error.c, eval_error.c), and backtraces that a logger wrote."""

from __future__ import annotations

from typing import Final

from yaat_kit.traces.grammar import BLANK, TEXT, Grammar, State

_RAISED: Final = r"[^\s:'\"\[{][^:]*:\d+:in [`'].*?': "
_FRAME: Final = r"\s*(?:\d+: )?(?:from )?[^\s:'\"\[{][^:]*:\d+:in [`']"
_LEVELS: Final = r"\s+\.\.\. \d+ levels\.\.\."
_DETAIL: Final = r"(?:\s+\S|Did you mean\?)"

_FRAMES: Final = ((_RAISED, "raised"), (_FRAME, "frames"), (_LEVELS, "frames"))

RUBY: Final = Grammar(
    anchors=((_RAISED, "raised"), (_FRAME, "frames")),
    bare=(_RAISED,),
    through_blank=True,
    states={
        "raised": State(
            (*_FRAMES, (BLANK, "gap"), (_DETAIL, "detail"), (TEXT, "text")),
            title=True,
        ),
        "text": State((*_FRAMES, (BLANK, "gap"), (TEXT, "text")), accepts=False, title=True),
        "gap": State((*_FRAMES, (_DETAIL, "detail"), (TEXT, "gap")), accepts=False),
        "detail": State((*_FRAMES, (BLANK, "gap"), (_DETAIL, "detail"), (TEXT, "gap"))),
        "frames": State(_FRAMES),
    },
)
