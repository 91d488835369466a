"""What a gateway says to a key: which organization it belongs to, what it is for, which services sent events before.

Asked with the key in a header, over TLS unless the gateway is on this machine. docs/gateway-api.md has the API.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
import httpx

from yaat_core.errors import UsageError, YaatError

#: Seconds for each of the two questions.
PATIENCE: Final = 10.0
_INGEST: Final = "/v1/ingest"
_SHOWN: Final = 200


class KeyRefused(YaatError):
    """A gateway does not take a key."""

    code = "YAAT-E130"


class GatewayOutOfReach(YaatError):
    """No gateway answers at an address."""

    code = "YAAT-E131"


@attrs.frozen(kw_only=True)
class Known:
    """What a gateway said. ``services`` is None when the key may not read."""

    url: str
    organization: str
    organization_id: str
    key: str
    """What the key is recognized by."""
    rights: Sequence[str]
    for_services: Sequence[str]
    """The only services that it is for; none: all."""
    for_environments: Sequence[str]
    services: Sequence[str] | None


def base(endpoint: str) -> str:
    """The gateway's URL without its path.

    Raises:
        UsageError: it is no URL, or the key would be sent in the clear to another machine.
    """
    try:
        parts = urlsplit(endpoint.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise UsageError("the endpoint must be a URL", fix="such as https://ingest.example.com")
    if parts.scheme == "http" and not _loopback(parts.hostname):
        raise UsageError(
            "the endpoint must begin with https://",
            cause="over http:// anybody on the way can read the key",
            fix="give the gateway a certificate; for a test on this machine http://127.0.0.1 is allowed",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix(_INGEST)
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}"


def _loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def key_of(written: str, config_dir: Path, environ: Mapping[str, str], hook: Any) -> str:
    """The key that is written: itself, or what its reference gives.

    Raises:
        UsageError: the reference can't be resolved.
    """
    from yaat_core.config.interpolation import Interpolation
    from yaat_core.config.nodes import Scalar, Table
    from yaat_core.config.parsing import parse

    if not written.startswith("${"):
        return written.strip()
    root = parse(json.dumps({"api_key": written}), "the answers").root
    node = root.get("api_key") if isinstance(root, Table) else None
    assert isinstance(node, Scalar)
    wrong = Interpolation(config_dir, environ, hook).apply(node)
    if wrong:
        raise UsageError(wrong[0].what, fix=wrong[0].fix)
    return node.text.strip()


async def ask(endpoint: str, key: str) -> Known:
    """Ask the gateway about the key.

    Raises:
        UsageError: the endpoint is no URL that may be asked, or the key no key.
        GatewayOutOfReach: nobody answers there, or it is no gateway.
        KeyRefused: it does not know the key, or the key may not send events.
    """
    url = base(endpoint)
    if not key or not all(0x20 < ord(sign) < 0x7F for sign in key):
        raise UsageError(
            "the key must be printable ASCII without spaces",
            fix="copy it once more; a gateway's begin with yaat_",
        )
    async with httpx.AsyncClient(
        base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE, follow_redirects=False
    ) as client:
        told = await _get(client, "/v1/organizations", url)
        made = _known(url, told)
        if "ingest" not in made.rights:
            raise KeyRefused(
                f"the key {made.key} may not send events: it is for {', '.join(made.rights) or 'nothing'}",
                where=url,
                fix="make one that may: yaat gateway keys create NAME",
            )
        if "read" not in made.rights:
            return made
        services = (await _get(client, "/v1/services", url)).get("services", ())
    names = [str(one.get("name", "")) for one in services if isinstance(one, dict)]
    return attrs.evolve(made, services=names)


async def _get(client: httpx.AsyncClient, path: str, url: str) -> dict[str, Any]:
    try:
        answer = await client.get(path)
    except (httpx.HTTPError, ssl.SSLError, OSError, ValueError) as error:
        raise GatewayOutOfReach(
            f"no gateway answers at {url}",
            where=url,
            cause=(str(error) or type(error).__name__)[:_SHOWN],
            fix="check the address and that the gateway runs; a firewall may be between",
        ) from None
    if answer.status_code in (401, 403):
        raise KeyRefused(
            "the gateway refused the key"
            if answer.status_code == 401
            else "the key may not be used for this",
            where=url,
            cause=_said(answer),
            fix="copy the whole key once more, or make a new one: yaat gateway keys create NAME",
        )
    try:
        document = answer.json() if answer.status_code == 200 else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise GatewayOutOfReach(
            f"what answers at {url} is no gateway, or is in trouble: {answer.status_code} to {path}",
            where=url,
            cause=_said(answer),
            fix="check the address; `yaat status` on the gateway's machine tells how it is",
        )
    return document


def _known(url: str, told: Mapping[str, Any]) -> Known:
    organizations = told.get("organizations") or [{}]
    key = told.get("key") or {}
    return Known(
        url=url,
        organization=str(organizations[0].get("name", "")),
        organization_id=str(organizations[0].get("id", "")),
        key=str(key.get("prefix", "")),
        rights=[str(one) for one in key.get("rights", ())],
        for_services=[str(one) for one in key.get("services", ())],
        for_environments=[str(one) for one in key.get("environments", ())],
        services=None,
    )


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["problem"])[:_SHOWN]
    except (ValueError, LookupError, TypeError):
        return ""
