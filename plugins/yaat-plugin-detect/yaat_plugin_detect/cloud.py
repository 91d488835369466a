"""Asks a cloud's metadata service who this machine is. Only on request: not every network likes it.

AWS: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html (IMDSv2)
GCP: https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys
Azure: https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
DigitalOcean: https://docs.digitalocean.com/reference/api/metadata-api
Hetzner: https://docs.hetzner.cloud/reference/cloud#server-metadata
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs
import httpx
import trio

ADDRESS: Final = "http://169.254.169.254"
#: Seconds for all of it.
LIMIT: Final = 0.3
#: Bytes of an answer, characters of a value.
_MOST: Final = 64 * 2**10
_VALUE: Final = 200


@attrs.frozen(kw_only=True)
class Cloud:
    """Where this machine is, in OpenTelemetry's names: `cloud.provider`, `cloud.region`, `host.id`, ..."""

    provider: str
    region: str = ""
    zone: str = ""
    instance: str = ""
    type: str = ""


async def ask(address: str = ADDRESS, *, limit: float = LIMIT) -> Cloud | None:
    """The first service that knows itself; all are asked at once. None within ``limit`` seconds: no cloud."""
    found: list[Cloud] = []
    with trio.move_on_after(limit):
        async with (
            httpx.AsyncClient(base_url=address, trust_env=False, timeout=limit) as client,
            trio.open_nursery() as nursery,
        ):
            for service in _SERVICES:
                nursery.start_soon(_one, service, client, found, nursery.cancel_scope)
    return found[0] if found else None


async def _one(
    service: Callable[[httpx.AsyncClient], Awaitable[Cloud | None]],
    client: httpx.AsyncClient,
    found: list[Cloud],
    others: trio.CancelScope,
) -> None:
    try:
        cloud = await service(client)
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):  # not this cloud
        return
    if cloud is not None:
        found.append(cloud)
        others.cancel()


async def _aws(client: httpx.AsyncClient) -> Cloud | None:
    wanted = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    token = await _text(client, "/latest/api/token", wanted, method="PUT")
    document = await _json(
        client, "/latest/dynamic/instance-identity/document", {"X-aws-ec2-metadata-token": token}
    )
    return Cloud(
        provider="aws",
        region=_plain(document["region"]),
        zone=_plain(document.get("availabilityZone")),
        instance=_plain(document["instanceId"]),
        type=_plain(document.get("instanceType")),
    )


async def _gcp(client: httpx.AsyncClient) -> Cloud | None:
    headers = {"Metadata-Flavor": "Google"}
    instance = await _json(client, "/computeMetadata/v1/instance/?recursive=true", headers)
    zone = _plain(instance["zone"]).rpartition("/")[2]
    return Cloud(
        provider="gcp",
        region=zone.rpartition("-")[0],
        zone=zone,
        instance=_plain(instance["id"]),
        type=_plain(instance.get("machineType")).rpartition("/")[2],
    )


async def _azure(client: httpx.AsyncClient) -> Cloud | None:
    document = await _json(client, "/metadata/instance?api-version=2021-02-01", {"Metadata": "true"})
    compute = document["compute"]
    return Cloud(
        provider="azure",
        region=_plain(compute["location"]),
        zone=_plain(compute.get("zone")),
        instance=_plain(compute["vmId"]),
        type=_plain(compute.get("vmSize")),
    )


async def _digitalocean(client: httpx.AsyncClient) -> Cloud | None:
    document = await _json(client, "/metadata/v1.json", {})
    return Cloud(
        provider="digitalocean", region=_plain(document["region"]), instance=_plain(document["droplet_id"])
    )


async def _hetzner(client: httpx.AsyncClient) -> Cloud | None:
    text = await _text(client, "/hetzner/v1/metadata", {})
    facts = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and line[:1] not in " -")
    return Cloud(
        provider="hetzner",
        region=_plain(facts["region"]),
        zone=_plain(facts.get("availability-zone")),
        instance=_plain(facts["instance-id"]),
    )


_SERVICES: Final = (_aws, _gcp, _azure, _digitalocean, _hetzner)


async def _json(client: httpx.AsyncClient, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    import json

    document = json.loads(await _text(client, path, headers))
    if not isinstance(document, dict):
        raise ValueError("no object")  # noqa: TRY004 - one kind of error for an answer of another cloud
    return document


async def _text(
    client: httpx.AsyncClient, path: str, headers: Mapping[str, str], *, method: str = "GET"
) -> str:
    """An answer of 200, no redirection followed.

    Raises:
        ValueError: any other answer, or a large one.
    """
    async with client.stream(method, path, headers=dict(headers)) as answer:
        if answer.status_code != 200:
            raise ValueError(f"status {answer.status_code}")
        data = b""
        async for piece in answer.aiter_bytes():
            data += piece
            if len(data) > _MOST:
                raise ValueError("too large")
    return data.decode("utf-8", "replace")


def _plain(value: object) -> str:
    return "" if value is None else str(value)[:_VALUE]
