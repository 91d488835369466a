"""A JSON text read so that nothing is lost on the way: doubled names, numbers as they were written, what is no JSON."""

from __future__ import annotations

import json
from typing import Any, Final

import attrs

from yaat_plugin_gateway.web.refusal import Refused


@attrs.frozen
class Number:
    """A number, as it was written."""

    text: str


@attrs.frozen
class NoNumber:
    """``NaN``, ``Infinity`` or ``-Infinity``, which JSON does not have."""

    text: str


class Doubled(dict[str, Any]):
    """An object in which ``name`` stands more than once."""

    name: str


def read(body: bytes) -> Any:
    """Objects are dicts (`Doubled` where a name is doubled), numbers `Number`.

    Raises:
        Refused: 400, it is no JSON at all.
    """
    try:
        return _decoder.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise malformed(f"the body is not UTF-8, from byte {error.start} on") from None
    except json.JSONDecodeError as error:
        raise malformed(
            f"the body is no JSON: {error.msg.lower()}, line {error.lineno} column {error.colno}"
        ) from None
    except RecursionError:
        raise malformed("the body is nested too deeply") from None


def malformed(problem: str) -> Refused:
    """A body of which nothing can be said event by event."""
    return Refused(400, "malformed", problem, fix='send {"events": [...]} as docs/schema.md describes it')


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    doubled = Doubled(made)
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            doubled.name = name
            break
        seen.add(name)
    return doubled


_decoder: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=NoNumber
)
