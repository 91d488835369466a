"""Why a component type is not there: misspelt, not installed, disabled, or its plugin failed."""

from __future__ import annotations

from yaat_core.components import Kind
from yaat_core.config.nodes import Scalar
from yaat_core.config.problems import Misfit, at_value
from yaat_core.display import terminal_safe
from yaat_core.plugins import Plugins, PluginState

_UNKNOWN: str = "YAAT-E103"


def unknown_type(kind: Kind, one: str, node: Scalar, plugins: Plugins) -> Misfit:
    """The problem with a ``type`` that the registry does not have. ``one`` is the kind in the singular."""
    name = node.text
    for state in plugins.providing(kind, name):
        return _its_plugin(one, node, state)
    if node.origin:
        what = f"the {one} type that came from {node.origin} is not installed"
        return at_value(node, _UNKNOWN, what, fix=_installed(kind, plugins))
    near = plugins.registry.nearest(kind, name) or ""
    return at_value(
        node,
        _UNKNOWN,
        f"there is no {one} type `{terminal_safe(name[:80])}`",
        nearest=near,
        hint=f"did you mean `{near}`?" if near else "",
        cause=_elsewhere(kind, name, plugins),
        fix=_installed(kind, plugins),
    )


def no_format(node: Scalar, plugins: Plugins) -> Misfit:
    """The problem with a source's ``format`` that is a processor of another sort."""
    named = f"that came from {node.origin}" if node.origin else f"`{terminal_safe(node.text[:80])}`"
    return at_value(
        node,
        _UNKNOWN,
        f"the processor {named} reads no lines, so it can't be a `format`",
        cause="a format takes lines apart; other processors change or drop events",
        fix=f"write it under `processors:`; formats are {', '.join(plugins.registry.formats()) or 'not installed'}",
    )


def _its_plugin(one: str, node: Scalar, state: PluginState) -> Misfit:
    label = f"{state.distribution} {state.version}".strip()
    fixes = {
        "disabled": f"take {state.distribution} out of `plugins: {{disable: [...]}}`",
        "not_selected": f"add {state.distribution} to YAAT_LOAD_PLUGINS, or unset it",
        "failed": f"mend or reinstall {state.distribution}; yaat plugins show {state.name} has the traceback",
    }
    what = f"the {one} type `{node.text}` is not there: its plugin {label} is not loaded"
    return at_value(node, _UNKNOWN, what, cause=terminal_safe(state.reason), fix=fixes[state.state])


def _elsewhere(kind: Kind, name: str, plugins: Plugins) -> str:
    """The name of a type of another kind."""
    others = [other for other, known in plugins.registry.types if known == name and other != kind]
    return f"`{name}` is a type for `{others[0]}`" if others else ""


def _installed(kind: Kind, plugins: Plugins) -> str:
    names = plugins.registry.names(kind)
    return (
        f"installed: {', '.join(names)}"
        if names
        else "no plugin that provides any is installed: yaat plugins list"
    )
