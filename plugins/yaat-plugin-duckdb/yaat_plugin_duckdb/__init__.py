"""The sink `duckdb`, and SQL over what it stores."""
