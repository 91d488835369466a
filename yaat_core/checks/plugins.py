"""Versions of the core, of the plugin API and of every plugin; what did not load; requirements that are not met."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from typing import Final

from yaat_core import __version__
from yaat_core.checks.base import Check, Looking, Surroundings
from yaat_core.hookspecs import API_VERSION
from yaat_core.manifest import normalized
from yaat_core.plugins import PluginState

_CORE: Final = "yaat-core"


def versions(around: Surroundings) -> Iterator[Check]:
    """The core, and each plugin in its state."""
    yield Check(name="yaat", level="ok", what=f"yaat {__version__}, plugin API {API_VERSION}")
    loaded = [_version(one) for one in around.plugins if one.state == "loaded"]
    yield Check(name="plugins", level="ok", what=f"{len(loaded)} loaded: {', '.join(loaded)}")
    for one in around.plugins:
        if one.state == "loaded":
            continue
        failed = one.state == "failed"
        yield Check(
            name=f"plugins.{one.name}",
            component=f"plugins.{one.name}",
            level="warn" if failed else "skipped",
            what=f"{_version(one)}: {one.state.replace('_', ' ')}{f': {one.reason}' if one.reason else ''}",
            advice=f"`yaat plugins show {one.name}` has the traceback; reinstall, update or disable it"
            if failed
            else "",
        )


def requirements(around: Surroundings) -> Iterator[Check]:
    """Does every installed part of yaat find what it needs, in a version that fits."""
    wrong = 0
    for name in sorted({_CORE, *(normalized(one.distribution) for one in around.plugins)}):
        for need, why in _unmet(name):
            wrong += 1
            yield Check(
                name=f"requirements of {name}",
                level="warn",
                what=f"{name} needs {need}: {why}",
                advice=f"install it into the same environment: pip install '{need}'",
            )
    if not wrong:
        yield Check(
            name="requirements", level="ok", what="every part finds what it needs, in versions that fit"
        )


def _version(one: PluginState) -> str:
    return f"{one.distribution} {one.version}".strip()


def _unmet(name: str) -> Iterator[tuple[str, str]]:
    # Here, so that in an installation without it this check fails and no other.
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        needs = importlib.metadata.requires(name) or ()
    except importlib.metadata.PackageNotFoundError:
        return  # a loose file, or a source tree
    for text in needs:
        try:
            need = Requirement(text)
        except InvalidRequirement:
            yield text, "it is written in a form that can't be read"
            continue
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            there = importlib.metadata.version(need.name)
        except importlib.metadata.PackageNotFoundError:
            yield text, "it is not installed"
            continue
        if not need.specifier.contains(there, prereleases=True):
            yield text, f"{there} is installed"


LOOKINGS: Final = (
    Looking(name="plugins", group="plugins", look=versions),
    Looking(name="requirements", group="plugins", look=requirements),
)
