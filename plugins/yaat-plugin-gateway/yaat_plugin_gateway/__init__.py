"""The other end: the backend's API, on the same core as an agent.

plugin.py    the hooks: a source of type `gateway`
config.py    its options
source.py    one run of it: opens the state, listens, serves
web/         HTTP: the application made from the parts' routes, refusals as JSON, the OpenAPI document
ingest/      POST /v1/ingest: bounded body, strict decoding to columns, claims of Batch-Id, raw payloads
access/      who calls (keys), and how much they may send (rates, quotas)
state/       the SQL database of organizations, keys, usage (SQLAlchemy: SQLite or PostgreSQL), migrations
asking/      GET /v1/query, /v1/organizations, /v1/services: reading, limited by the key's scope
cli/         `yaat gateway ...`
"""
