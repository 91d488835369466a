"""Source: the systemd journal, by its cursor."""
