"""Rows of the lists: a component as it is written, and as it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from yaat_core.actions.components import ComponentInfo, ComponentKind
from yaat_core.config.editing.rendering import flow
from yaat_core.config.text import shown_name
from yaat_core.status import ComponentStatus, Rates, SinkAccount
from yaat_core.tui.text import count, span
from yaat_core.tui.themes import mark
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.viewing import Fact

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell


@attrs.frozen(kw_only=True)
class Row:
    """A component. ``status`` is None when no agent runs, or the agent has not taken it up."""

    info: ComponentInfo
    status: ComponentStatus | None
    rates: Rates | None
    account: SinkAccount | None = None
    dropped: int = 0
    problems: int = 0

    @property
    def id(self) -> str:
        """``sources.app``."""
        return f"{self.info.kind}.{self.info.name}"

    @property
    def state(self) -> str:
        """Its state; of processors, which run in the pipeline and have none of their own, whether they are well."""
        if self.status:
            return self.status.state
        if self.rates is not None and self.info.kind == "processors":
            return "error" if self.problems else "ok"
        return "not running"


def rows(infos: Sequence[ComponentInfo], shell: Shell) -> list[Row]:
    """With what the agent told last; without one, as they are written."""
    store = shell.store
    status = store.status if store.live else None
    states = {one.id: one for one in status.components} if status else {}
    problems = status.health.problems if status else ()
    made = []
    for one in infos:
        id = f"{one.kind}.{one.name}"
        dropped = status.accounting.dropped_before_queue if status and one.kind == "processors" else {}
        made.append(
            Row(
                info=one,
                status=states.get(id),
                rates=store.rates.get(id) if status else None,
                account=status.accounting.by_sink.get(one.name) if status and one.kind == "sinks" else None,
                dropped=sum(number for key, number in dropped.items() if key.startswith(f"{one.name}/")),
                problems=sum(problem.component == id for problem in problems),
            )
        )
    return made


def table(kind: ComponentKind, shell: Callable[[], Shell], open: Callable[[Row], Any]) -> Table[Row]:
    """An empty list for a kind."""

    def state(row: Row) -> str:
        return mark(row.state, shell().glyphs)[1]

    def style(row: Row) -> str:
        return mark(row.state, shell().glyphs)[0]

    columns: list[Column[Row]] = [
        Column(title="name", value=lambda row: row.info.name, least=10, stretch=True),
        Column(title="type", value=lambda row: row.info.type, least=6, drop=1),
        Column(title="state", value=state, style=style, least=10),
        Column(title="in/s", value=lambda row: _rate(row, "in_"), align="right", least=5,
               sort=lambda row: row.rates.in_ if row.rates else 0),
    ]  # fmt: skip
    if kind == "processors":
        columns += [
            Column(title="out/s", value=lambda row: _rate(row, "out"), align="right", least=5),
            Column(title="dropped", value=lambda row: count(row.dropped), align="right", least=7, drop=3),
        ]
    if kind == "sinks":
        columns += [
            Column(title="out/s", value=lambda row: _rate(row, "out"), align="right", least=5),
            Column(title="waits", value=lambda row: _account(row, "queued"), align="right", least=5),
            Column(title="dead", value=lambda row: _account(row, "dead"), align="right", least=4, drop=2),
        ]  # fmt: skip
    columns += [
        Column(title="err/s", value=lambda row: _rate(row, "errors"), align="right", least=5,
               style=lambda row: "class:error" if row.rates and row.rates.errors else "",
               sort=lambda row: row.rates.errors if row.rates else 0),
        Column(title="last", value=last, align="right", least=6, drop=2,
               sort=lambda row: _age(row)),
        Column(title="written in", value=written_in, least=10, drop=4),
    ]  # fmt: skip
    one = kind.removesuffix("s")
    made = Table(
        columns,
        identity=lambda row: row.id,
        empty=f"no {kind}\na adds a {one}",
        open=open,
        open_does="how it is, and its options",
    )
    made.name = kind
    return made


def last(row: Row) -> str:
    """How long ago the last event was."""
    age = row.rates.last_event_seconds if row.rates else None
    return "-" if age is None else "now" if age < 3 else span(age)


def written_in(row: Row) -> str:
    """Where in the files it stands."""
    return f"{shown_name(Path(row.info.file))}:{row.info.line}" if row.info.file else "by default"


def facts(row: Row, shell: Shell, in_force: Mapping[str, Any] | None) -> list[Fact]:
    """Everything about one: how it is, what is wrong, its figures, its options."""
    style, state = mark(row.state, shell.glyphs)
    found: list[Fact] = [("state", state, style)]
    if row.status is None and row.rates is None and shell.store.live:
        found[0] = ("state", f"{state}: the agent has not taken it up", "class:warn")
    if row.status and row.status.detail:
        found.append(("", row.status.detail))
    found += _problems(row, shell)
    found += [("type", row.info.type), ("written in", written_in(row))]
    if row.status:
        found.append(
            ("since", row.status.since + (f", {row.status.restarts} restarts" if row.status.restarts else ""))
        )
    if row.rates:
        flow_told = (
            f"{count(row.rates.in_)}/s in, {count(row.rates.out)}/s out, {count(row.rates.errors)}/s errors"
        )
        found += [
            ("flow", flow_told),
            ("last event", last(row) if last(row) in ("-", "now") else f"{last(row)} ago"),
        ]
    if row.account:
        account = row.account
        found.append(
            ("delivered", f"{account.delivered:,}; {account.queued:,} wait, {account.dead:,} dead letters")
        )
        if account.lost or account.dropped:
            found.append(("", f"{account.lost:,} lost, {account.dropped:,} dropped", "class:warn"))
    if row.dropped:
        found.append(("dropped", f"{row.dropped:,} events"))
    if row.status and row.status.figures:
        told = [f"{name.replace('_', ' ')} {number:,.6g}" for name, number in row.status.figures.items()]
        found.append(("figures", ", ".join(told)))
    return found + _options(row, in_force)


def _problems(row: Row, shell: Shell) -> list[Fact]:
    status = shell.store.status
    found: list[Fact] = []
    for one in status.health.problems if status and shell.store.live else ():
        if one.component == row.id:
            style, sign = mark(one.level, shell.glyphs)
            found.append((sign.split()[0] + " problem", one.what, style))
            if one.advice:
                found.append(("", one.advice))
    return found


def _options(row: Row, in_force: Mapping[str, Any] | None) -> list[Fact]:
    """What is written plain, what holds by default dim."""
    written = {name: one for name, one in row.info.value.items() if name not in ("type", "name")}
    found: list[Fact] = [("", ""), ("options", "set:" if written else "all as by default", "class:strong")]
    found += [(name, flow(_plain(value))) for name, value in written.items()]
    rest = {
        name: one
        for name, one in (in_force or {}).items()
        if name not in written and name not in ("type", "name")
    }
    rest = {name: one for name, one in rest.items() if one not in (None, "", [], {})}
    if rest:
        found += [("", ""), ("defaults", "in force:", "class:strong")]
        found += [(name, flow(_plain(value)), "class:dim") for name, value in rest.items()]
    return found


def _plain(value: Any) -> Any:
    import msgspec

    return msgspec.to_builtins(value)


def _rate(row: Row, kind: str) -> str:
    return "-" if row.rates is None else count(getattr(row.rates, kind))


def _account(row: Row, kind: str) -> str:
    return count(getattr(row.account, kind)) if row.account else "-"


def _age(row: Row) -> float:
    age = row.rates.last_event_seconds if row.rates else None
    return float("inf") if age is None else age
