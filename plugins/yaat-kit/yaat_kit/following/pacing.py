"""How often, how patiently and for how much of the time files are looked at."""

from __future__ import annotations

from typing import Final

import attrs

#: Files of one turn at most.
TURN_FILES: Final = 64
#: A file that changed within this time is looked at every ``poll``, others every `QUIET_POLL`, or, where the
#: system tells of changes, `WATCHED_POLL`.
ACTIVE_SECONDS: Final = 10.0
QUIET_POLL: Final = 1.0
WATCHED_POLL: Final = 10.0
#: Looking at all files, looking while the system tells of changes, and looking at those that changed take at most
#: this share of the time.
LOOK_SHARE: Final = 0.008
WATCHED_SHARE: Final = 0.002
ACTIVE_SHARE: Final = 0.1
#: A file without a name, or out of every pattern's reach, is let go after so much quiet.
DELETED_SECONDS: Final = 10.0
MOVED_SECONDS: Final = 300.0
LONGEST_PAUSE: Final = 60.0
#: While much is read, the gauges are brought up to date so often.
REPORT_SECONDS: Final = 0.5


@attrs.frozen(kw_only=True)
class Pace:
    """How often and how patiently, seconds; ``max_open_files`` is a bound."""

    poll: float = 0.1
    partial_timeout: float = 5.0
    join_timeout: float = 0.5
    max_open_files: int = 512
