"""How the tables became what they are: one file a step, run in order by Alembic."""
