"""The options of a `gateway` source."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal

from yaat_core.config.fields import defaults_of
from yaat_core.config.options import Duration, Size, configuration, option, positive
from yaat_kit.listening import Address
from yaat_plugin_gateway.access.rates import KeyLimits
from yaat_plugin_gateway.asking.options import QueryOptions


def _address(_instance: Any, _attribute: Any, value: str) -> None:
    if Address.parse(value).datagrams:
        raise ValueError(
            f"must be an address like tcp://127.0.0.1:8320 or unixstream:///run/yaat/gateway, got {value!r}"
        )


def _not_negative(_instance: Any, _attribute: Any, value: int) -> None:
    if value < 0:
        raise ValueError(f"must be 0 or more, got {value}")


def is_private(address: Address) -> bool:
    """Whether nobody outside of this machine reaches it."""
    return bool(address.path) or address.host in ("localhost", "::1") or address.host.startswith("127.")


@configuration
class RawPayloads:
    """Bodies of requests as they came, kept for a while for `yaat gateway replay`."""

    keep: Duration | None = option(
        None,
        help="How long; not given: nothing is kept. They are kept as they were sent, before anything is redacted.",
        example="1h",
        validator=positive,
    )
    max_bytes: Size = option("1GiB", help="The oldest go when they are more.", validator=positive)


@configuration
class GatewayConfig:
    """Events that agents and programs send to POST /v1/ingest."""

    single: ClassVar[bool] = True

    listen: str = option(
        "tcp://127.0.0.1:8320",
        help="Address: `tcp://HOST:PORT` or `unixstream:///FILE`.",
        example="tcp://0.0.0.0:8320",
        validator=_address,
    )
    tls_certificate: str | None = option(
        None,
        help="PEM file with the certificate and those that lead to its authority; TLS when given.",
        example="tls/cert.pem",
    )
    tls_key: str | None = option(
        None, help="PEM file with its private key; not given: in `tls_certificate`.", example="tls/key.pem"
    )
    tls_minimum: Literal["1.2", "1.3"] = option("1.2", help="Oldest version of TLS that is spoken.")
    state: str = option(
        "sqlite:///gateway.db",
        help="Database of organizations, keys and usage; a relative SQLite file lies in `state_dir`.",
        example="postgresql+psycopg://yaat@db.internal/yaat",
    )
    access: Literal["keys", "none"] = option(
        "keys",
        help="`keys`: requests need a key; `none`: whoever comes may send and read, which takes a listener on loopback.",
    )
    limits: KeyLimits = option(
        factory=partial(defaults_of, KeyLimits),
        help="What each key may send that has no limits of its own.",
        example={"events_per_second": 10_000},
    )
    queries: QueryOptions = option(
        factory=partial(defaults_of, QueryOptions),
        help="What queries may take.",
        example={"max_time": "2m", "at_once": 4},
    )
    max_body: Size = option("5MB", help="Largest body of a request, as it is sent.", validator=positive)
    max_inflated: Size = option("32MiB", help="Largest body when it is unpacked.", validator=positive)
    max_events: int = option(16_384, help="Events of one request.", validator=positive)
    body_timeout: Duration = option(
        "30s", help="A body that is not here by then is refused.", validator=positive
    )
    max_connections: int = option(
        1_024, help="Connections at one time; more are closed at once.", validator=positive
    )
    max_requests: int = option(
        256, help="Requests at one time; more are refused for a moment (503).", validator=positive
    )
    max_memory: Size = option(
        "64MiB",
        help="Bytes of all bodies at one time; more are refused for a moment (503).",
        validator=positive,
    )
    patience: Duration = option(
        "10s",
        help="How long a request waits for the pipeline before it is refused for a moment (503).",
        validator=positive,
    )
    remember: Duration = option(
        "24h",
        help="How long a `Batch-Id` is known, so that the same batch is taken once.",
        validator=positive,
    )
    remember_batches: int = option(100_000, help="How many are known at most.", validator=positive)
    remember_events: int = option(
        500_000,
        help="How many `event_id`s are known, so that the same event is taken once; 0: none.",
        validator=_not_negative,
    )
    raw_payloads: RawPayloads = option(
        factory=partial(defaults_of, RawPayloads),
        help="Bodies of requests kept as they came, for replay.",
        example={"keep": "1h"},
    )

    def __attrs_post_init__(self) -> None:
        if self.tls_key is not None and self.tls_certificate is None:
            raise ValueError("`tls_key` needs `tls_certificate`")
        if self.access == "none" and not is_private(Address.parse(self.listen)):
            raise ValueError("`access: none` takes a listener on loopback, such as tcp://127.0.0.1:8320")
