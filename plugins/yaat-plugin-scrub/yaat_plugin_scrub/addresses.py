"""Addresses of the Internet Protocol, version 6 (RFC 4291), as text."""

from __future__ import annotations

import ipaddress


def is_ipv6(candidate: bytes) -> bool:
    """Whether this is an address that says something of somebody: not ``::``, ``::1``, nor a path like ``a::b``."""
    if not any(48 <= letter <= 57 for letter in candidate):
        return False
    try:
        address = ipaddress.IPv6Address(candidate.decode("ascii"))
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)
