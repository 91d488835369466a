"""What keeps the memory of an agent small: set once, before its threads begin.

Batches are made in one thread and freed in another. Arrow's default allocator keeps such memory for the thread that
made it, glibc gives every thread an arena of its own: together a third of the resident set held nothing.
"""

from __future__ import annotations

import ctypes
import gc
import os
from typing import Final

#: `mallopt` parameter of glibc (malloc.h): how many arenas there may be.
_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2
#: New objects between two looks of the garbage collector: start-up makes hundreds of thousands that all stay.
_COLLECT_AFTER: Final = 20_000


def before_imports() -> None:
    """What libraries read when they are imported: numpy's linear algebra needs no threads here."""
    gc.set_threshold(_COLLECT_AFTER, 20, 50)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def bound_allocators() -> None:
    """Arrow allocates with malloc, and malloc has few arenas. A user's own ``ARROW_DEFAULT_MEMORY_POOL`` stays."""
    import pyarrow as pa

    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        pa.set_memory_pool(pa.system_memory_pool())
    if "MALLOC_ARENA_MAX" not in os.environ:
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, _ARENAS)
