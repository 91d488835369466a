"""What a screen of the TUI is, as a plugin declares it. Imports nothing of the TUI: an agent loads this too."""

from __future__ import annotations

from typing import Final

import attrs

#: Places in the tab bar that a `Panel.key` may ask for; those without one are in the menu, key 0.
KEYS: Final = frozenset("123456789")


@attrs.frozen(kw_only=True)
class Panel:
    """A screen: where it appears, what it may do, and the class that draws it.

    ``screen`` is ``module:Class`` of a `yaat_core.tui.screen.Screen`, imported when the screen is first opened; one that
    fails to import or to draw is named on its own screen, and the others work. ``key`` is a digit for a place in the tab
    bar; of two panels that ask for one digit, the first by ``order`` and name has it, the other is in the menu.
    """

    name: str
    """Lower case, unique: `overview`. The palette and settings know it by this name."""
    title: str
    """As the tab shows it, 12 characters at most."""
    summary: str
    """One line for the menu, the palette and the help."""
    screen: str
    key: str = ""
    order: int = 500
    """Lower comes first. The core's own panels use 0 to 100."""
    actions: tuple[str, ...] = ()
    """Names of the actions that it calls: it is refused every other."""
    command: str = ""
    """The command line that tells the same, without `yaat`: `queue list`."""
    refresh: float = 1.0
    """Seconds between two calls of `Screen.update` while it is shown, at least 0.1."""
