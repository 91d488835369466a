"""Who this agent is: 16 random bytes, kept in the state directory."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

from yaat_core.errors import StoreDamaged

FILE = "agent.json"


def load_or_make(state_dir: Path) -> bytes:
    """The agent's id; made on the first start.

    Raises:
        StoreDamaged: the file is there and is not what was written.
    """
    path = state_dir / FILE
    try:
        return bytes.fromhex(json.loads(path.read_text())["agent_id"])
    except FileNotFoundError:
        return _make(path)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(
            f"{path} is damaged: {error}",
            effect="the agent does not start, since event ids and databases are tied to this id",
            fix="restore the file from a backup, or move the whole state directory away to begin anew",
        ) from None


def _make(path: Path) -> bytes:
    made = uuid.uuid4().bytes
    fresh = path.with_suffix(".new")
    with open(fresh, "w") as file:
        json.dump({"agent_id": made.hex()}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return made
