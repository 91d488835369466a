"""The `gateway` source: one run opens the parts, listens and serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Final

import trio

from yaat_core.components import Context, Finding, Outlet, Source
from yaat_core.control import listen as http
from yaat_kit.listening import Address, findings, listen
from yaat_plugin_gateway import tls
from yaat_plugin_gateway.config import GatewayConfig
from yaat_plugin_gateway.ingest.desk import Desk
from yaat_plugin_gateway.ingest.payloads import Payloads
from yaat_plugin_gateway.ingest.queue_claims import QueueClaims
from yaat_plugin_gateway.parts import OpenParts
from yaat_plugin_gateway.web.app import make_app
from yaat_plugin_gateway.web.endpoint import routes
from yaat_plugin_gateway.web.openapi import document_routes

#: Seconds for a connection's next request, headers included.
_KEEP_ALIVE: Final = 75.0


class GatewaySource(Source):
    """Serves the ingest API. Everything that is taken is durable before it is answered."""

    supports_once: ClassVar[bool] = False

    def __init__(self, config: GatewayConfig, context: Context, open_parts: OpenParts) -> None:
        self._config = config
        self._context = context
        self._open_parts = open_parts
        self._address = Address.parse(config.listen).beside(context.config_dir)
        self._asked: Sequence[Callable[[], Sequence[Finding]]] = ()
        self.listening: Address | None = None
        """Where it listens, as soon as it does."""

    async def check(self) -> Sequence[Finding]:
        """Can it listen where it is told to, with the certificate it is told to use?"""
        return [
            *await trio.to_thread.run_sync(findings, self._address),
            *await trio.to_thread.run_sync(tls.findings, self._config, self._context),
            *self._in_the_clear(),
        ]

    def problems(self) -> Sequence[Finding]:
        """What the parts say of themselves."""
        return [one for ask in self._asked for one in ask()]

    async def run(self, out: Outlet) -> None:
        """Until cancelled; then what is not durable yet stays unanswered, and its senders repeat it."""
        context = await trio.to_thread.run_sync(tls.server_context, self._config, self._context)
        async with self._open_parts(self._config, self._context) as parts, trio.open_nursery() as nursery:
            claims = QueueClaims(self._config, out, nursery)
            payloads = Payloads(self._config.raw_payloads, self._context)
            await payloads.open()
            nursery.start_soon(payloads.run)
            desk = Desk(self._config, self._context, parts, claims, payloads)
            self._asked = (desk.problems, parts.problems, payloads.problems)
            endpoints = [desk.endpoint(), *parts.endpoints]
            served = [*routes(endpoints, parts.access), *document_routes(endpoints)]
            listener = await trio.to_thread.run_sync(listen, self._address)
            try:
                serve = partial(
                    http.serve_http, partial(make_app, served), listener.socket, self._limits(), tls=context
                )
                await nursery.start(serve)
                self.listening = listener.address
                self._context.log.info("listening on %s%s", listener.address, " with TLS" if context else "")
                await trio.sleep_forever()
            finally:
                listener.close()

    def _limits(self) -> http.Limits:
        return http.Limits(connections=self._config.max_connections, keep_alive=_KEEP_ALIVE)

    def _in_the_clear(self) -> Sequence[Finding]:
        host = self._address.host
        if (
            not host
            or self._config.tls_certificate
            or host in ("localhost", "::1")
            or host.startswith("127.")
        ):
            return ()
        return [
            Finding(
                problem=f"{self._address} can be reached from elsewhere, and keys and events travel in the clear",
                advice="give `tls_certificate` and `tls_key`, or listen on 127.0.0.1 behind a proxy that does TLS",
                level="warn",
            )
        ]
