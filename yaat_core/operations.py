"""What the running agent can be asked: the narrow interface between the agent and its control API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from yaat_core.components import Damage, QueryAnswer, QueryRequest, Record, RecordInfo
from yaat_core.deadletters import DeadEvent, Letter
from yaat_core.diagnosis import Diagnosis
from yaat_core.flare.model import Flare
from yaat_core.happenings import Happening
from yaat_core.reloading.results import Reloaded
from yaat_core.replaying import Replayed
from yaat_core.stats import Stats
from yaat_core.status import Status

if TYPE_CHECKING:
    from yaat_core.editor import Editor
    from yaat_core.live import Live


class Inspects(Protocol):
    """Looks whether all is well: `yaat_core.inspection.Inspector`, or without an agent `yaat_core.cli.outside.Outside`."""

    async def diagnosis(self, *, reach: bool) -> Diagnosis:
        """Look at everything that may be wrong, with the rights that this process has; ``reach``: beyond this machine, too."""
        ...

    async def flare(self) -> Flare:
        """The support bundle's files, redacted."""
        ...


class Operations(Protocol):
    """Implemented by `yaat_core.agent.Agent`; tests give a small class of their own."""

    stats: Stats

    @property
    def inspector(self) -> Inspects:
        """Who has checks done, and makes the support bundle."""
        ...

    @property
    def live(self) -> Live:
        """What can be watched."""
        ...

    @property
    def editor(self) -> Editor:
        """Edits of the configuration."""
        ...

    async def status(self) -> Status:
        """Everything at one moment."""
        ...

    async def query(self, request: QueryRequest, sink: str | None = None) -> QueryAnswer:
        """Ask a sink's database (None: the only one that can answer). Iterate the answer in a worker thread."""
        ...

    async def queue_infos(self, after: int, limit: int) -> Sequence[RecordInfo]:
        """Headers of waiting records."""
        ...

    async def queue_record(self, sequence: int) -> Record | None:
        """The record that holds ``sequence``."""
        ...

    async def queue_verify(self) -> Sequence[Damage]:
        """Read and check the whole queue."""
        ...

    async def queue_purge(self, sink: str) -> int:
        """Drop what waits for one sink (``sinks.NAME``); returns how many events, counted as `dropped`.

        Dead letters that wait to be delivered again are dead letters as before.
        """
        ...

    async def queue_repair(self) -> tuple[Sequence[Damage], Mapping[str, int]]:
        """Set aside what is damaged: what was found, and by sink how many waiting events are `lost` through it."""
        ...

    async def queue_export(self, first: int, last: int | None) -> QueryAnswer:
        """Events from ``first`` to ``last`` (None: the newest) as `yaat_core.exporting.Exported`."""
        ...

    async def dead_letters(self, sink: str | None, limit: int) -> tuple[Sequence[Letter], Mapping[str, int]]:
        """The oldest dead letters (of ``sinks.NAME``), and by sink the events of all there are."""
        ...

    async def dead_letter(self, id: str, limit: int) -> tuple[Letter, Sequence[DeadEvent]]:
        """One letter and its first events."""
        ...

    async def dead_purge(self, sink: str, id: str | None) -> tuple[int, int]:
        """Forget one letter or all of a sink; how many letters are gone, how many events count as `dropped` now."""
        ...

    async def dead_replay(self, sink: str | None, id: str | None, after: str | None, limit: int) -> Replayed:
        """Deliver dead letters again: one, those of a sink, or all; as many as one step takes, ``limit`` at most.

        ``after`` is the ``next`` of the answer before. What is taken up counts as `queued`, not as `dead`, from then on.
        """
        ...

    async def accept_loss(self) -> None:
        """Stop waiting for transactional sinks that do not answer, and start the sources."""
        ...

    async def reload(self, by: str) -> Reloaded:
        """Read the configuration again, and change what is different. ``by``: who asks, for the log.

        Raises:
            ConfigError: it is not valid; nothing has changed.
            NoReload: the agent starts or stops.
        """
        ...

    def happenings(self, after: int | None, limit: int) -> Sequence[Happening]:
        """What happened to the agent: the first ones after a number, or (None) the last ones; oldest first."""
        ...

    def stop(self) -> None:
        """Begin to drain and stop; a second call stops at once."""
        ...

    def configuration(self) -> dict[str, Any]:
        """The effective configuration, secrets masked, as JSON-ready values."""
        ...
