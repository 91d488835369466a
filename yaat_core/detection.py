"""What runs on a machine and where its logs are: the types of the hooks `detectors` and `default_sources`.

A detector gets a `Machine`, looks, and answers with `Detection`s. It opens and runs nothing by itself: what `Machine` reads
for it is bounded. Paths are the machine's own, also where its file system is mounted below another folder.

Command lines, configuration files and names of files belong to others: they are data, never a pattern (see `Log.pattern`),
and never a reason to read what its owner could not have read (see `Log.uid`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from yaat_core.hooks import Failure, ask_each

if TYPE_CHECKING:
    from yaat_core.components import Finding
    from yaat_core.plugins import Plugins


@attrs.frozen(kw_only=True)
class Process:
    """A process. ``command`` is its command line as it is now; a program may have rewritten it to one text."""

    pid: int
    uid: int
    name: str
    command: Sequence[str]
    folder: str = ""
    """Its working directory; empty when this user may not know it."""


@attrs.frozen(kw_only=True)
class Listener:
    """A TCP socket that listens. ``pid`` is None when this user may not know whose it is."""

    address: str
    port: int
    uid: int
    pid: int | None = None


class Machine(Protocol):
    """What a detector may look at. Everything is read once, when asked for, up to a limit."""

    @property
    def processes(self) -> Sequence[Process]:
        """Processes that run outside of containers, oldest first."""
        ...

    @property
    def listeners(self) -> Sequence[Listener]:
        """TCP sockets that listen."""
        ...

    def open_logs(self, pid: int) -> Sequence[str]:
        """Regular files that a process holds open for writing and that look like logs; empty when this user may not know."""
        ...

    def read(self, path: str, *, uid: int = 0) -> str | None:
        """A configuration file's text; None when there is none, it can't be read (`Machine.refused` says so), is no
        regular file, or is too large. ``uid`` is who named it (0: root, who may name any): it must be root's or that user's."""
        ...

    def owner(self, path: str) -> int | None:
        """The user whom a file belongs to, links followed; None when there is none or it can't be known."""
        ...

    def glob(self, pattern: str) -> Sequence[str]:
        """What a pattern finds, sorted."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is something."""
        ...

    def local(self, path: str) -> str:
        """Where this process finds a path of the machine."""
        ...

    def refused(self) -> Sequence[str]:
        """Files that `read` could not read for want of permission."""
        ...


@attrs.frozen(kw_only=True)
class Log:
    """A log file of a service."""

    path: str
    """Absolute; taken literally unless ``pattern``."""
    format: str | Mapping[str, Any] = "auto"
    """As a source's `format`."""
    multiline: str = ""
    name: str = ""
    """Told apart from the service's other logs by this: the source is called SERVICE-NAME."""
    pattern: bool = False
    """True: ``path`` is a glob. Text from elsewhere in it is escaped by `glob.escape`."""
    uid: int = 0
    """Who says that this is a log: the user of the process or of the configuration file. Unless that is root, only
    what belongs to that user is read by default: root's agent is no way to other people's files."""


@attrs.frozen(kw_only=True)
class Detection:
    """Something that runs or is installed here."""

    service: str
    """Name of the source and of the service: lower-case letters, digits, `-`."""
    what: str
    """What it is, for people: ``nginx, 3 processes``."""
    evidence: Sequence[str] = ()
    """How it was found, one sentence each."""
    logs: Sequence[Log] = ()
    sources: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)
    """Sources other than files: name to configuration, as it would be written."""
    by_default: bool = True
    """False: `yaat detect` proposes its logs, but they are not read unless they are configured."""
    notes: Sequence[Finding] = ()
    """What can't be had, or should be known, with advice."""


@attrs.frozen(kw_only=True)
class Detector:
    """Looks for one kind of service. ``detect`` may raise: then the others go on."""

    name: str
    detect: Callable[[Machine], Iterable[Detection]]


@attrs.frozen(kw_only=True)
class Proposed:
    """A source that was found, for a person who chooses: also one that is not read unless it is chosen."""

    name: str
    options: Mapping[str, Any]
    """As it would be written."""
    what: str = ""
    """What it is, for people: ``nginx, 3 processes``."""
    evidence: Sequence[str] = ()
    """How it was found, one sentence each."""
    by_default: bool = True
    problems: Sequence[Finding] = ()
    """Why (some of) it can't be read, with advice."""


class DefaultSources(dict[str, Mapping[str, Any]]):
    """An answer to the hook `default_sources` that also tells what could not be looked at, with advice, and all that was
    found (`yaat setup` lets a person choose of it)."""

    def __init__(
        self,
        sources: Mapping[str, Mapping[str, Any]],
        notes: Sequence[Finding] = (),
        proposed: Sequence[Proposed] = (),
    ) -> None:
        super().__init__(sources)
        self.notes = tuple(notes)
        self.proposed = tuple(proposed)


def detectors_of(plugins: Plugins) -> tuple[list[Detector], list[Failure]]:
    """Every plugin's detectors, and the plugins that failed to give theirs."""
    found, failed = ask_each(plugins, "detectors")
    return [detector for one in found for detector in one.value], failed


def default_sources_of(plugins: Plugins) -> tuple[list[Mapping[str, Mapping[str, Any]]], list[Failure]]:
    """Every plugin's default sources, and the plugins that failed. Nobody is asked for detectors when nobody wants them."""
    if not plugins.manager.hook.default_sources.get_hookimpls():
        return [], []
    detectors, failed = detectors_of(plugins)
    found, more = ask_each(plugins, "default_sources", registry=plugins.registry, detectors=detectors)
    return [one.value for one in found], failed + more
