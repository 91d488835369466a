"""One request and its answer, both bounded in bytes and time. The key goes to one origin, and no redirect is followed."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

import attrs
import httpx
import trio

from yaat_core import __version__
from yaat_core.event import SCHEMA_VERSION
from yaat_plugin_cloud import endpoint
from yaat_plugin_cloud.config import CloudConfig
from yaat_plugin_cloud.failures import Unreached, meaning
from yaat_plugin_cloud.payload import Body

#: Bytes of an answer that are read (CVE-2026-39882: an answer without end).
ANSWER_LIMIT: Final = 2**20
#: Seconds that a connection may stand unused.
_IDLE: Final = 60.0


@attrs.frozen
class Answer:
    """What came back. ``complete``: the body is all there was, as it was meant."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""
    complete: bool = True

    @property
    def is_json(self) -> bool:
        """It says that it is JSON."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


class Client:
    """Requests to one endpoint over kept connections."""

    def __init__(self, config: CloudConfig, context: ssl.SSLContext | None) -> None:
        self._url = endpoint.parse(config.endpoint).url
        self._patience = float(config.connect_timeout + config.write_timeout + config.read_timeout)
        headers = {
            "Authorization": f"Bearer {config.api_key.reveal()}",
            "User-Agent": f"yaat/{__version__}",
            "X-YAAT-Schema-Version": str(SCHEMA_VERSION),
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Prefer": "handling=lenient",
        }
        self._http = httpx.AsyncClient(
            headers=headers,
            verify=context if context is not None else False,
            http2=config.http2,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(
                max_connections=config.in_flight,
                max_keepalive_connections=config.in_flight,
                keepalive_expiry=_IDLE,
            ),
            timeout=httpx.Timeout(
                connect=config.connect_timeout,
                write=config.write_timeout,
                read=config.read_timeout,
                pool=self._patience,
            ),
        )

    async def post(self, body: Body, batch_id: str | None) -> Answer:
        """Send a body, return the answer.

        Raises:
            Unreached: there is none; says why, and whether the request may have arrived.
        """
        headers = {"Batch-Id": batch_id} if batch_id else {}
        if body.coding != "none":
            headers["Content-Encoding"] = body.coding
        try:
            with trio.fail_after(self._patience):
                async with self._http.stream(
                    "POST", self._url, content=body.data, headers=headers
                ) as response:
                    return await _answer(response)
        except trio.TooSlowError:
            raise Unreached(
                f"no whole answer within {self._patience:.0f} s", "see what the server does", maybe=True
            ) from None
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise meaning(error) from error

    async def aclose(self) -> None:
        """Close all connections. Safe twice."""
        await self._http.aclose()


async def _answer(response: httpx.Response) -> Answer:
    """The answer, up to a limit and never inflated: a few bytes can become gigabytes."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    complete = headers.get("content-encoding", "identity").strip().lower() == "identity"
    pieces: list[bytes] = []
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > ANSWER_LIMIT:
            complete = False
            break
        pieces.append(piece)
    return Answer(response.status_code, headers, b"".join(pieces), complete)
