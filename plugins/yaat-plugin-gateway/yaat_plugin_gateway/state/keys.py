"""Keys in the database. Every change raises the revision, by which other processes notice it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import sqlalchemy as sql
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from yaat_core.errors import UsageError
from yaat_plugin_gateway.access import token
from yaat_plugin_gateway.access.token import Fresh
from yaat_plugin_gateway.state.database import Database
from yaat_plugin_gateway.state.records import Key, Rates, Wanted, rights_of
from yaat_plugin_gateway.state.tables import KEYS, REVISION

_RATES = ("events_per_second", "bytes_per_second", "requests_per_second")


@attrs.frozen
class Changes:
    """What changed since a revision: quotas may have as well."""

    revision: int
    keys: Sequence[Key]


class Keys:
    """All keys of all organizations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- changing

    def create(self, organization_id: str, wanted: Wanted, now_us: int) -> tuple[Key, Fresh]:
        """Make a key. The second value has its text, which is kept nowhere.

        Raises:
            UsageError: no such organization.
        """
        fresh = token.make()
        key = Key(
            id=fresh.id, organization_id=organization_id, hash=fresh.hash, wanted=wanted, created_us=now_us
        )
        try:
            with self._database.writing() as connection:
                connection.execute(KEYS.insert().values(**_values(key), revision=raised(connection)))
        except IntegrityError:
            raise UsageError(
                f"no organization {organization_id!r}", fix="yaat gateway orgs list shows which there are"
            ) from None
        return key, fresh

    def rotate(
        self, organization_id: str | None, id: str, wanted: Wanted, until_us: int, now_us: int
    ) -> tuple[Key, Fresh]:
        """Make a key in place of one; that holds until ``until_us`` at most.

        Raises:
            UsageError: there is none, or it can't be rotated (revoked, expired, rotated already).
        """
        fresh = token.make()
        with self._database.writing() as connection:
            old = _found(connection, organization_id, id)
            if (standing := old.standing(now_us)) != "active":
                successor = f" to {token.prefix(old.replaced_by)}" if old.replaced_by else ""
                raise UsageError(
                    f"the key {old.prefix} is {standing}{successor}, and can't be rotated",
                    fix="rotate that one" if successor else "make a new one: yaat gateway keys create",
                )
            new = Key(
                id=fresh.id,
                organization_id=old.organization_id,
                hash=fresh.hash,
                wanted=wanted,
                created_us=now_us,
            )
            revision = raised(connection)
            ends = until_us if old.wanted.expires_us is None else min(until_us, old.wanted.expires_us)
            connection.execute(KEYS.insert().values(**_values(new), revision=revision))
            change = {"expires_us": ends, "replaced_by": new.id, "revision": revision}
            connection.execute(KEYS.update().where(KEYS.c.id == id).values(**change))
        return new, fresh

    def revoke(self, organization_id: str | None, id: str, now_us: int) -> Key:
        """End a key for good; one that was revoked before stays as it is.

        Raises:
            UsageError: there is none.
        """
        with self._database.writing() as connection:
            key = _found(connection, organization_id, id)
            if key.revoked_us is None:
                change = {"revoked_us": now_us, "revision": raised(connection)}
                connection.execute(KEYS.update().where(KEYS.c.id == id).values(**change))
                key = attrs.evolve(key, revoked_us=now_us)
        return key

    # --- looking

    def one(self, organization_id: str | None, id: str) -> Key:
        """A key by its id; of this organization, where one is given.

        Raises:
            UsageError: there is none.
        """
        with self._database.reading() as connection:
            return _found(connection, organization_id, id)

    def find(self, id: str) -> Key | None:
        """A key by its id, or None."""
        with self._database.reading() as connection:
            row = connection.execute(sql.select(KEYS).where(KEYS.c.id == id)).first()
        return None if row is None else _key(row)

    def all(
        self, organization_id: str | None = None, *, after: str = "", limit: int = 1_000_000
    ) -> Sequence[Key]:
        """Keys, those of one organization when it is given, by id; those behind ``after``."""
        wanted = sql.select(KEYS).where(KEYS.c.id > after).order_by(KEYS.c.id).limit(limit)
        if organization_id is not None:
            wanted = wanted.where(KEYS.c.organization_id == organization_id)
        with self._database.reading() as connection:
            return [_key(row) for row in connection.execute(wanted)]

    def due(self, now_us: int) -> Sequence[Key]:
        """Keys that should have been rotated by now."""
        wanted = sql.select(KEYS).where(
            KEYS.c.rotate_us <= now_us, KEYS.c.revoked_us.is_(None), KEYS.c.replaced_by.is_(None)
        )
        with self._database.reading() as connection:
            keys = [_key(row) for row in connection.execute(wanted.order_by(KEYS.c.rotate_us))]
        return [key for key in keys if key.is_due(now_us)]

    def changes(self, since: int | None) -> Changes:
        """The revision as it is, and the keys that changed after ``since``; None: only the revision."""
        with self._database.reading() as connection:
            revision = connection.execute(sql.select(REVISION.c.value)).scalar_one()
            if since is None or revision == since:
                return Changes(revision, ())
            rows = connection.execute(sql.select(KEYS).where(KEYS.c.revision > since)).all()
        return Changes(revision, [_key(row) for row in rows])


def raised(connection: Connection) -> int:
    """The next revision. Its row is locked until the transaction ends, so revisions come in order."""
    connection.execute(REVISION.update().values(value=REVISION.c.value + 1))
    found: int = connection.execute(sql.select(REVISION.c.value)).scalar_one()
    return found


def _found(connection: Connection, organization_id: str | None, id: str) -> Key:
    wanted = sql.select(KEYS).where(KEYS.c.id == id)
    if organization_id is not None:
        wanted = wanted.where(KEYS.c.organization_id == organization_id)
    row = connection.execute(wanted).first()
    if row is None:
        raise UnknownKey(f"no key {token.prefix(id)!r}", fix="yaat gateway keys list shows which there are")
    return _key(row)


class UnknownKey(UsageError):
    """No key has this id, or it belongs to another organization."""

    code = "YAAT-E801"


def _values(key: Key) -> dict[str, Any]:
    wanted = key.wanted
    return {
        "id": key.id,
        "organization_id": key.organization_id,
        "name": wanted.name,
        "hash": key.hash,
        "rights": sorted(wanted.rights),
        "services": sorted(wanted.services),
        "environments": sorted(wanted.environments),
        "created_us": key.created_us,
        "expires_us": wanted.expires_us,
        "rotate_us": wanted.rotate_us,
        **{name: getattr(wanted.rates, name) for name in _RATES},
    }


def _key(row: Any) -> Key:
    wanted = Wanted(
        name=row.name,
        rights=rights_of(row.rights),
        services=frozenset(row.services),
        environments=frozenset(row.environments),
        expires_us=row.expires_us,
        rotate_us=row.rotate_us,
        rates=Rates(**{name: getattr(row, name) for name in _RATES}),
    )
    return Key(
        id=row.id,
        organization_id=row.organization_id,
        hash=bytes(row.hash),
        wanted=wanted,
        created_us=row.created_us,
        revoked_us=row.revoked_us,
        last_used_us=row.last_used_us,
        replaced_by=row.replaced_by,
    )
