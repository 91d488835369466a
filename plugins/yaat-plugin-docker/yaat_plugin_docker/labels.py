"""What a container's labels ask for: parser, service, joining, rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from yaat_core.display import terminal_safe
from yaat_kit.joining import check_multiline
from yaat_plugin_docker import adlogs
from yaat_plugin_docker.container import COMPOSE_SERVICE, LONGEST_NAME, Container

FORMAT: Final = "yaat.logs.format"
SERVICE: Final = "yaat.logs.service"
EXCLUDE: Final = "yaat.logs.exclude"
MULTILINE: Final = "yaat.logs.multiline"
_DATADOG: Final = "com.datadoghq.tags."
_NAME: Final = re.compile("[a-z0-9][a-z0-9_-]{0,63}")


@attrs.frozen(kw_only=True)
class Wishes:
    """What holds for the events of one container."""

    service_name: str
    environment: str = ""
    format: str | None = None
    multiline: Any = None
    """As the option `multiline`; None: the source's own."""
    tags: Mapping[str, str] = attrs.field(factory=dict)
    rules: Sequence[adlogs.Rule] = ()
    excluded: bool = False
    refused: str = ""
    """Why it may not be read."""
    complaints: Sequence[str] = ()


def wishes(one: Container) -> Wishes:
    """Of its labels. `yaat.logs.*` wins over Datadog's; what is wrong is told in ``complaints``."""
    labels = one.labels
    asked = adlogs.parse(labels[adlogs.LABEL]) if adlogs.LABEL in labels else adlogs.AdLogs()
    complaints = list(asked.complaints)
    tags = dict(asked.tags)
    if asked.source:
        tags["source"] = asked.source
    if version := _short(labels, f"{_DATADOG}version"):
        tags["version"] = version
    multiline = _multiline(labels, complaints)
    return Wishes(
        service_name=_short(labels, SERVICE)
        or asked.service
        or _short(labels, f"{_DATADOG}service")
        or _short(labels, COMPOSE_SERVICE)
        or one.name,
        environment=_short(labels, f"{_DATADOG}env"),
        format=_format(labels, complaints) or adlogs.FORMATS.get(asked.source),
        multiline=asked.multiline if multiline is None else multiline,
        tags=tags,
        rules=asked.rules,
        excluded=_short(labels, EXCLUDE).lower() in ("true", "1", "yes", "on"),
        refused=asked.refused,
        complaints=[terminal_safe(text)[:300] for text in complaints],
    )


def _short(labels: Mapping[str, str], name: str) -> str:
    return labels.get(name, "").strip()[:LONGEST_NAME]


def _format(labels: Mapping[str, str], complaints: list[str]) -> str | None:
    if not (text := _short(labels, FORMAT)):
        return None
    if not _NAME.fullmatch(text):
        complaints.append(f"{FORMAT} is no name of a format: {text[:40]!r}")
        return None
    return text


def _multiline(labels: Mapping[str, str], complaints: list[str]) -> Any:
    text = _short(labels, MULTILINE)
    if not text:
        return None
    names = tuple(name.strip() for name in text.split(","))
    try:
        check_multiline(None, None, names)
    except ValueError as error:
        complaints.append(f"{MULTILINE}: {error}")
        return None
    return names
