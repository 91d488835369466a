"""TLS: whom to believe, and from which version on."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from yaat_core.errors import YaatError
from yaat_plugin_cloud.config import TlsConfig

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class NotTrusted(YaatError):
    """The certificates of `tls.ca_file` can't be used."""

    code = "YAAT-E403"


def context(config: TlsConfig, ca_file: Path | None) -> ssl.SSLContext:
    """Hosts are checked against the authorities of ``ca_file``, or the system's (certifi's where it has none). Blocks.

    Raises:
        NotTrusted: the file can't be read, or holds no certificate.
    """
    try:
        made = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise _unusable(ca_file, error) from None
    if ca_file is None and not _has_authorities():
        import certifi

        made.load_verify_locations(certifi.where())
    made.minimum_version = _VERSIONS[config.min_version]
    return made


def _has_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    folder = Path(paths.capath) if paths.capath else None
    return bool(paths.cafile) or bool(folder and folder.is_dir() and any(folder.iterdir()))


def _unusable(ca_file: Path | None, error: OSError) -> NotTrusted:
    # an SSLError is an OSError: the file is there, and is no PEM
    what = "it holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
    return NotTrusted(
        f"tls.ca_file can't be used: {what or error}",
        where=str(ca_file or ""),
        fix="name a file of certificates that begin with -----BEGIN CERTIFICATE-----",
    )
