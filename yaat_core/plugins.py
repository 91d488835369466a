"""Loads plugins one by one: what fails is named, with its distribution, and left out; the others go on.

Nothing here is global: each `load_plugins` makes a fresh manager and a fresh registry.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import importlib.util
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs
import pluggy

from yaat_core import hookspecs
from yaat_core.config.fields import keys_of
from yaat_core.config.keys import core_keys
from yaat_core.errors import PluginError
from yaat_core.manifest import GROUP, Manifest, discover
from yaat_core.registry import Register, Registry

State = Literal["loaded", "disabled", "failed", "not_selected"]


@attrs.frozen(kw_only=True)
class PluginState:
    """What became of one plugin."""

    name: str
    distribution: str
    version: str
    state: State
    reason: str = ""
    """Why it is not loaded, in one sentence."""
    traceback: str = ""
    """Frames and the exception, when its code raised."""
    components: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)
    """By kind: name to summary. What it registered when loaded, else what its manifest lists."""
    hooks: tuple[str, ...] = ()
    manifest: Manifest | None = None
    """What was known before it was imported: its commands, its summary."""


@attrs.frozen(kw_only=True)
class Plugins:
    """What was loaded. Hooks are called as ``plugins.manager.hook.NAME(argument=...)``."""

    registry: Registry
    manager: pluggy.PluginManager
    states: Sequence[PluginState]

    def providing(self, kind: str, name: str) -> list[PluginState]:
        """Plugins that are not loaded and list this component type in their manifest."""
        return [
            state
            for state in self.states
            if state.state != "loaded" and name in state.components.get(kind, {})
        ]


def load_plugins(disable: Sequence[str] = (), *, environ: Mapping[str, str] | None = None) -> Plugins:
    """Import and register every selected plugin, in the order of their distributions' names.

    A plugin that fails (an exception or `SystemExit` at import, another API version, a hook with a wrong
    signature, a component type that is taken) is left out whole and its `PluginState` says why.
    """
    environ = os.environ if environ is None else environ
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    if environ.get("YAAT_TRACE_PLUGINS", "0") not in ("", "0"):
        from yaat_core.tracing import trace_hooks

        trace_hooks(manager)
    registry = Registry()
    states = [_load(one, manager, registry) for one in discover(disable, environ=environ)]
    return Plugins(registry=registry, manager=manager, states=states)


def register(plugin: object, name: str, plugins: Plugins) -> None:
    """Add an object with hooks that comes from no distribution (a test's class).

    Raises:
        PluginError: one of its hooks or components can't be had; nothing of it is left.
    """
    _register(plugin, Manifest(name=name, distribution=name), plugins.manager, plugins.registry)


def _load(one: Manifest, manager: pluggy.PluginManager, registry: Registry) -> PluginState:
    if one.selection != "selected":
        reason = "in plugins.disable" if one.selection == "disabled" else "not in YAAT_LOAD_PLUGINS"
        return _state(one, one.selection, reason=reason)
    refusal = one.error or _other_api(one)
    if refusal:
        return _state(one, "failed", reason=refusal)
    try:
        plugin = _import(one)
        _register(plugin, one, manager, registry)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a broken plugin is named and isolated
        return _state(one, "failed", reason=_reason(error), traceback=_traceback(error))
    components: dict[str, dict[str, str]] = {}
    for (kind, name), found in registry.types.items():
        if found.distribution == one.distribution:
            components.setdefault(kind, {})[name] = one.components.get(kind, {}).get(name, found.summary)
    return _state(one, "loaded", components=components, hooks=_hooks(plugin, manager))


def _state(one: Manifest, state: State, **more: Any) -> PluginState:
    facts: dict[str, Any] = {"components": one.components, "hooks": one.hooks, "manifest": one, **more}
    return PluginState(
        name=one.name, distribution=one.distribution, version=one.version, state=state, **facts
    )


def _other_api(one: Manifest) -> str:
    if one.api in ("", hookspecs.API_VERSION):
        return ""
    return (
        f"it was written for plugin API {one.api}, this yaat has {hookspecs.API_VERSION}: "
        f"install a version of {one.distribution} that fits"
    )


def _import(one: Manifest) -> object:
    if one.target:
        return importlib.metadata.EntryPoint(one.name, one.target, GROUP).load()
    name = f"yaat_loose_{one.name.replace('-', '_')}"
    assert one.origin is not None
    spec = importlib.util.spec_from_file_location(name, one.origin)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _register(plugin: object, one: Manifest, manager: pluggy.PluginManager, registry: Registry) -> None:
    """All of it or nothing."""
    try:
        manager.register(plugin, name=one.name)
        _refuse_unknown_hooks(plugin, one, manager)
        own = Registry()
        others = [other for other in manager.get_plugins() if other is not plugin]
        call = manager.subset_hook_caller("register_components", others)
        call(register=Register(own, one.distribution))
        _take(own, one, registry)
    except pluggy.PluginValidationError as error:
        _withdraw(plugin, manager)
        raise PluginError(f"{one.label}: {' '.join(str(error).split())}") from error
    except BaseException:
        _withdraw(plugin, manager)
        raise


def _withdraw(plugin: object, manager: pluggy.PluginManager) -> None:
    if manager.is_registered(plugin):
        manager.unregister(plugin)


def _refuse_unknown_hooks(plugin: object, one: Manifest, manager: pluggy.PluginManager) -> None:
    known = [name for name, value in vars(hookspecs).items() if hasattr(value, f"{GROUP}_spec")]
    for caller in manager.get_hookcallers(plugin) or ():
        if caller.has_spec() or _optional(caller, plugin):
            continue
        near = difflib.get_close_matches(caller.name, known, 1)
        guess = f", did you mean `{near[0]}`?" if near else f"; there are: {', '.join(known)}"
        raise PluginError(f"{one.label}: there is no hook `{caller.name}`{guess}")


def _optional(caller: pluggy.HookCaller, plugin: object) -> bool:
    return all(one.optionalhook for one in caller.get_hookimpls() if one.plugin is plugin)


def _take(own: Registry, one: Manifest, registry: Registry) -> None:
    for (kind, name), found in own.types.items():
        clashing = core_keys(kind) & {key.name for key in keys_of(found.config)}
        if clashing:
            raise PluginError(
                f"{one.label}: the option `{min(clashing)}` of `{name}` has the name of a key that every "
                f"component in {kind} has"
            )
        if registry.find(kind, name):
            registry.add(found)
    for found in own.types.values():
        registry.add(found)


def _hooks(plugin: object, manager: pluggy.PluginManager) -> tuple[str, ...]:
    callers = manager.get_hookcallers(plugin) or ()
    return tuple(sorted(caller.name for caller in callers if caller.name != "register_components"))


def _reason(error: BaseException) -> str:
    if isinstance(error, PluginError):
        return error.what
    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r})"
    if isinstance(error, ImportError):
        return f"it did not import: {error}"
    return f"it raised {type(error).__name__}: {error}"


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
