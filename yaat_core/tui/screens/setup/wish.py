"""What was chosen so far."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from yaat_core.setting_up.answers import Answers, Backend, Run
from yaat_core.setting_up.finding import Found
from yaat_core.setting_up.gateway import Known

Where = Literal["local", "both", "backend"]
#: Named in the order of the choices.
REDACTIONS: Final = {
    "secrets": ["secrets"],
    "secrets and personal data": ["secrets", "pii"],
    "nothing": [],
}


@attrs.define(kw_only=True)
class Wish:
    """Changed by the steps; nothing of it is written before the last one."""

    new: bool = True
    """Is there no configuration yet?"""
    found: Found | None = None
    chosen: set[str] = attrs.field(factory=set)
    redaction: str = "secrets"
    keep_redaction: bool = False
    """What the configuration has stays."""
    where: Where = "local"
    endpoint: str = ""
    key: str = attrs.field(default="", repr=False)
    known: Known | None = None
    """What the gateway said to this key."""
    run: Run = "here"

    def by_default(self) -> set[str]:
        """The sources that are chosen before somebody chooses."""
        found = self.found.candidates if self.found else ()
        return {one.name for one in found if one.by_default and not one.configured}

    @property
    def detectors(self) -> list[str]:
        """Of the redaction."""
        return REDACTIONS[self.redaction]

    def answers(self) -> Answers:
        """As `yaat setup --answers` would be told."""
        backend = None if self.where == "local" else Backend(endpoint=self.endpoint, api_key=self.key)
        return Answers(
            sources=[
                one.name for one in (self.found.candidates if self.found else ()) if one.name in self.chosen
            ],
            redact=None if self.keep_redaction else self.detectors,
            keep_local=self.where != "backend",
            backend=backend,
            run=self.run,
        )
