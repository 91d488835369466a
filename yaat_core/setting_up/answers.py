"""What a person wants of their first configuration: the document of `yaat setup --answers FILE`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from yaat_core.errors import UsageError

Run = Literal["here", "service", "later"]


class Backend(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where events are sent."""

    endpoint: Annotated[
        str, Meta(min_length=1, description="The gateway's URL: `https://ingest.example.com`.")
    ]
    api_key: Annotated[
        str,
        Meta(
            min_length=1,
            description="A reference (`${env:NAME}`, `${file:PATH}`, `${secret:NAME}`), or the key itself: it is written into "
            "a file of its own beside the configuration, never into it.",
        ),
    ]
    check: Annotated[
        bool, Meta(description="Ask the gateway whether it takes the key, before anything is written.")
    ] = True


class Answers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything has a default: no answers at all give what an agent without a configuration does."""

    sources: Annotated[
        Literal["detected"] | list[str],
        Meta(description="Names of what was found, or `detected`: what is read by default."),
    ] = "detected"
    more_sources: Annotated[
        dict[str, dict[str, Any]], Meta(description="Other sources: by name, as they are written.")
    ] = {}
    redact: Annotated[
        list[str] | None,
        Meta(
            description="Sets or detectors of the redaction: `secrets`, `pii`. An empty list: none. Absent: `secrets` in a new "
            "configuration; one that is there keeps what it has."
        ),
    ] = None
    service_name: Annotated[str, Meta(description="Name of events whose source has none.")] = ""
    environment: Annotated[str, Meta(description="Such as `production`.")] = ""
    keep_local: Annotated[bool, Meta(description="Keep events in a database here.")] = True
    backend: Backend | None = None
    run: Annotated[
        Run,
        Meta(description="`here`: an agent of this user, now; `service`: of systemd; `later`: only write."),
    ] = "later"
    state_dir: Annotated[str, Meta(description="Where queue and database are; empty: the usual place.")] = ""


def read(path: Path) -> Answers:
    """The answers in a file (YAML or JSON); `-`: on stdin.

    Raises:
        UsageError: it can't be read, or does not hold answers.
    """
    import sys

    from yaat_core.config.nodes import Table, plain_value
    from yaat_core.config.parsing import parse

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(
            f"can't read the answers: {why}", where=str(path), fix="name a YAML file, or - for stdin"
        ) from None
    document = parse(text, str(path))
    if document.root is None and text.strip():
        raise UsageError("the answers are not YAML", where=str(path), fix=_FIX)
    if document.root is not None and not isinstance(document.root, Table):
        raise UsageError("the answers must be a mapping", where=str(path), fix=_FIX)
    return of(plain_value(document.root) if document.root is not None else {}, str(path))


def of(document: Mapping[str, Any], where: str = "the answers") -> Answers:
    """The answers in a document.

    Raises:
        UsageError: a key is unknown, or a value is of the wrong type.
    """
    try:
        return msgspec.convert(dict(document), Answers)
    except msgspec.ValidationError as error:
        raise UsageError(f"the answers are wrong: {error}", where=where, fix=_FIX) from None


_FIX = "docs/setup.md has every key; an empty file takes the defaults"
