#!/usr/bin/env python3
"""What the gateway is measured against: the same server with one endpoint that only parses the JSON.

python bench/gateway_ceiling.py PORT
"""

from __future__ import annotations

import socket
import sys
from functools import partial

import msgspec
import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from yaat_core.control.listen import Limits, serve_http


async def parse(request: Request) -> Response:
    """Parse the body, count its events, keep nothing."""
    events = msgspec.json.decode(await request.body())["events"]
    return Response(msgspec.json.encode({"accepted": len(events)}), media_type="application/json")


def main() -> None:
    """Serve until killed."""
    bound = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    bound.setblocking(False)
    app = Starlette(routes=[Route("/v1/ingest", parse, methods=["POST"])])
    trio.run(partial(serve_http, lambda: app, bound, Limits(connections=1_024)))


if __name__ == "__main__":
    main()
