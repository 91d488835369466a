"""Organizations and the services that were seen of them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sql
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from yaat_core.components import QueryScope
from yaat_core.errors import UsageError
from yaat_plugin_gateway.state.database import Database
from yaat_plugin_gateway.state.records import Organization, Service
from yaat_plugin_gateway.state.tables import ORGANIZATIONS, SERVICES


class Organizations:
    """Who the events belong to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, organization: Organization) -> None:
        """Add one.

        Raises:
            UsageError: there is one with this id.
        """
        try:
            with self._database.writing() as connection:
                connection.execute(ORGANIZATIONS.insert().values(**_values(organization)))
        except IntegrityError:
            raise UsageError(
                f"there is an organization {organization.id!r} already", fix="choose another id"
            ) from None

    def make_first(self, organization: Organization) -> bool:
        """Add one where there is none at all; whether that was so."""
        if self.all():
            return False
        with self._database.writing() as connection:
            if connection.execute(sql.select(ORGANIZATIONS.c.id).limit(1)).first():
                return False
            connection.execute(ORGANIZATIONS.insert().values(**_values(organization)))
            return True

    def ensure(self, id: str, now_us: int) -> None:
        """Add one unless it is there; its id is its name."""
        new = self._database.insert(ORGANIZATIONS).values(id=id, name=id, created_us=now_us)
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_nothing())

    def rename(self, id: str, name: str) -> Organization:
        """Give it another name; its id stays."""
        with self._database.writing() as connection:
            connection.execute(ORGANIZATIONS.update().where(ORGANIZATIONS.c.id == id).values(name=name))
        return self.one(id)

    def one(self, id: str) -> Organization:
        """The one with this id.

        Raises:
            UsageError: there is none.
        """
        found = next((one for one in self.all() if one.id == id), None)
        if found is None:
            raise UsageError(
                f"no organization {id!r}",
                fix=f"there are: {', '.join(one.id for one in self.all()) or 'none'}",
            )
        return found

    def all(self) -> Sequence[Organization]:
        """All of them, by id."""
        with self._database.reading() as connection:
            rows = connection.execute(sql.select(ORGANIZATIONS).order_by(ORGANIZATIONS.c.id)).all()
        return [Organization(id=row.id, name=row.name, created_us=row.created_us) for row in rows]

    def services(self, scope: QueryScope) -> Sequence[Service]:
        """What was seen of its services, as far as the scope goes, by name."""
        wanted = sql.select(SERVICES).where(SERVICES.c.organization_id == scope.organization_id)
        if scope.services:
            wanted = wanted.where(SERVICES.c.service_name.in_(sorted(scope.services)))
        if scope.environments:
            wanted = wanted.where(SERVICES.c.environment.in_(sorted(scope.environments)))
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(SERVICES.c.service_name, SERVICES.c.environment)).all()
        return [_service(row) for row in rows]


def _values(organization: Organization) -> dict[str, object]:
    return {"id": organization.id, "name": organization.name, "created_us": organization.created_us}


def _service(row: Row[tuple[object, ...]]) -> Service:
    return Service(
        service_name=row.service_name,
        environment=row.environment,
        first_seen_us=row.first_seen_us,
        last_seen_us=row.last_seen_us,
    )
