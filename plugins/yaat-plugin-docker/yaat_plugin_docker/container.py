"""What the engine tells of a container, bounded: names, labels and values are whatever their owner wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from yaat_core.display import terminal_safe
from yaat_kit.choosing import Choice, Chosen
from yaat_plugin_docker import times

_ID: Final = re.compile("[0-9a-f]{12,64}")
#: Characters of a name, of a tag's key and value, and labels that are looked at.
LONGEST_NAME: Final = 200
LONGEST_KEY: Final = 128
LONGEST_VALUE: Final = 256
MOST_TAGS: Final = 64
COMPOSE_SERVICE: Final = "com.docker.compose.service"


@attrs.frozen(kw_only=True)
class Container:
    """One container. Times are nanoseconds since the epoch, 0 for never."""

    id: str
    name: str
    image: str
    created: int
    started: int
    finished: int
    running: bool
    terminal: bool
    driver: str
    """The log driver, as the engine calls it."""
    log_path: str
    """Where the engine says that its log is; empty when it does not say."""
    restarts: int
    labels: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def shown(self) -> str:
        """For messages: the name, made harmless."""
        return terminal_safe(self.name)[:60]


def valid_id(value: Any) -> str | None:
    """An id as engines make them; anything else is not used."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def entries(listing: Any) -> list[Mapping[str, Any]]:
    """Of ``GET /containers/json``."""
    return [one for one in listing if isinstance(one, dict)] if isinstance(listing, list) else []


def from_inspection(document: Any) -> Container | None:
    """From ``GET /containers/ID/json``; None when that is no container."""
    if not isinstance(document, dict) or (id := valid_id(document.get("Id"))) is None:
        return None
    state, config = _mapping(document, "State"), _mapping(document, "Config")
    driver = _mapping(_mapping(document, "HostConfig"), "LogConfig").get("Type")
    name = str(document.get("Name") or "").removeprefix("/")[:LONGEST_NAME]
    restarts, path = document.get("RestartCount"), document.get("LogPath")
    return Container(
        id=id,
        name=name or id[:12],
        image=str(config.get("Image") or document.get("Image") or "")[:LONGEST_NAME],
        created=_time(document.get("Created")),
        started=_time(state.get("StartedAt")),
        finished=_time(state.get("FinishedAt")),
        running=state.get("Running") is True,
        terminal=config.get("Tty") is True,
        driver=driver if isinstance(driver, str) else "",
        log_path=path if isinstance(path, str) and "\0" not in path else "",
        restarts=restarts if isinstance(restarts, int) else 0,
        labels=_texts(config.get("Labels")),
        environment=_environment(config.get("Env")),
    )


def _time(value: Any) -> int:
    return (times.parse(value[:64]) if isinstance(value, str) else None) or 0


def _mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(key, str) and isinstance(text, str)}


def _environment(value: Any) -> dict[str, str]:
    entries = value if isinstance(value, list) else []
    pairs = [entry.partition("=") for entry in entries if isinstance(entry, str)]
    return {name: text for name, _, text in pairs}


def split_image(image: str) -> tuple[str, str]:
    """The name, and the tag (empty when there is none, or a digest instead)."""
    name = image.partition("@")[0]
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag or image.startswith("sha256:"):
        return name if not image.startswith("sha256:") else image, ""
    return repository, tag


class Selection:
    """Which containers the options mean."""

    def __init__(self, names: Choice, images: Choice, labels: Choice, ids: Choice) -> None:
        self._names = Chosen(names)
        self._images = Chosen(images)
        beginnings = Choice(
            include=tuple(f"{one}*" for one in ids.include), exclude=tuple(f"{one}*" for one in ids.exclude)
        )
        self._ids = Chosen(beginnings)
        self._wanted = Chosen(Choice(include=labels.include)) if labels.include else None
        self._unwanted = Chosen(Choice(include=labels.exclude)) if labels.exclude else None

    def takes(self, id: str, name: str, image: str, labels: Mapping[str, str]) -> bool:
        """Is this one meant?"""
        if name not in self._names or image not in self._images or id not in self._ids:
            return False
        pairs = [f"{key}={value}"[: 2 * LONGEST_VALUE] for key, value in labels.items()]
        if self._unwanted is not None and any(pair in self._unwanted for pair in pairs):
            return False
        return self._wanted is None or any(pair in self._wanted for pair in pairs)


@attrs.frozen
class Tagger:
    """Tags of a container: OpenTelemetry's, and the labels and variables that were asked for."""

    labels: Sequence[str]
    environment: Sequence[str]

    def tags(self, one: Container) -> dict[str, str]:
        """The same for every event of a container."""
        image, tag = split_image(one.image)
        tags = {"container.id": one.id, "container.name": one.name, "container.image.name": image}
        if tag:
            tags["container.image.tags"] = tag
        tags |= _chosen("container.label.", one.labels, self.labels)
        return tags | _chosen("container.env.", one.environment, self.environment)


def _chosen(prefix: str, values: Mapping[str, str], globs: Sequence[str]) -> dict[str, str]:
    if not globs:
        return {}
    chosen = Chosen(Choice(include=tuple(globs)))
    names = sorted(name for name in values if len(name) <= LONGEST_KEY and name in chosen)
    return {prefix + name: values[name][:LONGEST_VALUE] for name in names[:MOST_TAGS]}
