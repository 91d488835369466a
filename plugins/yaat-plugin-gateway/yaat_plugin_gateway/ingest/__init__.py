"""`POST /v1/ingest`."""
