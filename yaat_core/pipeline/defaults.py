"""What the agent knows of every event of a batch: names, tags, identity. Runs after the parser, before `processors:`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import ids, tags
from yaat_core.event import EventBatch

RESERVED = "yaat."
_EMPTY = pa.scalar("", pa.string())
#: On what was relayed: the name of the host that did.
GATEWAY = "yaat.gateway"


@attrs.frozen(kw_only=True)
class Defaults:
    """The defaults of one source. The event's own value wins, then the label's, then these."""

    service_name: str
    environment: str
    organization_id: str
    host_name: str
    """The tag `host.name` of events that came about on this host; the event's own wins, and so do ``tags``."""
    tags: Mapping[str, str]
    """Source's and file's tags; the event's own win."""
    reserved: Mapping[str, str]
    """`yaat.*` tags: data never overrides them."""

    def fill(self, batch: EventBatch) -> EventBatch:
        """The batch with its empty fields filled."""
        labels = batch.labels
        return batch.with_columns(
            {
                "service_name": _fill(batch.column("service_name"), labels.service_name or self.service_name),
                "environment": _fill(batch.column("environment"), labels.environment or self.environment),
                "organization_id": _fill(batch.column("organization_id"), self.organization_id),
                "event_id": ids.fill_missing(batch.column("event_id")),
                "tags": self._tagged(batch),
            }
        )

    def _tagged(self, batch: EventBatch) -> Any:
        own, labels = batch.column("tags"), batch.labels
        if labels.relayed:
            constants = {**self.tags, **labels.tags, GATEWAY: self.host_name}
            return tags.add_constant(tags.without(own, [GATEWAY]), constants)
        constants = {"host.name": self.host_name, **self.tags, **labels.tags, **self.reserved}
        return tags.add_constant(_without_reserved(own), constants)


def _fill(column: Any, default: str) -> Any:
    """Empty or blank values replaced; the others trimmed."""
    # With its type: to guess one, Arrow looks for pandas and dateutil in every folder of `sys.path`, each time.
    value = pa.scalar(default, pa.string())
    if not pc.max(pc.binary_length(column)).as_py():
        return pa.repeat(value, len(column))
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, _EMPTY), value, trimmed)


def _without_reserved(column: Any) -> Any:
    keys, _, _ = tags.parts(column)
    claimed = pc.starts_with(keys, RESERVED)
    if not pc.any(claimed).as_py():
        return column
    return tags.without(column, pc.unique(keys.filter(claimed)).to_pylist())
