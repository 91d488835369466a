"""What keeps the memory of an agent small: set once, before its threads begin.

Batches are made in one thread and freed in another. Allocators that keep what was freed for the thread that made it
(Arrow's default one, malloc with an arena for each thread) held a third of the resident set for nothing, and more with
every million events. So Arrow uses its jemalloc with a single arena that gives back soon, and malloc one arena.
What a user's environment says wins.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
from pathlib import Path
from typing import Final

_ENVIRONMENT: Final = {
    # The pool that Arrow's kernels take by themselves: `pyarrow.set_memory_pool` does not reach all of them.
    "ARROW_DEFAULT_MEMORY_POOL": "jemalloc",
    # Milliseconds before freed pages go back to the system.
    "JE_ARROW_MALLOC_CONF": "narenas:1,dirty_decay_ms:50,muzzy_decay_ms:0",
    # numpy's linear algebra is never used, and its threads would spin.
    "OPENBLAS_NUM_THREADS": "1",
}
_ARENAS: Final = "MALLOC_ARENA_MAX"
#: The same as a parameter of `mallopt` (glibc, malloc.h).
_M_ARENA_MAX: Final = -8
#: New objects between two looks of the garbage collector; and while libraries are imported, whose objects all stay.
_COLLECT_AFTER: Final = 20_000
_COLLECT_AFTER_AT_START: Final = 200_000


def before_imports() -> None:
    """What libraries read when they are imported."""
    gc.set_threshold(_COLLECT_AFTER_AT_START, 20, 50)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def bound_allocators() -> None:
    """For a process that runs an agent, when most is imported."""
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 50)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if _ARENAS not in os.environ and mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def forget_code() -> None:
    """Let go of what libraries executed only while they started, a third of their resident pages; some tens of MiB.

    What is executed again comes back from the page cache. Only code is touched that nobody can have written to.
    """
    madvise = getattr(ctypes.CDLL(None), "madvise", None)
    if madvise is None:
        return
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        where, rights, *_, path = line.split(maxsplit=5)
        if rights == "r-xp" and ".so" in path:
            start, end = (int(bound, 16) for bound in where.split("-"))
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
