"""Options of the sink."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Final, Literal

from yaat_core.config.fields import defaults_of
from yaat_core.config.options import Duration, Secret, Size, configuration, option, positive
from yaat_plugin_cloud import endpoint

#: The API takes less than this, compressed (docs/schema.md).
LIMIT: Final = 5_000_000
_LEVELS: Final = {"gzip": 9, "zstd": 19}


def _at_least_one(_instance: Any, _attribute: Any, value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"must be at least 1, got {value}")


def _small_enough(_instance: Any, _attribute: Any, value: Size) -> None:
    if not 1_000 <= value < LIMIT:
        raise ValueError(f"must be at least 1kB and less than 5MB, got {value}")


def _a_url(_instance: Any, _attribute: Any, value: str) -> None:
    endpoint.parse(value)


def _a_key(_instance: Any, _attribute: Any, value: Secret) -> None:
    text = value.reveal()
    if not text:
        raise ValueError("must not be empty")
    if not all(0x20 < ord(letter) < 0x7F for letter in text):
        raise ValueError("must be printable ASCII without spaces or newlines: it is sent in a header")


@configuration
class TlsConfig:
    """Whom to believe."""

    ca_file: str = option(
        "",
        help="Certificates (PEM) of the authorities to believe, in place of the system's, relative to `state_dir`.",
        example="/etc/yaat/ca.pem",
    )
    min_version: Literal["1.2", "1.3"] = option("1.2", help="The lowest version of TLS.", example='"1.3"')


@configuration
class RetryConfig:
    """When to try again, and when to stop."""

    initial: Duration = option(
        "500ms", help="The first wait is at most this, doubled each time (full jitter).", validator=positive
    )
    max_delay: Duration = option(
        "1m",
        help="The longest wait, but for one that the server asks for (up to an hour).",
        validator=positive,
    )
    max_attempts: int | None = option(
        None,
        help="After so many attempts events go to the dead letters; `none`: it is tried as long as they wait.",
        example=20,
        validator=_at_least_one,
    )
    max_elapsed: Duration | None = option(
        None,
        help="The same by time since the first attempt that failed.",
        example="24h",
        validator=positive,
    )


@configuration
class CircuitBreakerConfig:
    """When to leave a server in peace."""

    failure_threshold: int | None = option(
        5,
        help="After so many failures in a row only one small request at a time is sent; `none`: never.",
        validator=_at_least_one,
    )
    reset_timeout: Duration = option(
        "10s", help="How long it is left in peace before that request, at least.", validator=positive
    )
    probe_rows: int = option(100, help="How many events that request has, at most.", validator=_at_least_one)


@configuration
class CloudConfig:
    """Events to a backend over HTTPS: POST /v1/ingest, retried until it has them."""

    remote: ClassVar[bool] = True

    endpoint: str = option(
        help="The backend's base URL; `/v1/ingest` is added unless it ends so.",
        example="https://ingest.example.com",
        validator=_a_url,
    )
    api_key: Secret = option(
        help="The key, from elsewhere: `${secret:NAME}`, `${file:PATH}` or `${env:NAME}`.",
        example="${secret:api_key}",
        secret=True,
        reference=True,
        validator=_a_key,
    )
    allow_plain_http: bool = option(
        False,
        help="Send the key and the events over `http://` to another machine, where anybody can read them.",
    )
    compression: Literal["gzip", "zstd", "none"] = option("gzip", help="How requests are compressed.")
    compression_level: int = option(
        1, help="1 (fast) to 9 with gzip, to 19 with zstd.", validator=_at_least_one
    )
    max_batch_rows: int = option(8_192, help="Events in a request, at most.", validator=_at_least_one)
    max_batch_bytes: Size = option(
        "1MiB", help="Bytes of a request, compressed, at most; less than 5MB.", validator=_small_enough
    )
    oversized: Literal["cut", "dead"] = option(
        "cut",
        help="One event that is too large alone: `cut` its longest text and mark it, or send it to the dead letters.",
    )
    in_flight: int = option(4, help="Requests at a time.", validator=_at_least_one)
    ordered: bool = option(False, help="Keep the order of events: one request at a time.")
    http2: bool = option(False, help="Offer HTTP/2 over TLS; the server decides.")
    connect_timeout: Duration = option(
        "10s", help="Until the connection stands, TLS included.", validator=positive
    )
    write_timeout: Duration = option("30s", help="Until a request is sent.", validator=positive)
    read_timeout: Duration = option("30s", help="Until its answer is there, whole.", validator=positive)
    tls: TlsConfig = option(
        factory=partial(defaults_of, TlsConfig), help="Whom to believe, and in which version."
    )
    retry: RetryConfig = option(
        factory=partial(defaults_of, RetryConfig), help="When to try again, and when to stop."
    )
    circuit_breaker: CircuitBreakerConfig = option(
        factory=partial(defaults_of, CircuitBreakerConfig), help="When to leave a server in peace."
    )

    def __attrs_post_init__(self) -> None:
        where = endpoint.parse(self.endpoint)
        if not (where.secure or where.loopback or self.allow_plain_http):
            raise ValueError(
                "endpoint must begin with https://: over http:// anybody on the way can read the key "
                "(`allow_plain_http: true` allows it)"
            )
        highest = _LEVELS.get(self.compression)
        if highest is not None and self.compression_level > highest:
            raise ValueError(f"compression_level must be at most {highest}, got {self.compression_level}")
        if self.retry.initial > self.retry.max_delay:
            raise ValueError("retry: `initial` must not be above `max_delay`")
