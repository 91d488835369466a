"""What can go wrong, as types. Each class holds facts; the text is built last.

    YaatError
     ├── UsageError            wrong arguments                              exit 2
     ├── ConfigError           one or more problems in yaat.yaml            exit 2
     ├── PluginError           a plugin that can't be loaded or used        exit 2
     ├── CannotListen          an address or socket file that can't be had  exit 1
     ├── StateInUse            another agent holds the state directory      exit 1
     ├── StoreNewer            a store written by a later version           exit 1
     ├── StoreDamaged          a store that can't be opened as it is        exit 1
     ├── StoreForeign          a database that belongs to another queue     exit 1
     ├── StoreUnavailable      no space, I/O error: wait and recover        exit 1
     ├── QueryRefused          SQL that the sandbox does not run            exit 2
     ├── QueryFailed           SQL that is wrong, too long or too large     exit 1 (124 on a timeout)
     ├── AgentNotRunning       nobody listens on the control socket         exit 3
     └── NotAllowed            the socket's mode refuses this user          exit 4

Codes are stable: ``yaat explain CODE`` prints the entry of `yaat_core.codes`.
"""

from __future__ import annotations

from typing import ClassVar


class YaatError(Exception):
    """An error that a user can act on.

    Args:
        what: one sentence: what is wrong, with the value that is.
        where: file:line:column, component or path.
        cause: why, when it is not plain from ``what``.
        effect: what the agent does meanwhile (what waits, what goes on).
        fix: what to type or change.
    """

    code: ClassVar[str] = "YAAT-E001"
    exit_code: ClassVar[int] = 1

    def __init__(
        self, what: str, *, where: str = "", cause: str = "", effect: str = "", fix: str = ""
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.cause = cause
        self.effect = effect
        self.fix = fix

    def render(self) -> str:
        """The error as the user reads it: one headline, then one line a fact."""
        lines = [f"error[{self.code}]: {self.what}"]
        if self.where:
            lines.append(f"  --> {self.where}")
        for name in ("cause", "effect", "fix"):
            text = getattr(self, name)
            if text:
                lines.append(f"  {name}: {text}")
        return "\n".join(lines)

    def line(self) -> str:
        """All facts in one line, for a log."""
        facts = (
            f"{name}: {getattr(self, name)}" for name in ("where", "cause", "fix") if getattr(self, name)
        )
        return "; ".join((self.what, *facts))

    def to_json(self) -> dict[str, object]:
        """The same facts for machines; empty ones are left out."""
        facts: dict[str, object] = {"code": self.code, "what": self.what}
        for name in ("where", "cause", "effect", "fix"):
            if getattr(self, name):
                facts[name] = getattr(self, name)
        return facts

    def __str__(self) -> str:
        return self.what


class UsageError(YaatError):
    """Wrong arguments to a command."""

    code = "YAAT-E010"
    exit_code = 2


class PluginError(YaatError):
    """A plugin that can't be loaded, or a component type that nobody provides."""

    code = "YAAT-E401"
    exit_code = 2


class CannotListen(YaatError):
    """A source can't listen on its address or socket file."""

    code = "YAAT-E402"


class StateInUse(YaatError):
    """Another process holds the lock on the state directory."""

    code = "YAAT-E501"


class StoreNewer(YaatError):
    """A store written in a later format version; it was not touched."""

    code = "YAAT-E502"


class StoreDamaged(YaatError):
    """A store that can't be opened as it is, and can't be set aside either."""

    code = "YAAT-E503"


class StoreForeign(YaatError):
    """A database whose rows belong to another queue or another agent."""

    code = "YAAT-E504"


class StoreUnavailable(YaatError):
    """The store can't be written now (disk full, I/O error). Waiting and `recover` may help."""

    code = "YAAT-E505"


class QueryRefused(YaatError):
    """SQL that the read-only sandbox does not run."""

    code = "YAAT-E601"
    exit_code = 2


class QueryFailed(YaatError):
    """SQL that the database could not answer."""

    code = "YAAT-E602"


class QueryTimeout(QueryFailed):
    """SQL that ran into its time limit."""

    code = "YAAT-E603"
    exit_code = 124


class AgentNotRunning(YaatError):
    """Nobody listens on the control socket."""

    code = "YAAT-E701"
    exit_code = 3


class NotAllowed(YaatError):
    """The socket's mode or owner refuses this user."""

    code = "YAAT-E702"
    exit_code = 4
