"""How much a key may send in a second, an organization in a day and a month, and what they sent."""

import sqlalchemy as sql
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keys get rates of their own; two tables more."""
    for name in ("events_per_second", "bytes_per_second", "requests_per_second"):
        op.add_column("api_keys", sql.Column(name, sql.BigInteger))
    op.create_table(
        "quotas",
        sql.Column("organization_id", sql.String(64), sql.ForeignKey("organizations.id"), primary_key=True),
        sql.Column("event_type", sql.String(16), primary_key=True),
        sql.Column("period", sql.String(16), primary_key=True),
        sql.Column("events", sql.BigInteger),
        sql.Column("bytes", sql.BigInteger),
    )
    op.create_table(
        "usage",
        sql.Column("organization_id", sql.String(64), sql.ForeignKey("organizations.id"), primary_key=True),
        sql.Column("day", sql.String(10), primary_key=True),
        sql.Column("key_id", sql.String(16), primary_key=True),
        sql.Column("event_type", sql.String(16), primary_key=True),
        sql.Column("events", sql.BigInteger, nullable=False),
        sql.Column("bytes", sql.BigInteger, nullable=False),
    )
