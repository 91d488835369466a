"""Where events go: the database here, a backend, or both; the key is asked about while it is typed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import attrs
import trio

from yaat_core.errors import YaatError
from yaat_core.setting_up import gateway
from yaat_core.setting_up.gateway import Known
from yaat_core.tui.layout import Pane, Rows
from yaat_core.tui.screens.setup.wish import Where
from yaat_core.tui.widgets.fields import FieldSpec, Form
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.tabs import Step
from yaat_core.tui.widgets.viewing import Facts

if TYPE_CHECKING:
    from yaat_core.tui.screens.setup.screen import SetupScreen

_CHOICES: Final[dict[Where, str]] = {
    "local": "a database on this machine, asked in SQL; nothing leaves it (usual)",
    "both": "the database here, and a backend",
    "backend": "a backend alone; what waits for it is kept in the queue",
}
#: Seconds without a key pressed until the gateway is asked; letters that a key has at least.
_STILL: Final = 1.0
_KEY: Final = 12
_SERVICES: Final = 12


@attrs.frozen
class Asked:
    """What came of asking about a key."""

    endpoint: str
    key: str = attrs.field(repr=False)
    known: Known | None = None
    error: YaatError | None = None


class Destination:
    """The step."""

    def __init__(self, screen: SetupScreen) -> None:
        self.screen = screen
        self.table: Table[Where] = Table(
            [
                Column(title="keep", value=str, least=8),
                Column(title="which is", value=lambda one: _CHOICES[one], least=20, stretch=True),
            ],
            open=lambda _: self._opened(),
            open_does="next step, or the backend's fields",
            open_footer="next step",
        )
        self.table.rows = list(_CHOICES)
        self.table.on_select = lambda _: self.screen.shell.changed()
        self.form = Form(
            [
                FieldSpec(name="endpoint", title="Endpoint", help="the gateway's URL", example="https://ingest.example.com",
                          check=_endpoint),
                FieldSpec(name="key", title="API key", kind="secret", help="from `yaat gateway keys create NAME` there"),
            ],
            changed=self._typed,
        )  # fmt: skip
        self.told = Facts(empty="The gateway is asked about the key when both are there.")
        self.asked: Asked | None = None

    def step(self) -> Step:
        """As the wizard takes it."""
        return Step(
            title="Destination",
            text="Where events go. The key is written into a file of its own, for you alone, never into the configuration.",
            node=Rows(
                Pane(self.table, size=5),
                Pane(self.form, "Backend", size=5, when=self._remote),
                Pane(self.told, "What the gateway says", when=self._remote),
            ),
            optional=True,
            enter=self.enter,
            check=self.check,
            skip=self.skip,
        )

    def _remote(self) -> bool:
        return self.table.selected != "local"

    async def _opened(self) -> None:
        if self._remote() and not all(self.form.values().values()):
            self.screen.shell.focus(self.form.inputs["endpoint"])
            return
        await self.screen.wizard.next()

    def _typed(self) -> None:
        self.told.facts = []
        self.asked = None

    async def enter(self) -> None:
        """As it was chosen."""
        self.table.select(self.screen.wish.where)

    async def watch(self) -> None:
        """Ask about the key when it was typed, while the step shows."""
        last, still = ("", ""), trio.current_time()
        while True:
            await trio.sleep(0.2)
            now = self._values()
            if now != last:
                last, still = now, trio.current_time()
                continue
            here = self.screen.wizard.step.title == "Destination" and self._remote()
            done = self.asked is not None and (self.asked.endpoint, self.asked.key) == now
            long_enough = now[0] and (len(now[1]) >= _KEY or now[1].startswith("${"))
            if (
                here
                and not done
                and long_enough
                and not _endpoint(now[0])
                and trio.current_time() - still > _STILL
            ):
                await self._ask(*now)

    def _values(self) -> tuple[str, str]:
        values = self.form.values()
        return values["endpoint"].strip(), values["key"].strip()

    async def _ask(self, endpoint: str, key: str) -> Asked:
        screen = self.screen
        self.told.facts = [("asking", endpoint)]
        screen.shell.changed()
        try:
            real = gateway.key_of(
                key, screen.place.path.parent, os.environ, screen.shell.plugins.manager.hook
            )
            asked = Asked(endpoint, key, known=await gateway.ask(endpoint, real))
        except YaatError as error:
            asked = Asked(endpoint, key, error=error)
        if self._values() == (endpoint, key):
            self.asked = asked
            self._show(asked)
        return asked

    def _show(self, asked: Asked) -> None:
        if asked.error is not None:
            error, facts = asked.error, [("refused", asked.error.what, "class:error")]
            facts += [
                (name, text, "") for name, text in (("cause", error.cause), ("to do", error.fix)) if text
            ]
            self.told.facts = facts
        elif asked.known is not None:
            known = asked.known
            services = known.services
            more = f" and {len(services) - _SERVICES} more" if services and len(services) > _SERVICES else ""
            self.told.facts = [
                ("key", f"{known.key} is good: it may {', '.join(known.rights)}", "class:ok"),
                ("organization", f"{known.organization} ({known.organization_id})"),
                ("only for", ", ".join([*known.for_services, *known.for_environments]) or "every service and environment"),
                ("services there", "the key may not read them" if services is None else ", ".join(services[:_SERVICES]) + more
                 or "none yet: this machine is the first"),
            ]  # fmt: skip
        self.screen.shell.changed()

    async def check(self) -> str:
        """A backend has to take the key."""
        wish, where = self.screen.wish, self.table.selected or "local"
        if where == "local":
            wish.where, wish.known = "local", None
            return ""
        endpoint, key = self._values()
        if not endpoint or not key:
            return "a backend takes its endpoint and a key"
        asked = self.asked
        if asked is None or (asked.endpoint, asked.key) != (endpoint, key) or asked.error is not None:
            asked = await self._ask(endpoint, key)
        if asked.error is not None:
            return asked.error.what
        wish.where, wish.endpoint, wish.key, wish.known = where, endpoint, key, asked.known
        return ""

    async def skip(self) -> None:
        """On this machine."""
        wish = self.screen.wish
        wish.where, wish.known = "local", None
        self.table.select("local")


def _endpoint(text: str) -> str:
    try:
        gateway.base(text)
    except YaatError as error:
        return f"{error.what}: {error.fix}" if error.fix else error.what
    return ""
