"""Metadata services on loopback, as their documents show them; the link's own address is never asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trio

from yaat_plugin_detect.cloud import Cloud, ask

AWS = {
    "region": "eu-central-1",
    "availabilityZone": "eu-central-1a",
    "instanceId": "i-0abc",
    "instanceType": "t3.micro",
}
GCP = {
    "id": 123,
    "zone": "projects/9/zones/europe-west3-c",
    "machineType": "projects/9/machineTypes/e2-small",
}
AZURE = {"compute": {"location": "westeurope", "zone": "1", "vmId": "02aab8a4", "vmSize": "Standard_A3"}}
OCEAN = {"droplet_id": 2756294, "region": "nyc3"}
HETZNER = "availability-zone: fsn1-dc14\nhostname: web\ninstance-id: 42\npublic-keys:\n- ssh-rsa x\nregion: eu-central\n"


class Service(BaseHTTPRequestHandler):
    """Answers by (method, path) when the headers are there."""

    answers: dict[tuple[str, str], tuple[dict[str, str], bytes]] = {}
    silent = threading.Event()

    def do_GET(self) -> None:
        wanted, body = self.answers.get((self.command, self.path), ({"": "never"}, b""))
        if ("", "") in self.answers:
            self.silent.wait(60)
            return
        if any(self.headers.get(name) != value for name, value in wanted.items()):
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


@contextmanager
def service(answers: dict[tuple[str, str], tuple[dict[str, str], bytes]]) -> Iterator[str]:
    handler = type("Made", (Service,), {"answers": answers, "silent": threading.Event()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        handler.silent.set()
        server.shutdown()
        thread.join()
        server.server_close()


def answer(address: str) -> Cloud | None:
    return trio.run(lambda: ask(address, limit=60))


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        (
            {
                ("PUT", "/latest/api/token"): ({"X-aws-ec2-metadata-token-ttl-seconds": "60"}, b"token=="),
                ("GET", "/latest/dynamic/instance-identity/document"): (
                    {"X-aws-ec2-metadata-token": "token=="},
                    as_json(AWS),
                ),
            },
            Cloud(
                provider="aws",
                region="eu-central-1",
                zone="eu-central-1a",
                instance="i-0abc",
                type="t3.micro",
            ),
        ),
        (
            {
                ("GET", "/computeMetadata/v1/instance/?recursive=true"): (
                    {"Metadata-Flavor": "Google"},
                    as_json(GCP),
                )
            },
            Cloud(
                provider="gcp", region="europe-west3", zone="europe-west3-c", instance="123", type="e2-small"
            ),
        ),
        (
            {("GET", "/metadata/instance?api-version=2021-02-01"): ({"Metadata": "true"}, as_json(AZURE))},
            Cloud(provider="azure", region="westeurope", zone="1", instance="02aab8a4", type="Standard_A3"),
        ),
        (
            {("GET", "/metadata/v1.json"): ({}, as_json(OCEAN))},
            Cloud(provider="digitalocean", region="nyc3", instance="2756294"),
        ),
        (
            {("GET", "/hetzner/v1/metadata"): ({}, HETZNER.encode())},
            Cloud(provider="hetzner", region="eu-central", zone="fsn1-dc14", instance="42"),
        ),
    ],
    ids=["aws", "gcp", "azure", "digitalocean", "hetzner"],
)
def test_each_cloud(answers: Any, wanted: Cloud) -> None:
    with service(answers) as address:
        assert answer(address) == wanted


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff\x00", b"null", b'{"compute": 5}', b'{"region": "x"}', b"9" * 100_000],
    ids=range(8),
)
def test_odd_answers_are_no_cloud(body: bytes) -> None:
    paths = ["/latest/dynamic/instance-identity/document", "/computeMetadata/v1/instance/?recursive=true",
             "/metadata/instance?api-version=2021-02-01", "/metadata/v1.json", "/hetzner/v1/metadata"]  # fmt: skip
    answers = {("GET", path): ({}, body) for path in paths} | {("PUT", "/latest/api/token"): ({}, b"t")}
    with service(answers) as address:
        assert answer(address) is None


def test_long_values_are_cut() -> None:
    with service({("GET", "/metadata/v1.json"): ({}, as_json({**OCEAN, "region": "x" * 5000}))}) as address:
        found = answer(address)
    assert found
    assert len(found.region) == 200


def test_where_nobody_listens_there_is_no_cloud() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        assert answer(f"http://127.0.0.1:{taken.getsockname()[1]}") is None


def test_one_that_accepts_and_says_nothing_is_given_up() -> None:
    with service({("", ""): ({}, b"")}) as address:
        assert trio.run(lambda: ask(address, limit=0.2)) is None
