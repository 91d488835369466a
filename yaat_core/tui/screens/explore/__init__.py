"""Explore: SQL over what is stored."""
