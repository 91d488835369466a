"""The control API: HTTP over Unix sockets in the state directory, its client, and the health endpoints."""
