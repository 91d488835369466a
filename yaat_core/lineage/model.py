"""What `yaat why` tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

Fate = Literal["delivered", "queued", "dead", "settled", "not_attached", "unknown"]


@attrs.frozen(kw_only=True)
class Origin:
    """Where it came from.

    ``source``: the component that read it (empty: no source of this agent says so), ``configured``: it still is.
    ``first_seen``: of an identity made from a position, when the stream (a file since its creation or truncation, a log of a
    container) was first seen, and ``position`` its place in it: a byte offset or a number, as the source counts. Of one that
    was made from the time: that time, and no position. ``told``: tags that say more.
    """

    source: str
    configured: bool
    first_seen: str | None
    position: int | None
    received_at: str
    told: Mapping[str, str]


@attrs.frozen(kw_only=True)
class Place:
    """Its place in the queue. ``state``: `waiting` for a sink, `kept` though every sink has it, `deleted` (every sink has it), or
    `not_found` (as `searched` says)."""

    state: Literal["waiting", "kept", "deleted", "not_found"]
    sequence: int | None = None
    first: int | None = None
    last: int | None = None
    accepted_at: str | None = None
    searched: str = ""


@attrs.frozen(kw_only=True)
class Answer:
    """What became of it at a sink. `settled`: the queue owes the sink nothing of it any more; ``detail`` says what that can
    mean."""

    sink: str
    fate: Fate
    detail: str = ""
    letter: str | None = None
    """Id of the dead letter that it is in."""


@attrs.frozen(kw_only=True)
class FieldChange:
    """A field, or a tag as ``tags.NAME``, before and after a step; null: it was not or is not there."""

    field: str
    before: Any
    after: Any


@attrs.frozen(kw_only=True)
class StepTold:
    """What one step does to it now. ``why`` of `dropped` is ``reason`` or ``reason/rule``, of `failed` the error's class."""

    step: str
    type: str
    what: Literal["unchanged", "changed", "dropped", "failed"]
    changes: Sequence[FieldChange] = ()
    why: str = ""


@attrs.frozen(kw_only=True)
class Lineage:
    """All of it. ``found_in``: `queue`, `sinks.NAME` (its database), `dead letters of sinks.NAME`. ``limits``: how far the steps,
    which are run again on the event as it is stored, tell what happened."""

    event_id: str
    event: Mapping[str, Any]
    found_in: Sequence[str]
    origin: Origin
    queue: Place
    sinks: Sequence[Answer]
    steps: Sequence[StepTold]
    limits: Sequence[str]
