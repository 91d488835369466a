"""Options of both sources."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from yaat_core.config.options import Duration, Size, configuration, option, positive
from yaat_kit.choosing import Choice
from yaat_kit.joining import JoinRule, check_event_bytes, check_event_lines, check_multiline
from yaat_plugin_docker import address


def _host(_instance: Any, _attribute: Any, value: str | None) -> None:
    if value is not None:
        address.parse(value)


def _line_bytes(_instance: Any, _attribute: Any, value: Size) -> None:
    if not 1024 <= value <= 64 << 20:
        raise ValueError(f"must be between 1KiB and 64MiB, got {value}")


_HOST_HELP = (
    "The engine: a socket (`unix:///run/podman/podman.sock`) or plain TCP on this machine (`tcp://127.0.0.1:2375`). "
    "Without it DOCKER_HOST, else `unix:///var/run/docker.sock`."
)
_TAGS_HELP = "as tags; none unless named. Globs."


@configuration
class _Containers:
    """Which engine, and which of its containers."""

    host: str | None = option(
        None, help=_HOST_HELP, example="unix:///run/podman/podman.sock", validator=_host
    )
    containers: Choice = option(
        factory=Choice, help="Containers by name.", example={"include": ["web-*"], "exclude": ["*-test"]}
    )
    images: Choice = option(
        factory=Choice,
        help="Containers by image, as `docker ps` shows it.",
        example={"exclude": ["*/pause:*"]},
    )
    labels: Choice = option(
        factory=Choice,
        help="Containers by label: `NAME=VALUE`. `include` wants one label that fits, `exclude` none.",
        example={"include": ["com.docker.compose.project=shop"]},
    )
    ids: Choice = option(
        factory=Choice, help="Containers by the beginning of their id.", example={"exclude": ["4f5a2b"]}
    )


@configuration
class DockerConfig(_Containers):
    """What containers write to stdout and stderr."""

    default_format: ClassVar[str] = "auto"

    start_at: Literal["beginning", "end"] = option(
        "beginning",
        help="Where to begin in the logs of containers that are there at the first start; those that come later are read "
        "from their beginning.",
    )
    exited_within: Duration = option(
        "1h",
        help="Containers that ended so recently are read, too, when they are met for the first time. What was begun is always "
        "read to its end.",
    )
    multiline: str | tuple[str, ...] | JoinRule | None = option(
        None,
        help="Join lines to events: a preset (`auto`, `python`, `java`, `node`, `dotnet`, `go`, `ruby`, `rust`, `indent`), "
        "several, or patterns. The label `yaat.logs.multiline` wins.",
        example="auto",
        validator=check_multiline,
    )
    event_lines: int = option(
        1000,
        help="With `multiline`: an event of more lines is divided.",
        validator=check_event_lines,
    )
    event_bytes: Size = option(
        "1MiB",
        help="With `multiline`: a larger event is divided, and tagged `log.truncated=true`.",
        validator=check_event_bytes,
    )
    max_line_bytes: Size = option(
        "1MiB",
        help="Engines divide long lines; they are joined again up to this, cut there, counted, and tagged `log.truncated=true`.",
        validator=_line_bytes,
    )
    partial_timeout: Duration = option(
        "5s",
        help="A line without its end becomes an event when its stream has been quiet for so long.",
        validator=positive,
    )
    join_timeout: Duration = option(
        "500ms",
        help="With `multiline`: the last event is finished when its stream has been quiet for so long.",
        validator=positive,
    )
    poll: Duration = option(
        "1s",
        help="With podman, whose followed logs lose lines: how often a log that grows is read.",
        validator=positive,
    )
    resync: Duration = option(
        "30s",
        help="How often to list all containers, beside what the engine tells of them.",
        validator=positive,
    )
    label_tags: tuple[str, ...] = option(
        (),
        help=f"Labels of containers {_TAGS_HELP} They become `container.label.NAME`.",
        example=["com.docker.compose.*"],
    )
    env_tags: tuple[str, ...] = option(
        (),
        help=f"Environment variables of containers {_TAGS_HELP} They become `container.env.NAME`.",
        example=["APP_VERSION"],
    )


@configuration
class DockerMetricsConfig(_Containers):
    """CPU, memory, network, block I/O, processes and restarts of containers."""

    interval: Duration = option("15s", help="How often to collect.", example="10s", validator=positive)
    names: Literal["yaat", "otel", "both"] = option(
        "yaat",
        help="`yaat`: ours (`container.cpu.usage_percent`); `otel`: OpenTelemetry's (`container.cpu.time`).",
    )
    metrics: Choice = option(
        factory=Choice, help="Metrics by name.", example={"exclude": ["container.network.*"]}
    )
    label_tags: tuple[str, ...] = option(
        (),
        help=f"Labels of containers {_TAGS_HELP} They become `container.label.NAME`.",
        example=["com.docker.compose.*"],
    )
    env_tags: tuple[str, ...] = option(
        (),
        help=f"Environment variables of containers {_TAGS_HELP} They become `container.env.NAME`.",
        example=["APP_VERSION"],
    )
