"""Feeds lines to joiners as a reader of a growing file does."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from yaat_kit.lines import Lines


def lines_of(texts: list[str], start: int = 0) -> Lines:
    sizes = np.array([len(text.encode()) + 1 for text in texts], np.int64)
    ends = start + np.cumsum(sizes)
    return Lines(pa.array(texts, pa.string()), ends - sizes, ends, np.zeros(len(texts), np.int64))


def rows_of(joined):
    stacks = [None] * len(joined) if joined.stacktrace is None else joined.stacktrace.to_pylist()
    return list(zip(joined.message.to_pylist(), stacks, joined.starts.tolist(), strict=True))


def join_all(joiner, texts, divisions=()):
    """Feed more and more lines, then flush."""
    whole, rows, used, known = lines_of(texts), [], 0, 0
    for size in divisions:
        known = min(known + size, len(texts))
        joined = joiner.join(whole.slice(used, known))
        rows += rows_of(joined)
        used += joined.lines
    joined = joiner.join(whole.slice(used, len(texts)), final=True)
    assert used + joined.lines == len(texts)
    return rows + rows_of(joined)


def assert_nothing_is_lost(texts, rows):
    """Each row holds exactly the lines from its start to the next one's."""
    index = {start: row for row, start in enumerate(lines_of(texts).starts.tolist())}
    firsts = [index[start] for _, _, start in rows]
    assert firsts == sorted(firsts)
    for (message, stack, _), first, stop in zip(rows, firsts, [*firsts, len(texts)][1:], strict=True):
        lines, trace = texts[first:stop], stack.split("\n") if stack is not None else []
        if lines != [*message.split("\n"), *trace]:
            assert lines == trace
            assert message in "\n".join(lines)
