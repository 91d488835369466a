"""The tables, as the newest migration leaves them. Times are microseconds UTC since 1970, days are `2026-12-01`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA: Final = MetaData()

ORGANIZATIONS: Final = Table(
    "organizations",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

KEYS: Final = Table(
    "api_keys",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("rights", JSON, nullable=False),
    Column("services", JSON, nullable=False),
    Column("environments", JSON, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("rotate_us", BigInteger),
    Column("revoked_us", BigInteger),
    Column("last_used_us", BigInteger),
    Column("replaced_by", String(16)),
    Column("events_per_second", BigInteger),
    Column("bytes_per_second", BigInteger),
    Column("requests_per_second", BigInteger),
    Column("revision", BigInteger, nullable=False),
    Index("api_keys_by_organization", "organization_id"),
    Index("api_keys_by_revision", "revision"),
)

#: One row: counts every change to keys and quotas, so that a gateway notices what another process changed.
REVISION: Final = Table(
    "revision",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger, nullable=False),
)

SERVICES: Final = Table(
    "services",
    METADATA,
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True),
    Column("service_name", String(200), primary_key=True),
    Column("environment", String(200), primary_key=True),
    Column("first_seen_us", BigInteger, nullable=False),
    Column("last_seen_us", BigInteger, nullable=False),
)

#: ``event_type`` is `log`, `span`, `metric` or `all`; ``period`` is `day` or `month`.
QUOTAS: Final = Table(
    "quotas",
    METADATA,
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True),
    Column("event_type", String(16), primary_key=True),
    Column("period", String(16), primary_key=True),
    Column("events", BigInteger),
    Column("bytes", BigInteger),
)

#: What a key brought in on a day.
USAGE: Final = Table(
    "usage",
    METADATA,
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("key_id", String(16), primary_key=True),
    Column("event_type", String(16), primary_key=True),
    Column("events", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
