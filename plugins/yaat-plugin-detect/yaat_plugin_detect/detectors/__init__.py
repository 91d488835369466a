"""The detectors of this plugin, in the order in which their findings are shown."""

from __future__ import annotations

from yaat_core.detection import Detector
from yaat_plugin_detect.detectors import (
    apache,
    databases,
    docker,
    nginx,
    node,
    others,
    postgres,
    python_web,
    rabbitmq,
    system,
)

DETECTORS = (
    Detector(name="nginx", detect=nginx.find),
    Detector(name="apache", detect=apache.find),
    Detector(name="python", detect=python_web.find),
    Detector(name="node", detect=node.find),
    Detector(name="postgresql", detect=postgres.find),
    Detector(name="mysql", detect=databases.find_mysql),
    Detector(name="redis", detect=databases.find_redis),
    Detector(name="rabbitmq", detect=rabbitmq.find),
    Detector(name="docker", detect=docker.find),
    Detector(name="system", detect=system.find),
    Detector(name="open logs", detect=others.find_logs),
    Detector(name="ports", detect=others.find_ports),
)
