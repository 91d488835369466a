"""One thing that can be done with an agent, as a type: see `yaat_core.actions` for all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, Literal, TypeVar

import attrs
from msgspec import Meta

from yaat_core.operations import Operations

Danger = Literal["read", "private", "change", "destroy"]
A = TypeVar("A")
R = TypeVar("R")

SinkName = Annotated[
    str, Meta(min_length=1, description="Name of a configured sink, `local` or `sinks.local`.")
]


@attrs.frozen(kw_only=True)
class Action(Generic[A, R]):
    """One thing that can be done.

    ``danger``: `read` changes nothing and is served on both sockets; the others on the control socket alone: `private`
    changes nothing and shows what is the owner's alone (the text of the configuration), `destroy` is what can't be
    had back. ``stream``: the handler returns a `QueryAnswer`, and ``result`` is the shape of a row. ``live``: it returns
    an async iterator of results that goes on until the asker leaves; each is a server-sent event of the name ``event``.
    Such an iterator waits while the asker does not read, and must not gather without bound meanwhile. ``command`` is how
    the command line does it (`queue list`); empty: it does not, and a test has the reason.
    """

    name: str
    summary: str
    danger: Danger
    arguments: type[A]
    result: type[R]
    handler: Callable[[Operations, A], Awaitable[Any]]
    stream: bool = False
    live: bool = False
    command: str = ""
    event: str = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))

    @property
    def looks(self) -> bool:
        """It changes nothing."""
        return self.danger in ("read", "private")

    @property
    def path(self) -> str:
        """Where the API serves it: `queue.list` at ``/v1/queue/list``."""
        return "/v1/" + self.name.replace(".", "/")


@attrs.frozen(kw_only=True)
class Nothing:
    """No arguments."""


@attrs.frozen(kw_only=True)
class Accepted:
    """The request was taken."""

    done: bool = True


def schema(model: type) -> dict[str, Any]:
    """The JSON Schema of an arguments or result class; nested models are in ``$defs``."""
    import msgspec

    return msgspec.json.schema(model)
