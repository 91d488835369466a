"""Where events go: one origin, one URL. Every other part takes it from here."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit

import attrs

PATH: Final = "/v1/ingest"
_PORTS: Final = {"https": 443, "http": 80}


@attrs.frozen
class Endpoint:
    """An origin and a path. ``host`` is without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The whole URL of the ingest API."""
        return f"{self.origin}{self.path}"

    @property
    def origin(self) -> str:
        """Scheme, host and port, as in RFC 6454."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def secure(self) -> bool:
        """Over TLS."""
        return self.scheme == "https"

    @property
    def loopback(self) -> bool:
        """On this machine: what is sent never leaves it. A name other than `localhost` may lead anywhere."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse(text: str) -> Endpoint:
    """A base URL (``https://ingest.example.com``), to which ``/v1/ingest`` is added, or the whole URL.

    Raises:
        ValueError: not such a URL; says what to write.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("must be a URL like https://ingest.example.com") from None
    _refuse(text, parts)
    path = parts.path.rstrip("/")
    if not path.endswith(PATH):
        path += PATH
    return Endpoint(parts.scheme, parts.hostname or "", port or _PORTS[parts.scheme], path)


def _refuse(text: str, parts: SplitResult) -> None:
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("must be a URL like https://ingest.example.com")
    if any(ord(letter) <= 0x20 or ord(letter) >= 0x7F for letter in text):
        raise ValueError("must be plain ASCII without spaces (write other hosts in their xn-- form)")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password: the key goes into `api_key`")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("must end with the path: take away what follows `?` or `#`")
