"""One of several layouts at a time: tabs of a screen, steps of a wizard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import attrs
from prompt_toolkit.layout.containers import AnyContainer, DynamicContainer, HSplit

from yaat_core.tui.dialogs import Buttons
from yaat_core.tui.keys import Key, bindings
from yaat_core.tui.layout import Node, Pane, exactly, share
from yaat_core.tui.text import Line, cells, wrap
from yaat_core.tui.widgets.base import Label

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell


#: Rows of a terminal from which on the steps of a wizard have their text above them.
_ROOMY: Final = 20


class Tabs(Node):
    """Layouts by name; ``<`` and ``>`` go through them. ``changed`` is called with the name of the one that shows now."""

    def __init__(
        self,
        *tabs: tuple[str, Node],
        changed: Callable[[str], None] | None = None,
        weight: int = 1,
        size: int | None = None,
        needs: tuple[int, int] = (0, 0),
        when: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(weight=weight, size=size, needs=needs, when=when)
        self.tabs = list(tabs)
        self.at = 0
        self._changed = changed
        self._shell: Shell | None = None

    @property
    def name(self) -> str:
        """Of the one that shows."""
        return self.tabs[self.at][0]

    def show(self, name: str) -> None:
        """Show it, and give its first pane the focus."""
        self.at = next((n for n, (one, _) in enumerate(self.tabs) if one == name), self.at)
        if self._changed:
            self._changed(self.name)
        if self._shell is not None:
            self._shell.app.layout.update_parents_relations()
            self._shell.focus_something()

    def step(self, by: int) -> None:
        """The next one, or the one before."""
        self.show(self.tabs[(self.at + by) % len(self.tabs)][0])

    def panes(self) -> Iterator[Pane]:
        """Those of the one that shows."""
        yield from self.tabs[self.at][1].panes()

    def made(self, shell: Shell) -> AnyContainer:
        """The names, and the layout of one."""
        self._shell = shell
        inner = [node.container(shell, across=False) for _, node in self.tabs]
        strip = Label(lambda width, _: [self._strip()])
        strip.shell = shell
        strip.click = self._click  # type: ignore[method-assign]
        strip.window.height = exactly(1)
        keys = (
            Key(name="tabs.next", keys=(">",), does="next tab", run=lambda: self.step(1)),
            Key(name="tabs.previous", keys=("<",), does="previous tab", run=lambda: self.step(-1)),
        )
        return HSplit(
            [strip.window, HSplit([DynamicContainer(lambda: inner[self.at])], height=share())],
            key_bindings=bindings(keys, shell),
        )

    def _strip(self) -> Line:
        line: Line = [("class:dim", " < ")]
        for number, (name, _) in enumerate(self.tabs):
            line += [("class:tab.on" if number == self.at else "class:tab", f" {name} "), ("", " ")]
        return [*line, ("class:dim", "> ")]

    def _click(self, column: int, row: int) -> None:
        edge = 3
        for name, _ in self.tabs:
            if edge <= column < edge + cells(name) + 2:
                self.show(name)
            edge += cells(name) + 3


@attrs.frozen(kw_only=True)
class Step:
    """A step of a wizard. ``check`` is awaited before the next one: what it returns is what is still wrong."""

    title: str
    node: Node
    text: str = ""
    optional: bool = False
    enter: Callable[[], Awaitable[object]] | None = None
    check: Callable[[], Awaitable[str]] | None = None
    skip: Callable[[], Awaitable[object]] | None = None
    """Awaited when an ``optional`` one is skipped: what was chosen on it goes."""
    next: str = "Next"
    """What the button says."""
    back: bool = True
    """False: what came before can't be had back."""
    buttons_first: bool = False
    """The buttons get the focus, not the first pane."""


class Wizard(Node):
    """Steps one after the other, with Back, Skip and Next below. ``done`` is awaited after the last one."""

    def __init__(self, steps: Sequence[Step], done: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self.steps = list(steps)
        self.at = 0
        self._done = done
        self._shell: Shell
        self._buttons = [
            Buttons(self._names(step), self._press, at=len(self._names(step)) - 1) for step in self.steps
        ]

    @property
    def step(self) -> Step:
        """The one that shows."""
        return self.steps[self.at]

    def _names(self, step: Step) -> list[str]:
        first = step is self.steps[0]
        back = not first and step.back
        return [*(["Back"] if back else []), *(["Skip"] if step.optional else []), step.next]

    def panes(self) -> Iterator[Pane]:
        """Those of the step, and the buttons."""
        yield from self.step.node.panes()
        yield Pane(self._buttons[self.at])

    def made(self, shell: Shell) -> AnyContainer:
        """Head, text, the step, buttons."""
        self._shell = shell
        parts = []
        for step, buttons in zip(self.steps, self._buttons, strict=True):
            told = Label(lambda width, _, step=step: self._told(step, width))
            told.shell = buttons.shell = shell
            buttons.window.height = exactly(1)
            told.window.height = lambda step=step: exactly(len(self._told(step, shell.size[0])))
            parts.append(
                HSplit(
                    [
                        told.window,
                        HSplit([step.node.container(shell, across=False)], height=share()),
                        buttons.window,
                    ]
                )
            )
        return HSplit([DynamicContainer(lambda: parts[self.at])], height=share())

    def _told(self, step: Step, width: int) -> list[Line]:
        number = self.steps.index(step) + 1
        roomy = self._shell.size[1] >= _ROOMY
        head: Line = [("class:title.focus", f" {number} of {len(self.steps)}  {step.title} ")]
        text: list[Line] = (
            [[("", f" {line}")] for line in wrap(step.text, max(8, width - 2))] if step.text and roomy else []
        )
        return [head, *text, [("", "")]]

    def _press(self, at: int) -> None:
        name = self._buttons[self.at].names[at]
        if name == "Back":
            self._shell.run_async(self.back)
        elif name == "Skip":
            self._shell.run_async(self.skip)
        else:
            self._shell.run_async(self.next)

    async def back(self) -> None:
        """The step before, if there is a way back."""
        if self.at and self.step.back:
            await self.go(self.at - 1)

    async def skip(self) -> None:
        """The next one, without what was chosen on this one."""
        if self.step.skip:
            await self.step.skip()
        await self.go(self.at + 1)

    async def next(self) -> None:
        """Check the step, then the next one, or the end."""
        wrong = await self.step.check() if self.step.check else ""
        if wrong:
            self._shell.notify(wrong, error=True)
        else:
            await self.go(self.at + 1)

    async def go(self, number: int) -> None:
        """To a step; past the last one it is done."""
        if number >= len(self.steps):
            await self._done()
            return
        self.at = max(0, number)
        self._shell.app.layout.update_parents_relations()
        self._shell.focus_something()
        if self.step.buttons_first:
            self._shell.focus(self._buttons[self.at])
        if self.step.enter:
            await self.step.enter()
        self._shell.changed()
