"""The support bundle as values: what goes in, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs


@attrs.frozen(kw_only=True)
class FlareFile:
    """A file of the bundle: ``bytes`` long, with ``why`` it is there and how often something was ``redacted``, by kind.

    ``text`` is what it holds; empty when only the plan was asked for.
    """

    name: str
    why: str
    bytes: int
    redacted: Mapping[str, int] = attrs.field(factory=dict)
    text: str = ""


@attrs.frozen(kw_only=True)
class LeftOut:
    """What is not in the bundle, and why."""

    name: str
    why: str


@attrs.frozen(kw_only=True)
class Flare:
    """A support bundle. ``scanned``: texts went through the detectors of the redaction plugin."""

    files: Sequence[FlareFile]
    left_out: Sequence[LeftOut] = ()
    scanned: bool = True
