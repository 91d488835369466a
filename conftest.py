"""Settings of every test: hypothesis has no deadline, since two busy cores make any example slow now and then.

`make test` tries the same examples each time, so that a red run is the change's doing; `make explore` looks for new ones.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "yaat", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", deadline=None, derandomize=False, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("YAAT_EXAMPLES", "yaat"))
