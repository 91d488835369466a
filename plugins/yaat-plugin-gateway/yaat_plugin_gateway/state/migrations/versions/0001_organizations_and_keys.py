"""Organizations, their keys and their services."""

import sqlalchemy as sql
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "organizations",
        sql.Column("id", sql.String(64), primary_key=True),
        sql.Column("name", sql.String(200), nullable=False),
        sql.Column("created_us", sql.BigInteger, nullable=False),
    )
    op.create_table(
        "api_keys",
        sql.Column("id", sql.String(16), primary_key=True),
        sql.Column("organization_id", sql.String(64), sql.ForeignKey("organizations.id"), nullable=False),
        sql.Column("name", sql.String(200), nullable=False),
        sql.Column("hash", sql.LargeBinary(32), nullable=False),
        sql.Column("rights", sql.JSON, nullable=False),
        sql.Column("services", sql.JSON, nullable=False),
        sql.Column("environments", sql.JSON, nullable=False),
        sql.Column("created_us", sql.BigInteger, nullable=False),
        sql.Column("expires_us", sql.BigInteger),
        sql.Column("rotate_us", sql.BigInteger),
        sql.Column("revoked_us", sql.BigInteger),
        sql.Column("last_used_us", sql.BigInteger),
        sql.Column("replaced_by", sql.String(16)),
        sql.Column("revision", sql.BigInteger, nullable=False),
    )
    op.create_index("api_keys_by_organization", "api_keys", ["organization_id"])
    op.create_index("api_keys_by_revision", "api_keys", ["revision"])
    revision_table = op.create_table(
        "revision",
        sql.Column("id", sql.Integer, primary_key=True, autoincrement=False),
        sql.Column("value", sql.BigInteger, nullable=False),
    )
    op.execute(revision_table.insert().values(id=1, value=0))
    op.create_table(
        "services",
        sql.Column("organization_id", sql.String(64), sql.ForeignKey("organizations.id"), primary_key=True),
        sql.Column("service_name", sql.String(200), primary_key=True),
        sql.Column("environment", sql.String(200), primary_key=True),
        sql.Column("first_seen_us", sql.BigInteger, nullable=False),
        sql.Column("last_seen_us", sql.BigInteger, nullable=False),
    )
