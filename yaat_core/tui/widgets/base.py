"""What every widget is: it draws lines of text into the room that it gets, and has keys while it has the focus."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application.current import get_app
from prompt_toolkit.data_structures import Point
from prompt_toolkit.key_binding.key_bindings import KeyBindings, KeyBindingsBase
from prompt_toolkit.layout.containers import AnyContainer, Window
from prompt_toolkit.layout.controls import UIContent, UIControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from yaat_core.tui.keys import Key, bindings
from yaat_core.tui.text import Line, fit_line, safe, wrap

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell


class Widget:
    """A part of a screen. Override `draw`, and what else it needs.

    ``draw`` must be quick (a millisecond) and must not wait: it is called for every redraw, on the thread that reads keys.
    """

    #: What the help and the pane's title call it, when the pane has no title.
    name: str = "pane"
    focusable: bool = True
    #: One sentence for the help of the focused pane.
    help: str = ""

    shell: Shell

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """The lines to show; what is longer than ``width`` or more than ``height`` is cut off."""
        raise NotImplementedError

    def keys(self) -> Sequence[Key]:
        """What keys do while it has the focus."""
        return ()

    def search(self, text: str) -> None:
        """Called with what is typed after ``/``, at each key; empty: no filter."""

    @property
    def searchable(self) -> bool:
        """Does ``/`` do anything here?"""
        return type(self).search is not Widget.search

    def copied(self) -> str:
        """What ``y`` copies."""
        return ""

    def dump(self) -> str:
        """All of it as plain text, for ``P``; by default what is drawn at 200 columns."""
        lines = self.draw(200, 2000, focused=False)
        return "\n".join("".join(text for _, text in line).rstrip() for line in lines)

    def click(self, column: int, row: int) -> None:
        """A click on the cell of it."""

    def scroll(self, lines: int) -> None:
        """The mouse wheel; positive is down."""

    def note(self) -> str:
        """A few words at the right of the pane's title: ``12 of 300``."""
        return ""

    # --- made once, by the layout

    def container(self) -> AnyContainer:
        """As prompt-toolkit places it."""
        return self.window

    @property
    def window(self) -> Window:
        """The window that draws it."""
        made: Window | None = getattr(self, "_window", None)
        if made is None:
            made = Window(
                content=WidgetControl(self),
                always_hide_cursor=True,
                wrap_lines=False,
                height=Dimension(min=0),
                width=Dimension(min=0),
            )
            self._window = made
        return made

    def has_focus(self) -> bool:
        """Has it the focus?"""
        return get_app().layout.has_focus(self.container())


class WidgetControl(UIControl):
    """Draws a `Widget`: whatever it returns, no line is longer than the window, and no escape gets through."""

    def __init__(self, widget: Widget) -> None:
        self.widget = widget
        self._bindings: KeyBindingsBase | None = None

    def is_focusable(self) -> bool:
        """As the widget says."""
        return self.widget.focusable

    def create_content(self, width: int, height: int | None) -> UIContent:
        """Lines of exactly ``width``."""
        try:
            drawn: list[Any] = self._drawn(width, height or 1)
        except Exception as error:  # noqa: BLE001 - a panel's defect is shown in its place; the TUI goes on
            drawn = [fit_line(line, width) for line in broken(error, width)][: height or 1]
        return UIContent(
            get_line=lambda number: drawn[number] if number < len(drawn) else [],
            line_count=max(1, len(drawn)),
            cursor_position=Point(0, 0),
            show_cursor=False,
        )

    def _drawn(self, width: int, rows: int) -> list[Any]:
        focused = get_app().layout.current_control is self
        lines = list(self.widget.draw(width, rows, focused=focused))[:rows] if width > 0 else []
        drawn: list[Any] = [fit_line(line, width) for line in lines]
        screen = self.widget.shell.current
        if screen is not None and screen.stale and not self.widget.shell.dialogs:
            drawn = [[(f"{style} class:stale", text) for style, text in line] for line in drawn]
        return drawn

    def preferred_width(self, max_available_width: int) -> int | None:
        """The layout decides."""
        return None

    def preferred_height(self, width: int, max_available_height: int, *_: Any) -> int | None:
        """The layout decides."""
        return None

    def get_key_bindings(self) -> KeyBindingsBase | None:
        """The widget's."""
        if self._bindings is None:
            try:
                self._bindings = bindings(self.widget.keys(), self.widget.shell, dialog=True)
            except Exception as error:  # noqa: BLE001 - it has no keys then, and says why
                self._bindings = KeyBindings()
                self.widget.shell.failed(error)
        return self._bindings

    def mouse_handler(self, mouse_event: MouseEvent) -> Any:
        """Click, and the wheel."""
        kind = mouse_event.event_type
        if kind == MouseEventType.SCROLL_DOWN:
            self.widget.shell.run(lambda: self.widget.scroll(3))
        elif kind == MouseEventType.SCROLL_UP:
            self.widget.shell.run(lambda: self.widget.scroll(-3))
        elif kind == MouseEventType.MOUSE_UP:
            if self.widget.focusable:
                get_app().layout.focus(self)
            at = mouse_event.position
            self.widget.shell.run(lambda: self.widget.click(at.x, at.y))
        else:
            return NotImplemented
        return None


def broken(error: Exception, width: int) -> list[Line]:
    """In place of a pane that could not be drawn: what was raised, and where."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    told = (
        ("class:error", f"{type(error).__name__}: {error}"),
        ("", "This pane can't be drawn: a defect of YAAT or of a plugin. Everything else works."),
        ("class:dim", f"{at.filename}:{at.lineno} in {at.name}"),
    )
    room = max(2, width - 1)
    return [[(style, f" {line}")] for style, text in told for line in wrap(safe(text), room)]


class Label(Widget):
    """Lines that a function gives; never has the focus."""

    focusable = False

    def __init__(self, lines: Any) -> None:
        self._lines = lines

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """What the function gives for this room."""
        made: Sequence[Line] = self._lines(width, height)
        return made
