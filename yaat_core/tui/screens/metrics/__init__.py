"""Metrics: their values over time."""
