"""Organizations, keys, quotas and usage in a SQL database."""
