"""What a series is called: name and tags, in Datadog's, InfluxDB's and Graphite's forms, filtered and sorted.

name:1|c|#env:prod,web         Datadog
name,env=prod:1|c              InfluxDB
name;env=prod:1|c              Graphite
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import attrs

from yaat_plugin_statsd.grammar import Description, Fields, Rejected

Tags = tuple[tuple[str, str], ...]

TYPE_TAG: Final = "statsd_type"
#: The value of a tag that was sent without one.
BARE: Final = "true"
MAX_NAME_BYTES: Final = 1024
MAX_TAGS: Final = 128
MAX_TAG_BYTES: Final = 8192

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_EXTERNAL: Final = {"cn": "container.name", "pu": "k8s.pod.uid"}


@attrs.frozen
class Series:
    """One series. ``tags`` are sorted, keys are unique, the type is among them."""

    type: str
    name: str
    tags: Tags


def text(raw: bytes) -> str:
    """Names and tags as text: bytes that are no UTF-8 become U+FFFD, control characters ``_``."""
    return _CONTROL.sub("_", raw.decode("utf-8", "replace")).strip()


class Namer:
    """Knows the namespace, and which tags to keep."""

    def __init__(
        self, *, namespace: str = "", allow: Sequence[str] = (), deny: Sequence[str] = (), origin: bool = True
    ) -> None:
        self._prefix = f"{namespace}." if namespace else ""
        self._allowed = _matcher(allow)
        self._denied = _matcher(deny)
        self._origin = origin
        self.sender = b""
        """The container that the present lines come from, as far as the kernel told. What a line says itself wins."""

    def series(self, head: bytes, fields: Fields) -> Series:
        """What the samples of this line belong to.

        Raises:
            Rejected: no_name, name_too_long, too_many_tags or tags_too_long.
        """
        name, pairs = split(head)
        pairs = [*pairs, *datadog(fields.about.tags)]
        return Series(fields.type, self.name(name), self.tags(pairs, fields.about, fields.type))

    def name(self, raw: bytes) -> str:
        """A metric's name under the namespace."""
        if len(raw) > MAX_NAME_BYTES:
            raise Rejected("name_too_long")
        name = text(raw)
        if not name:
            raise Rejected("no_name")
        return self._prefix + name

    def tags(self, pairs: Iterable[tuple[str, str]], about: Description, type: str) -> Tags:
        """Special tags acted upon, the others filtered, those of origin and type added; values of one key joined."""
        kept: dict[str, list[str]] = {}
        origin: list[tuple[str, str]] = []
        cardinality = about.cardinality
        for key, value in pairs:
            if key.startswith("dd.internal."):
                if key == "dd.internal.entity_id":
                    origin.append(("k8s.pod.uid", value))
                elif key == "dd.internal.card":
                    cardinality = value.encode()
                continue
            key = "host.name" if key == "host" else key
            if key and self.keeps(key):
                kept.setdefault(key, []).append(value)
        if self._origin and cardinality.strip() != b"none":
            for key, value in [*origin, *_origin(about, self.sender)]:
                if self.keeps(key):
                    kept.setdefault(key, [value])
        kept[TYPE_TAG] = [type]
        return tuple(sorted((key, ",".join(dict.fromkeys(values))) for key, values in kept.items()))

    def keeps(self, key: str) -> bool:
        """Whether a tag is wanted."""
        if self._allowed is not None and not self._allowed(key):
            return False
        return self._denied is None or not self._denied(key)


def split(head: bytes) -> tuple[bytes, list[tuple[str, str]]]:
    """A name as sent, and the tags in it, of InfluxDB's or Graphite's form."""
    for mark in (b";", b","):
        name, *parts = head.split(mark)
        if parts and all(b"=" in part for part in parts):
            _bounded(len(head), len(parts))
            return name, [
                (text(key), text(value)) for key, _, value in (part.partition(b"=") for part in parts)
            ]
    return head, []


def datadog(raw: bytes) -> list[tuple[str, str]]:
    """``a:1,b`` as pairs; the value goes from the first colon on."""
    if not raw:
        return []
    _bounded(len(raw), raw.count(b",") + 1)
    pairs = (part.partition(b":") for part in raw.split(b",") if part.strip())
    return [(text(key), text(value) if colon else BARE) for key, colon, value in pairs]


def _bounded(length: int, count: int) -> None:
    if count > MAX_TAGS:
        raise Rejected("too_many_tags")
    if length > MAX_TAG_BYTES:
        raise Rejected("tags_too_long")


def _origin(about: Description, sender: bytes) -> list[tuple[str, str]]:
    """What the client says it runs in: ``c:ci-ID``, ``c:in-INODE``, ``c:ID``, ``e:it-false,cn-NAME,pu-UID``.

    ``sender`` stands for the container when it does not say.
    """
    found: list[tuple[str, str]] = []
    _bounded(len(about.container) + len(about.external), about.external.count(b","))
    container = text(about.container or sender)
    if container.startswith("in-"):
        found.append(("container.cgroup_inode", container[3:]))
    elif container:
        found.append(("container.id", container.removeprefix("ci-")))
    for part in text(about.external).split(","):
        key, dash, value = part.partition("-")
        if dash and value and key in _EXTERNAL:
            found.append((_EXTERNAL[key], value))
    return found


def _matcher(patterns: Sequence[str]) -> Callable[[str], object] | None:
    if not patterns:
        return None
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns)).match
