"""`yaat gateway replay`: kept bodies once more through the gateway."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from yaat_core.cli.door import Door, command
from yaat_core.errors import UsageError, YaatError

if TYPE_CHECKING:
    import httpx

    from yaat_plugin_gateway.ingest.payloads import Payload

_KEY: Final = "YAAT_GATEWAY_KEY"
#: Identities that one query asks for.
_ASKED: Final = 500


class ReplayFailed(YaatError):
    """The gateway did not take a payload."""

    exit_code = 5


@command(
    "replay",
    example="yaat gateway replay --since 30m --dry-run\nYAAT_GATEWAY_KEY=... yaat gateway replay --since 30m",
)
@click.option(
    "--since", metavar="TIME", default="24h", show_default=True, help="Requests that came in this time."
)
@click.option("--url", help="The gateway; by default where the configuration's listens.")
@click.option("--all", "everything", is_flag=True, help="Also events that are in the database.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sent.")
@click.pass_obj
def replay(door: Door, *, since: str, url: str | None, everything: bool, dry_run: bool) -> int:
    """Send kept bodies again, through the processors as they are now.

    For when the pipeline was set up wrongly and dropped what it should have kept. Needs `raw_payloads.keep` in the
    configuration, and in YAAT_GATEWAY_KEY a key with the rights ingest, read and admin; those of other organizations are
    passed over. Events that are in the database are left out, unless --all is given; those without an `event_id` can't be
    told apart, and come again.
    """
    from yaat_core.cli.setup import load
    from yaat_plugin_gateway.ingest.payloads import stored

    configuration = load(door).configuration
    payloads = stored(configuration.state_dir, time.time_ns() // 1_000 - _microseconds(since))
    if dry_run:
        found = [(one.organization, len(one.body)) for one in payloads]
        told = {"payloads": len(found), "bytes": sum(size for _, size in found)}
        door.result(told, lambda: door.line(f"{told['payloads']} requests, {told['bytes']} bytes"))
        return 0
    sender = _Sender(url or _address(configuration), _key(), everything=everything)
    sender.send(payloads)
    document = {"payloads": sender.payloads, "events": sender.events, "left_out": sender.left_out}
    door.result(
        document,
        lambda: door.line(
            f"{sender.events} events of {sender.payloads} requests were taken, {sender.left_out} were in already"
        ),
    )
    return 0


class _Sender:
    """Sends payloads of the key's organization."""

    def __init__(self, url: str, key: str, *, everything: bool) -> None:
        import httpx

        self._client = httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60)
        self._everything = everything
        self._run = uuid.uuid4().hex[:12]
        self.payloads = self.events = self.left_out = 0

    def send(self, payloads: Iterator[Payload]) -> None:
        """All of them, in order.

        Raises:
            ReplayFailed: one was refused; those before it were taken.
        """
        with self._client:
            listed = self._answer(self._client.get("/v1/organizations")).json()["organizations"]
            mine = {one["id"] for one in listed}
            for one in payloads:
                if one.organization in mine:
                    self._send(one)

    def _send(self, payload: Payload) -> None:
        events: list[dict[str, Any]] = json.loads(payload.body)[
            "events"
        ]  # what was taken leniently is read so, too
        wanted = events if self._everything else self._missing(events)
        self.left_out += len(events) - len(wanted)
        if not wanted:
            return
        headers = {
            "content-type": "application/json",
            "prefer": "handling=lenient",
            "x-yaat-replay": "1",
            "batch-id": f"replay-{self._run}-{payload.path.stem}",
        }
        body = payload.body if len(wanted) == len(events) else json.dumps({"events": wanted}).encode()
        answer = self._answer(self._client.post("/v1/ingest", content=body, headers=headers))
        self.payloads += 1
        self.events += answer.json()["accepted"]

    def _missing(self, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        named = [str(uuid.UUID(one["event_id"])) for one in events if _has_id(one)]
        there: set[str] = set()
        for start in range(0, len(named), _ASKED):
            some = ", ".join(f"'{one}'" for one in named[start : start + _ASKED])
            sql = f"SELECT event_id::VARCHAR AS id FROM events WHERE event_id IN ({some})"
            rows = self._answer(self._client.post("/v1/query", json={"sql": sql})).json()["rows"]
            there |= {row["id"] for row in rows}
        return [one for one in events if not _has_id(one) or str(uuid.UUID(one["event_id"])) not in there]

    def _answer(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        problem = answer.json()["error"] if "json" in answer.headers.get("content-type", "") else {}
        raise ReplayFailed(
            f"the gateway answered {answer.status_code}: {problem.get('problem', answer.reason_phrase)}",
            where=str(answer.url),
            effect=f"{self.events} events were taken before",
            fix=problem.get("fix", ""),
        )


def _has_id(event: Any) -> bool:
    try:
        return bool(uuid.UUID(event["event_id"]).int)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _microseconds(since: str) -> int:
    from yaat_core import Duration

    try:
        return round(Duration.parse(since) * 1e6)
    except ValueError as error:
        raise UsageError(f"--since {error}") from None


def _key() -> str:
    key = os.environ.get(_KEY, "")
    if not key:
        raise UsageError(
            f"{_KEY} holds no key",
            fix="make one: yaat gateway keys create replay --right ingest --right read --right admin",
        )
    return key


def _address(configuration: Any) -> str:
    for entry in configuration.sources.values():
        if entry.type.name == "gateway":
            scheme = "https" if entry.options.tls_certificate else "http"
            return f"{scheme}://{str(entry.options.listen).partition('://')[2]}"
    return "http://127.0.0.1:8320"
