"""`yaat query` as a conversation."""
