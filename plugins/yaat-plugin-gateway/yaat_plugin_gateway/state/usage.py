"""Quotas, and what was used of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from yaat_core.errors import UsageError
from yaat_plugin_gateway.state.database import Database
from yaat_plugin_gateway.state.keys import raised
from yaat_plugin_gateway.state.records import Quota, Used
from yaat_plugin_gateway.state.tables import KEYS, QUOTAS, SERVICES, USAGE


@attrs.frozen(kw_only=True)
class Gathered:
    """What a gateway counted since it wrote last: goes into the database in one transaction."""

    used: Sequence[Used] = ()
    last_used_us: Mapping[str, int] = attrs.field(factory=dict)
    """By id of the key."""
    seen_us: Mapping[tuple[str, str, str], int] = attrs.field(factory=dict)
    """By organization, service and environment."""

    def __bool__(self) -> bool:
        return bool(self.used or self.last_used_us or self.seen_us)


class Usage:
    """What may be used, and what was."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- quotas

    def quotas(self, organization_id: str) -> Sequence[Quota]:
        """An organization's quotas, in a fixed order."""
        wanted = sql.select(QUOTAS).where(QUOTAS.c.organization_id == organization_id)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(QUOTAS.c.event_type, QUOTAS.c.period)).all()
        return [
            Quota(event_type=row.event_type, period=row.period, events=row.events, bytes=row.bytes)
            for row in rows
        ]

    def set_quota(self, organization_id: str, quota: Quota) -> None:
        """Set one, or take it away when it limits neither events nor bytes.

        Raises:
            UsageError: no such organization.
        """
        what = (
            QUOTAS.c.organization_id == organization_id,
            QUOTAS.c.event_type == quota.event_type,
            QUOTAS.c.period == quota.period,
        )
        values = {**attrs.asdict(quota), "organization_id": organization_id}
        try:
            with self._database.writing() as connection:
                raised(connection)
                connection.execute(QUOTAS.delete().where(*what))
                if quota.events is not None or quota.bytes is not None:
                    connection.execute(QUOTAS.insert().values(**values))
        except IntegrityError:
            raise UsageError(
                f"no organization {organization_id!r}", fix="yaat gateway orgs list shows which there are"
            ) from None

    # --- usage

    def between(self, organization_id: str, first_day: str, last_day: str) -> Sequence[Used]:
        """What was used from one day to another, both included; by day, key and type."""
        wanted = (
            sql.select(USAGE)
            .where(
                USAGE.c.organization_id == organization_id, USAGE.c.day >= first_day, USAGE.c.day <= last_day
            )
            .order_by(USAGE.c.day, USAGE.c.key_id, USAGE.c.event_type)
        )
        with self._database.reading() as connection:
            return [_used(row) for row in connection.execute(wanted)]

    def totals(self, organization_id: str, month: str) -> Mapping[tuple[str, str], tuple[int, int]]:
        """Events and bytes by (day, type), all keys together, of a month (``2026-12``)."""
        sums = (sql.func.sum(USAGE.c.events).label("events"), sql.func.sum(USAGE.c.bytes).label("bytes"))
        wanted = (
            sql.select(USAGE.c.day, USAGE.c.event_type, *sums)
            .where(USAGE.c.organization_id == organization_id, USAGE.c.day.like(f"{month}-%"))
            .group_by(USAGE.c.day, USAGE.c.event_type)
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return {(row.day, row.event_type): (int(row[2]), int(row[3])) for row in rows}

    def write(self, gathered: Gathered) -> None:
        """Add all of it, in one transaction."""
        with self._database.writing() as connection:
            if gathered.used:
                connection.execute(self._adding(), [attrs.asdict(one) for one in _ordered(gathered.used)])
            if gathered.last_used_us:
                change = (
                    KEYS.update()
                    .where(KEYS.c.id == sql.bindparam("key"))
                    .values(last_used_us=sql.bindparam("at"))
                )
                connection.execute(
                    change, [{"key": key, "at": at} for key, at in sorted(gathered.last_used_us.items())]
                )
            if gathered.seen_us:
                connection.execute(
                    self._seeing(), [_seen(*item) for item in sorted(gathered.seen_us.items())]
                )

    def _adding(self) -> Any:
        new = self._database.insert(USAGE)
        return new.on_conflict_do_update(
            index_elements=["organization_id", "day", "key_id", "event_type"],
            set_={
                "events": USAGE.c.events + new.excluded.events,
                "bytes": USAGE.c.bytes + new.excluded.bytes,
            },
        )

    def _seeing(self) -> Any:
        new = self._database.insert(SERVICES)
        return new.on_conflict_do_update(
            index_elements=["organization_id", "service_name", "environment"],
            set_={"last_seen_us": new.excluded.last_seen_us},
        )


def _ordered(used: Iterable[Used]) -> list[Used]:
    """Two gateways that add the same rows never wait for each other in a circle."""
    return sorted(used, key=lambda one: (one.organization_id, one.day, one.key_id, one.event_type))


def _used(row: Any) -> Used:
    return Used(
        organization_id=row.organization_id,
        key_id=row.key_id,
        day=row.day,
        event_type=row.event_type,
        events=row.events,
        bytes=row.bytes,
    )


def _seen(what: tuple[str, str, str], at_us: int) -> dict[str, Any]:
    organization_id, service_name, environment = what
    return {
        "organization_id": organization_id,
        "service_name": service_name,
        "environment": environment,
        "first_seen_us": at_us,
        "last_seen_us": at_us,
    }
