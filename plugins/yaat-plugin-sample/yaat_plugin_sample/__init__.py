"""Processors that let fewer events through, and count what they hold back."""
