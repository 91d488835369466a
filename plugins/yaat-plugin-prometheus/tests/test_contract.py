"""The hook keeps its contract, and loads nothing that only an answer needs."""

from __future__ import annotations

import subprocess
import sys

from yaat_core.health_routes import health_routes_of
from yaat_core.plugins import load_plugins
from yaat_core.testing import MadeAgent, check_health_routes
from yaat_plugin_prometheus import plugin

_QUIET = """
import sys
from yaat_core.testing import MadeAgent
from yaat_plugin_prometheus import plugin
plugin.health_routes(MadeAgent())
print("prometheus_client" in sys.modules)
"""


def test_contract() -> None:
    answers = check_health_routes(plugin.health_routes)
    assert list(answers) == ["/metrics"]


def test_it_is_found_when_it_is_installed() -> None:
    plugins = load_plugins(environ={"YAAT_LOAD_PLUGINS": "prometheus"})
    routes, failures = health_routes_of(plugins, MadeAgent())
    assert failures == []
    assert [route.path for route in routes] == ["/metrics"]


def test_the_library_is_not_loaded_before_the_page_is_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", _QUIET], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
