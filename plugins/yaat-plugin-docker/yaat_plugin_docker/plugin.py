"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core import hookimpl

if TYPE_CHECKING:
    from yaat_core import Context, Register, Source
    from yaat_plugin_docker.config import DockerConfig, DockerMetricsConfig


@hookimpl
def register_components(register: Register) -> None:
    """Provide `docker` and `docker_metrics`."""
    from yaat_plugin_docker.config import DockerConfig, DockerMetricsConfig

    register.source("docker", DockerConfig, _logs)
    register.source("docker_metrics", DockerMetricsConfig, _metrics)


def _logs(config: DockerConfig, context: Context) -> Source:
    from yaat_plugin_docker.source import DockerSource

    return DockerSource(config, context)


def _metrics(config: DockerMetricsConfig, context: Context) -> Source:
    from yaat_plugin_docker.metrics import DockerMetricsSource

    return DockerMetricsSource(config, context)
