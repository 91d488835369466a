"""Settings of every test: hypothesis has no deadline, since two busy cores make any example slow now and then."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("yaat", deadline=None)
settings.load_profile("yaat")
