"""Who this agent is: 16 random bytes, kept in the state directory."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from yaat_core import durable
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
    durable.replace(path, json.dumps({"agent_id": made.hex()}).encode())
    return made
