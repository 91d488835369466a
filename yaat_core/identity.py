"""Who this agent is: 16 random bytes, kept twice in the state directory, since events and databases are tied to them."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path

from yaat_core import durable
from yaat_core.errors import StoreDamaged

FILE = "agent.json"
COPY = "agent.copy.json"


def known(state_dir: Path) -> bytes | None:
    """The id of the agent that ran here; None when none ever did. Changes nothing.

    Raises:
        StoreDamaged: neither file is what was written.
        OSError: they can't be read.
    """
    damage: list[str] = []
    for name in (FILE, COPY):
        try:
            return _parse((state_dir / name).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (ValueError, KeyError, TypeError) as error:
            damage.append(str(error))
    if not damage:
        return None
    raise StoreDamaged(
        f"{state_dir / FILE} is damaged: {damage[0]}",
        cause=f"and its copy {COPY} is damaged or gone as well",
        effect="the agent does not start, since event ids and databases are tied to this id",
        fix="restore the file from a backup, or move the whole state directory away to begin anew",
    )


def load_or_make(state_dir: Path, tell: Callable[[str], None]) -> bytes:
    """The agent's id; made on the first start. A damaged or missing file is written again from the other, and told.

    Raises:
        StoreDamaged: both are damaged.
        OSError: they can't be read, or written where that is needed.
    """
    agent_id = known(state_dir)
    first = agent_id is None
    if agent_id is None:
        agent_id = uuid.uuid4().bytes
    data = json.dumps({"agent_id": agent_id.hex(), "crc32": zlib.crc32(agent_id)}).encode()
    for name in (FILE, COPY):
        path = state_dir / name
        there = path.read_bytes() if path.exists() else None
        if there != data:
            durable.replace(path, data)
            if not first and _is_damage(name, there):
                tell(
                    f"{path} was {'gone' if there is None else 'damaged'}; it was written again from its copy"
                )
    return agent_id


def _parse(text: bytes) -> bytes:
    facts = json.loads(text)
    agent_id = bytes.fromhex(facts["agent_id"])
    if facts.get("crc32", zlib.crc32(agent_id)) != zlib.crc32(agent_id):
        raise ValueError("its checksum does not fit")
    return agent_id


def _is_damage(name: str, there: bytes | None) -> bool:
    """A first version wrote one file, without a checksum: that is none."""
    if there is None:
        return name == FILE
    try:
        _parse(there)
    except (ValueError, KeyError, TypeError):
        return True
    return False
