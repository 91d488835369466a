"""Where a command writes rows: stdout, or a file that is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yaat_core.durable import private
from yaat_core.errors import UsageError


@contextlib.contextmanager
def written_to(output: Path | None) -> Iterator[Any]:
    """A binary file; None: stdout. What is not completed does not stay; the file is for this user alone.

    Raises:
        UsageError: the file can't be written.
    """
    if output is None:
        yield sys.stdout.buffer
        return
    partial = output.with_name(output.name + ".part")
    try:
        with open(partial, "wb", opener=private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(output)
    except OSError as error:
        raise UsageError(
            f"{output} can't be written: {error.strerror or error}", fix="choose another -o FILE"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
