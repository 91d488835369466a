"""An exception that nobody foresaw: logged in full here, told to the other side by a number."""

from __future__ import annotations

import logging
import uuid

from yaat_core.errors import YaatError

log = logging.getLogger("yaat.control")


class Unexpected(YaatError):
    """A fault of the program."""

    code = "YAAT-E000"


def unexpected(error: BaseException, action: str) -> Unexpected:
    """Log the exception under a new id, and make the error that names only the id."""
    number = uuid.uuid4().hex[:12]
    log.error("action %s failed unexpectedly, id %s", action, number, exc_info=error)
    return Unexpected(
        f"the agent failed at {action!r} in a way nobody foresaw, id {number}",
        fix=f"the agent's log has the details under {number}; please report them",
    )
