"""``YAAT_TRACE_PLUGINS=1``: each hook call on stderr, with who answers, its arguments and its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pluggy

#: Arguments of these types are shown; others by the name of their type, since they may hold secrets or events.
_SHOWN: Final = (str, int, float, bool, type(None))
#: Hooks whose result is never shown in any form.
_SECRET: Final = frozenset({"resolve_secret"})


def trace_hooks(manager: pluggy.PluginManager) -> None:
    """Print every hook call of this manager from now on."""
    started: list[float] = []

    def before(name: str, callers: Sequence[Any], arguments: Mapping[str, Any]) -> None:
        started.append(time.perf_counter())
        shown = ", ".join(f"{key}={_shown(value)}" for key, value in arguments.items())
        plugins = ", ".join(one.plugin_name for one in callers) or "nobody"
        print(f"hook {name}({shown}) to {plugins}", file=sys.stderr)

    def after(outcome: Any, name: str, callers: Sequence[Any], arguments: Mapping[str, Any]) -> None:
        took = time.perf_counter() - started.pop()
        print(f"hook {name} took {took * 1e3:.1f} ms{_result(name, outcome)}", file=sys.stderr)

    manager.add_hookcall_monitoring(before, after)


def _shown(value: Any) -> str:
    return repr(value)[:200] if isinstance(value, _SHOWN) else f"<{type(value).__name__}>"


def _result(name: str, outcome: Any) -> str:
    if outcome.exception is not None:
        return f", raised {type(outcome.exception).__name__}"
    if name in _SECRET:
        return ", found" if outcome.get_result() is not None else ", not found"
    return f": {_shown(outcome.get_result())}" if outcome.get_result() is not None else ""
