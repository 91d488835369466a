"""The key table: what each key does, said once. Bindings, footer, help, palette and the page in the docs are made from `Key`s.

No key of a `Key` fires while a text field has the focus, except for those that can't be text and say ``anywhere``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import attrs
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_bindings import _parse_key
from prompt_toolkit.key_binding.key_processor import KeyPressEvent

Work = Callable[[], Coroutine[Any, Any, object] | object]

_LABELS: Final[Mapping[str, str]] = {
    " ": "Space",
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "s-tab": "Shift-Tab",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "delete": "Del",
    "backspace": "Backspace",
}


def _no_text(of: Key, _: object, anywhere: bool) -> None:
    if anywhere and any(len(key) == 1 or key in ("space", "enter") for key in of.keys):
        raise ValueError(f"{of.name}: a key that is text can't work in text fields")


@attrs.frozen(kw_only=True)
class Key:
    """Something that keys do. ``run`` may be a function or a coroutine function, which runs in trio.

    ``name`` is stable (`queue.purge`): users bind other keys by it. ``footer``: a word for the footer; empty: only in the
    help. ``command``: the command line that does the same, without `yaat`. ``changes``: refused while read-only.
    """

    name: str
    keys: tuple[str, ...]
    does: str
    run: Work
    footer: str = ""
    command: str = ""
    changes: bool = False
    anywhere: bool = attrs.field(default=False, validator=_no_text)
    """Also in text fields and dialogs: keys that can't be text."""
    in_dialogs: bool = False
    when: Callable[[], bool] = lambda: True
    """Does it apply now?"""


class Hub(Protocol):
    """What bindings need of the shell."""

    def perform(self, key: Key) -> None:
        """Run it."""
        ...

    def editing(self) -> bool:
        """Has a text field the focus?"""
        ...

    def in_dialog(self) -> bool:
        """Is a dialog open?"""
        ...

    @property
    def overrides(self) -> Mapping[str, Sequence[str]]:
        """The user's keys by `Key.name`."""
        ...


def label(key: str) -> str:
    """A key as people call it: `c-p` is Ctrl-P."""
    if key in _LABELS:
        return _LABELS[key]
    if key.startswith("c-"):
        return f"Ctrl-{key[2:].upper()}"
    if key.startswith("s-"):
        return f"Shift-{label(key[2:])}"
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return key


def labels(keys: Iterable[str]) -> str:
    """All of them: ``: Ctrl-P``."""
    return " ".join(label(key) for key in keys)


def keys_of(key: Key, overrides: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The user's keys for it, or its own."""
    return tuple(overrides.get(key.name, key.keys))


def wrong_keys(keys: Iterable[str]) -> list[str]:
    """Which of them no terminal can send, as prompt-toolkit knows them."""
    wrong = []
    for key in keys:
        try:
            _parse_key(key)
        except ValueError:
            wrong.append(key)
    return wrong


def bindings(keys: Sequence[Key], hub: Hub, *, dialog: bool = False) -> KeyBindings:
    """Their bindings; ``dialog``: they belong to an open dialog."""
    made = KeyBindings()
    for one in keys:
        for key in keys_of(one, hub.overrides):
            made.add(key, filter=_filter(one, hub, dialog), eager=False)(_handler(one, hub))
    return made


def _handler(one: Key, hub: Hub) -> Callable[[KeyPressEvent], None]:
    def handle(_: KeyPressEvent) -> None:
        hub.perform(one)

    return handle


def _filter(one: Key, hub: Hub, dialog: bool) -> Condition:
    def applies() -> bool:
        if hub.editing() and not one.anywhere:
            return False
        if hub.in_dialog() and not (dialog or one.in_dialogs):
            return False
        return one.when()

    return Condition(applies)


def is_async(work: Work) -> bool:
    """Is it a coroutine function?"""
    return inspect.iscoroutinefunction(work) or inspect.iscoroutinefunction(getattr(work, "func", None))
