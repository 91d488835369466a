"""Where reading of one generation of a file stands, as it is stored in the queue."""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgspec

from yaat_kit.following.identity import FileId, Mark
from yaat_kit.lines import Skipping

_VERSION: Final = 1


@attrs.frozen(kw_only=True)
class Checkpoint:
    """One generation: a file from its creation, or from a truncation, on.

    ``path`` is the one it was first seen under, ``offset`` the first byte that is not yet
    in an event handed over, ``head`` and ``tail`` mark the bytes at the beginning and before
    the offset. Times are milliseconds since the epoch.

    Of a compressed file ``packed`` names the format, and ``offset`` and ``tail`` are those of its content.
    ``size`` is how long a plain file was known to be, and what a compressed one had when it was read to its end,
    else 0; ``record`` how many events end before the offset (-1: nobody counted).
    """

    path: str
    file: FileId
    first_seen_ms: int
    offset: int
    head: Mark
    tail: Mark
    skipping: Skipping
    written_ms: int
    packed: str = ""
    size: int = 0
    record: int = -1

    @property
    def unread(self) -> int:
        """Bytes that were known to be there and not read."""
        return 0 if self.packed else max(0, self.size - self.offset)

    def encode(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(
            {
                "v": _VERSION,
                "path": self.path.encode("utf-8", "surrogateescape").hex() if _odd(self.path) else self.path,
                "hex": _odd(self.path),
                "dev": self.file.device,
                "ino": self.file.inode,
                "seen": self.first_seen_ms,
                "off": self.offset,
                "head": [self.head.length, self.head.digest.hex()],
                "tail": [self.tail.length, self.tail.digest.hex()],
                "skip": self.skipping.value,
                "at": self.written_ms,
                **({"pack": self.packed} if self.packed else {}),
                **({"size": self.size} if self.size != self.offset or self.packed else {}),
                **({"rec": self.record} if self.record >= 0 else {}),
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Checkpoint:
        """The inverse of `encode`.

        Raises:
            ValueError: not a checkpoint, or of a later version.
        """
        try:
            raw = msgspec.json.decode(data, type=dict[str, Any])
            if raw["v"] != _VERSION:
                raise ValueError(f"a checkpoint of version {raw['v']}, this is {_VERSION}")
            path = (
                bytes.fromhex(raw["path"]).decode("utf-8", "surrogateescape") if raw["hex"] else raw["path"]
            )
            return cls(
                path=path,
                file=FileId(raw["dev"], raw["ino"]),
                first_seen_ms=raw["seen"],
                offset=raw["off"],
                head=_mark(raw["head"]),
                tail=_mark(raw["tail"]),
                skipping=Skipping(raw["skip"]),
                written_ms=raw["at"],
                packed=raw.get("pack", ""),
                size=raw.get("size", raw["off"]),
                record=raw.get("rec", -1),
            )
        except (KeyError, TypeError, msgspec.MsgspecError) as error:
            raise ValueError(f"not a checkpoint: {error}") from error


def _odd(path: str) -> bool:
    """Does a name hold bytes that are not UTF-8?"""
    return any(0xDC80 <= ord(character) <= 0xDCFF for character in path)


def _mark(raw: list[Any]) -> Mark:
    return Mark(raw[0], bytes.fromhex(raw[1]))
