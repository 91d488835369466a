"""Reading what was ingested, limited by the key."""
