"""What an exception of the network means: in words, with advice, and whether the request may have arrived."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx

#: X509_V_ERR_* of OpenSSL (x509_vfy.h).
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED, _SELF_SIGNED_ROOT = 9, 10, 18, 19
_NO_ISSUER, _NO_ISSUER_HERE, _REVOKED, _WRONG_HOST, _WRONG_ADDRESS = 2, 20, 23, 62, 64

_CLOCK: Final = (
    "see whether this machine's clock is right; if it is, the server's certificate has to be renewed"
)
_AUTHORITY: Final = "name the certificate of its authority in tls.ca_file, or install it in the system"
_CERTIFICATES: Final[dict[int, tuple[str, str]]] = {
    _EXPIRED: ("the server's certificate has expired", _CLOCK),
    _NOT_YET_VALID: ("the server's certificate is not valid yet", _CLOCK),
    _SELF_SIGNED: (
        "the server's certificate is signed by itself, by no authority",
        "name the certificate in tls.ca_file if it is the right one",
    ),
    _SELF_SIGNED_ROOT: ("the server's certificate is from an authority that is not known here", _AUTHORITY),
    _NO_ISSUER: ("the server's certificate is from an authority that is not known here", _AUTHORITY),
    _NO_ISSUER_HERE: ("the server's certificate is from an authority that is not known here", _AUTHORITY),
    _REVOKED: ("the server's certificate was revoked", "the server needs a new one"),
    _WRONG_HOST: (
        "the server's certificate is for another host",
        "write the host in `endpoint` that the certificate names, or see who answers there",
    ),
    _WRONG_ADDRESS: (
        "the server's certificate is for another address",
        "write the host in `endpoint` that the certificate names, or see who answers there",
    ),
}
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
_OLD_TLS: Final = frozenset(
    {
        "UNSUPPORTED_PROTOCOL",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "NO_PROTOCOLS_AVAILABLE",
        "VERSION_TOO_LOW",
    }
)
_ADDRESSES: Final = {
    errno.ECONNREFUSED: ("the connection is refused", "nothing listens there: see whether the server runs"),
    errno.ENETUNREACH: ("there is no route to its network", "see this machine's network"),
    errno.EHOSTUNREACH: ("there is no route to the host", "see this machine's network"),
    errno.ETIMEDOUT: ("the host does not answer", "see the network and firewalls on the way"),
    errno.EMFILE: ("this process has no file descriptors left", "raise its limit (LimitNOFILE=)"),
}


class Unreached(Exception):
    """No answer. ``maybe``: the request may have arrived all the same; ``tls``: trying again won't mend it."""

    def __init__(self, why: str, advice: str = "", *, maybe: bool, tls: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.advice = advice
        self.maybe = maybe
        self.tls = tls


def meaning(error: BaseException) -> Unreached:
    """The failure behind an exception of httpx, trio, ssl or socket."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _of_tls(cause, maybe=not isinstance(error, httpx.ConnectError))
        if isinstance(cause, socket.gaierror):
            return _of_names(cause)
        if isinstance(cause, OSError) and cause.errno in _ADDRESSES:
            why, advice = _ADDRESSES[cause.errno]
            return Unreached(why, advice, maybe=not isinstance(error, httpx.ConnectError))
    return _of_http(error)


def _of_http(error: BaseException) -> Unreached:
    if isinstance(error, httpx.ConnectTimeout):
        return Unreached(
            "no connection within connect_timeout", "see the network and firewalls on the way", maybe=False
        )
    if isinstance(error, httpx.ConnectError):
        return Unreached("it can't be connected to", "see the network on the way", maybe=False)
    if isinstance(error, httpx.PoolTimeout):
        return Unreached("no connection was free", "raise the timeouts, or lower in_flight", maybe=False)
    if isinstance(error, httpx.WriteTimeout):
        return Unreached("it did not take the request within write_timeout", "see what it does", maybe=True)
    if isinstance(error, httpx.ReadTimeout):
        return Unreached("no answer within read_timeout", "see what it does", maybe=True)
    if isinstance(error, httpx.RemoteProtocolError):
        return Unreached(
            "it closed the connection, or answered what is no HTTP", "see who answers there", maybe=True
        )
    if isinstance(error, OSError):
        told = os.strerror(error.errno) if error.errno else type(error).__name__
        return Unreached(f"it can't be connected to: {told}", "see the network on the way", maybe=True)
    return Unreached(f"the connection broke ({type(error).__name__})", "", maybe=True)


def _of_tls(error: ssl.SSLError, *, maybe: bool) -> Unreached:
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _CERTIFICATES.get(error.verify_code)
        why, advice = known or (
            f"the server's certificate is refused: {error.verify_message}",
            "see the certificate: openssl s_client -connect HOST:PORT",
        )
        return Unreached(why, advice, maybe=False, tls=True)
    if error.reason in _NO_TLS:
        return Unreached(
            "what answers there does not speak TLS", "see the port in `endpoint`", maybe=False, tls=True
        )
    if error.reason in _OLD_TLS:
        return Unreached(
            "it speaks no version of TLS that is allowed here",
            "the server has to offer TLS 1.2 or later, and at least tls.min_version",
            maybe=False,
            tls=True,
        )
    told = (error.reason or type(error).__name__).replace("_", " ").lower()
    return Unreached(f"TLS failed: {told}", "see who answers there", maybe=maybe)


def _of_names(error: socket.gaierror) -> Unreached:
    if error.errno == socket.EAI_AGAIN:
        return Unreached(
            "its name can't be looked up just now", "see this machine's DNS servers", maybe=False
        )
    return Unreached("its name is not known", "see the host in `endpoint`, and DNS", maybe=False)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that led to it, the outermost first."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        waiting += [found for found in (one.__cause__, one.__context__) if found is not None]
