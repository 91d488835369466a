"""What an answer means. Only an answer of the API itself acknowledges or refuses events; everything else is tried again."""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgspec

from yaat_core.display import terminal_safe
from yaat_plugin_cloud.client import Answer
from yaat_plugin_cloud.waiting import retry_after

#: Characters of foreign text that are told.
_TOLD: Final = 200
_LATER: Final = frozenset({408, 409, 425, 429})
_ADVICE: Final = {
    401: "the key is wrong, expired or revoked: put the right one where `api_key` comes from, and restart",
    403: "the key may not send for this service or environment: widen its scope, or use another key",
    404: "nothing of the API is there: see `endpoint`",
    405: "nothing of the API is there: see `endpoint`",
    415: "the server does not take this compression: set `compression: none` or `gzip`",
}


@attrs.frozen
class Accepted:
    """The server has all of them but for ``dead`` (row of the request to reason)."""

    dead: dict[int, str] = attrs.field(factory=dict)


@attrs.frozen
class Named:
    """The server took nothing; these rows are at fault, each with its reason."""

    dead: dict[int, str]


@attrs.frozen
class Unnamed:
    """The server took nothing, and does not say which rows are at fault."""

    why: str


@attrs.frozen
class TooMuch:
    """The server takes no request of this size."""

    why: str


@attrs.frozen
class Later:
    """Not now. ``maybe``: it may have taken them all the same; ``limited``: it works, but wants less."""

    why: str
    after: float | None = None
    maybe: bool = True
    limited: bool = False


@attrs.frozen
class Stop:
    """Nothing will change until somebody does something."""

    why: str
    advice: str = ""


Verdict = Accepted | Named | Unnamed | TooMuch | Later | Stop


def judge(answer: Answer, rows: int) -> Verdict:
    """What the answer to a request of so many events says."""
    status = answer.status
    said = _said(answer)
    after = retry_after(answer.headers.get("retry-after"), answer.headers.get("date"))
    if status in (200, 202):
        return _acknowledged(answer, said, rows)
    if status in (400, 422):
        return _refused(answer, said, rows)
    if status == 413:
        return TooMuch(_told(answer, said))
    if status in _LATER or status >= 500:
        return Later(_told(answer, said), after, maybe=status != 429, limited=status == 429)
    if 300 <= status < 400:
        where = _shown(answer.headers.get("location", ""))
        return Stop(
            f"it answers {status} and sends elsewhere" + (f", to {where}" if where else ""),
            "redirects are not followed, since the key is for this origin alone: write where it is in `endpoint`",
        )
    if 400 <= status < 500:
        return Stop(_told(answer, said), _ADVICE.get(status, "see `endpoint`, and the server's log"))
    return Later(f"it answers {status}, which does not say that it has the events")


def reason_of(answer: Answer) -> str:
    """The answer in a few words, for people."""
    return _told(answer, _said(answer))


def _acknowledged(answer: Answer, said: dict[str, Any] | None, rows: int) -> Verdict:
    if said is None or type(said.get("accepted")) is not int:
        return Later(f"it answers {answer.status}, but not as the API does: that is no acknowledgement")
    dead = _named(said, rows)
    if said["accepted"] + len(dead) == rows or said.get("duplicate") is True:
        return Accepted(dead)
    return Later(f"it acknowledges {said['accepted']} of {rows} events, and does not say why")


def _refused(answer: Answer, said: dict[str, Any] | None, rows: int) -> Verdict:
    if said is None:
        return Unnamed(_told(answer, said))
    dead = _named(said, rows)
    if not dead:
        return Unnamed(_told(answer, said))
    took = said.get("accepted")
    if type(took) is int and took > 0 and took + len(dead) == rows:
        return Accepted(dead)
    return Named(dead)


def _named(said: dict[str, Any], rows: int) -> dict[int, str]:
    """The rows that the answer names, with reasons; what it says besides is ignored."""
    dead: dict[int, str] = {}
    entries = said.get("errors")
    for entry in entries if isinstance(entries, list) else ():
        row = entry.get("index") if isinstance(entry, dict) else None
        if type(row) is int and 0 <= row < rows and row not in dead:
            field, problem = entry.get("field"), entry.get("problem")
            words = [_shown(str(word)) for word in (field, problem) if word]
            dead[row] = "refused by the server: " + (": ".join(words) or "it gives no reason")
    return dead


def _said(answer: Answer) -> dict[str, Any] | None:
    """The JSON object that the answer is; None when it is none."""
    if not (answer.complete and answer.is_json):
        return None
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _told(answer: Answer, said: dict[str, Any] | None) -> str:
    words = f"it answers {answer.status}"
    error = (said or {}).get("error") or (said or {}).get("detail") or (said or {}).get("message")
    if isinstance(error, dict):
        error = error.get("problem") or error.get("message")
    return f"{words}: {_shown(error)}" if isinstance(error, str) and error else words


def _shown(text: str) -> str:
    return terminal_safe(text if len(text) <= _TOLD else text[: _TOLD - 1] + "\N{HORIZONTAL ELLIPSIS}")
