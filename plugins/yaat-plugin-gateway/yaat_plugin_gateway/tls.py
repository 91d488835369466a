"""The certificate and key of the configuration as TLS for a server."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from yaat_core.components import Context, Finding
from yaat_core.errors import CannotListen
from yaat_plugin_gateway.config import GatewayConfig

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def server_context(config: GatewayConfig, context: Context) -> ssl.SSLContext | None:
    """TLS as configured, None for none. Reads files.

    Raises:
        CannotListen: a file can't be read, or holds no certificate or not its key.
    """
    if config.tls_certificate is None:
        return None
    certificate = context.path(config.tls_certificate)
    key = context.path(config.tls_key) if config.tls_key else certificate
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = _VERSIONS[config.tls_minimum]
    made.set_alpn_protocols(["h2", "http/1.1"])
    _load(made, certificate, key)
    return made


def findings(config: GatewayConfig, context: Context) -> Sequence[Finding]:
    """Could it be used? Reads files."""
    try:
        server_context(config, context)
    except CannotListen as error:
        return [Finding(problem=error.what, advice=error.fix)]
    return ()


def _load(made: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise CannotListen(
                f"the file for TLS can't be read: {error.strerror or error}",
                where=str(path),
                fix="correct `tls_certificate` or `tls_key` (relative to the configuration file), or make it readable",
            ) from None
    try:
        made.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise CannotListen(
            f"the files for TLS don't fit: {getattr(error, 'reason', None) or error}",
            where=f"{certificate}, {key}",
            fix="give a PEM certificate and the PEM private key it was made for, without a password",
        ) from None


def _no_password() -> str:
    raise ValueError("the private key has a password")
