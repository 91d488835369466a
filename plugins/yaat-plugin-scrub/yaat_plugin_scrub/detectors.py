"""The table of detectors: what is found, how, and what stands in its place. A new one is one more row.

All patterns are RE2, so that Arrow runs them over whole columns; `Detector.verify` looks in Python at the rows
that a pattern found, where a regular expression can't decide (a check digit).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from yaat_plugin_scrub import addresses, cards, entropy, iban, patterns, personal
from yaat_plugin_scrub.verifying import judged

#: The byte that patterns write as `patterns.SHIELD`.
SHIELD: Final = b"\xff"


@attrs.frozen(kw_only=True)
class Detector:
    """One row. ``hint`` is a cheap pattern (ignoring case) that matches every text in which the detector finds something.

    ``finds`` are (pattern, replacement), applied in order; ``spares`` are the same, run before, and put the `SHIELD`
    in front of what only looks like a find. ``cut`` are run before all others, at the ends of lines that their source
    cut. ``verify`` replaces in one text, given the placeholder. Patterns see UTF-8 as bytes. ``needs`` are words in
    lower case, of which a text with a find has at least one; so are those of `NEEDS` for single patterns. Where they
    are missing, a pattern need not even be compiled.
    """

    name: str
    help: str
    hint: str
    needs: Sequence[bytes] = ()
    finds: Sequence[tuple[str, bytes]]
    spares: Sequence[tuple[str, bytes]] = ()
    cut: Sequence[tuple[str, bytes]] = ()
    verify: Callable[[bytes, bytes], bytes] | None = None
    #: Keys of tags whose whole value is a find.
    keys: str | None = None
    #: The hint is a pass of its own: it counts letters, and together with the others' it would make too many states.
    apart: bool = False

    @property
    def placeholder(self) -> bytes:
        """What stands in place of a find."""
        return placeholder(self.name)


def placeholder(name: str) -> bytes:
    """``[name]``, shielded."""
    return SHIELD + b"[" + name.encode() + b"]"


def _kept(name: str, *finds: str) -> tuple[tuple[str, bytes], ...]:
    """Patterns whose first group stays in front of the placeholder."""
    return tuple((find, rb"\1" + placeholder(name)) for find in finds)


def _whole(name: str, *finds: str) -> tuple[tuple[str, bytes], ...]:
    """Patterns whose match is replaced whole."""
    return tuple((find, placeholder(name)) for find in finds)


def _spared(*finds: str) -> tuple[tuple[str, bytes], ...]:
    """Patterns of two groups: the shield goes between them."""
    return tuple((find, rb"\1" + SHIELD + rb"\2") for find in finds)


NEEDS: Final[Mapping[str, Sequence[bytes]]] = {
    patterns.PEM_TAIL: (b"end ",),
    patterns.AWS_SECRET: (b"aws",),
    patterns.DIGEST: (b"digest", b"aws4"),
    patterns.AUTHORIZATION: (b"authorization",),
    patterns.AUTHORIZATION_BARE: (b"authorization",),
    patterns.AUTHORIZATION_REDACTED: (b"]",),
    patterns.BEARER: (b"bearer",),
    patterns.NAME_PATH: (b"::",),
    patterns.WORKING_DIRECTORY: (b"pwd=/",),
    patterns.PASSWORD_OBJECT: (b"token{",),
    patterns.URL_TOKEN: (b"http",),
    patterns.PASSWORD_XML: (b"<",),
    patterns.PASSWORD_ARGUMENT: (b"-",),
    patterns.PASSWORD_SQL: (b"'",),
    personal.NO_EMAIL[1]: (b"git@", b"hg@"),
}

#: In the order in which they are applied: what is known by its own looks comes before what a name tells.
TABLE: Final[Sequence[Detector]] = (
    Detector(
        name="private_key",
        help="PEM and PGP private keys, whole or cut",
        hint="PRIVATE KEY",
        needs=(b"private key",),
        finds=_whole("private_key", patterns.PEM, patterns.PEM_TAIL),
    ),
    Detector(
        name="jwt",
        help="JSON Web Tokens",
        hint=r"eyJ[\w-]{5}",
        needs=(b"eyj",),
        finds=_whole("jwt", patterns.JWT),
        cut=_whole("jwt", patterns.JWT_CUT),
    ),
    Detector(
        name="aws_key",
        help="AWS access key ids, and secrets by name",
        hint=r"A3T|AKIA|ASIA|A[GR][PO]A|A[IN][DPV]A|aws_?se",
        finds=(*_whole("aws_key", patterns.AWS_ID), *_kept("aws_key", patterns.AWS_SECRET)),
        cut=(*_whole("aws_key", patterns.AWS_CUT), *_kept("aws_key", patterns.AWS_SECRET_CUT)),
    ),
    Detector(
        name="github_token",
        help="tokens of GitHub",
        hint="gh[pousr]_|github_pat_",
        needs=(b"gh", b"github_pat_"),
        finds=_whole("github_token", patterns.GITHUB),
        cut=_whole("github_token", patterns.GITHUB_CUT),
    ),
    Detector(
        name="yaat_key",
        help="API keys of YAAT's gateway",
        hint="yaat_[2-9a-z]{10}_",
        needs=(b"yaat_",),
        finds=_whole("yaat_key", patterns.YAAT),
        cut=_whole("yaat_key", patterns.YAAT_CUT),
    ),
    Detector(
        name="generic_token",
        help="keys of Slack, Stripe, Google, GitLab, OpenAI and others with a prefix of their own",
        hint=r"xox[abeoprs]-|xapp-|hooks\.slack|[prs]k_live_|[prs]k_test_|whsec_|AIza|ya29\.|GOCSPX-|glpat-|npm_|pypi-"
        r"|\bsg\.|\bsk-|\bhf_|dop_v1_|shp[acps]+_|\bhv[bs]\.|AGE-SECRET",
        finds=_whole("generic_token", patterns.GENERIC),
        cut=_whole("generic_token", patterns.GENERIC_CUT),
    ),
    Detector(
        name="url_credentials",
        help="user and password in a URL",
        hint="://[^/]*@|://[^\\s\"'<>@]*:[^\\s\"'<>@]*@",
        needs=(b"://",),
        finds=tuple(
            (find, rb"\1" + placeholder("url_credentials") + b"@")
            for find in (patterns.URL, patterns.URL_TOKEN)
        ),
        cut=_kept("url_credentials", patterns.URL_CUT),
    ),
    Detector(
        name="bearer_token",
        help="Authorization headers, bearer tokens",
        hint="authorization|bearer",
        needs=(b"authorization", b"bearer"),
        spares=_spared(patterns.AUTHORIZATION_REDACTED),
        finds=_kept(
            "bearer_token",
            patterns.DIGEST,
            patterns.AUTHORIZATION,
            patterns.AUTHORIZATION_BARE,
            patterns.BEARER,
        ),
        cut=_kept("bearer_token", patterns.BEARER_CUT),
    ),
    Detector(
        name="cookie",
        help="Cookie and Set-Cookie headers",
        hint="cookie",
        needs=(b"cookie",),
        finds=_kept("cookie", patterns.COOKIE),
    ),
    Detector(
        name="password",
        help="values of names like password, secret, token, api_key; tags with such a name",
        hint=patterns.PASSWORD_HINT,
        spares=_spared(
            patterns.PASSWORD_NOTHING,
            patterns.PASSWORD_OBJECT,
            patterns.NAME_PATH,
            patterns.WORKING_DIRECTORY,
        ),
        finds=(
            (patterns.PASSWORD, patterns.PASSWORD_KEPT + placeholder("password")),
            *_kept("password", patterns.PASSWORD_XML, patterns.PASSWORD_ARGUMENT, patterns.PASSWORD_SQL),
        ),
        keys=patterns.SENSITIVE_KEY,
    ),
    Detector(
        name="iban",
        help="bank account numbers with the right length and check digits",
        hint=personal.IBAN,
        finds=(),
        verify=iban.replace,
    ),
    Detector(
        name="credit_card",
        help="card numbers with the right check digit",
        hint=patterns.CARD,
        finds=(),
        cut=_whole("credit_card", patterns.CARD_CUT),
        verify=cards.replace,
    ),
    Detector(
        name="us_ssn",
        help="Social Security numbers of the United States, with hyphens or behind their name",
        hint=personal.US_SSN_HINT,
        spares=_spared(personal.NO_US_SSN),
        finds=_kept("us_ssn", personal.US_SSN, personal.US_SSN_NAMED),
        keys=personal.US_SSN_KEY,
    ),
    Detector(
        name="email",
        help="e-mail addresses",
        hint=personal.EMAIL_HINT,
        needs=(b"@", b"%40"),
        spares=_spared(*personal.NO_EMAIL),
        finds=_whole("email", personal.EMAIL),
        cut=_whole("email", personal.EMAIL_CUT),
    ),
    Detector(
        name="phone",
        help="telephone numbers: international, North American, or behind a name like phone",
        hint=personal.PHONE_HINT,
        spares=_spared(personal.NO_PHONE),
        finds=_kept("phone", personal.PHONE, personal.PHONE_NANP, personal.PHONE_NAMED),
        keys=personal.PHONE_KEY,
    ),
    Detector(
        name="ipv6",
        help="addresses of IPv6, but for ::1 and ::",
        hint=personal.IPV6_HINT,
        needs=(b":",),
        finds=(),
        verify=judged(personal.IPV6, addresses.is_ipv6),
    ),
    Detector(
        name="ipv4",
        help="addresses of IPv4, but for 127.0.0.1 and 0.0.0.0",
        hint=personal.IPV4_HINT,
        spares=_spared(*personal.NO_IPV4),
        finds=_kept("ipv4", personal.IPV4),
        cut=_kept("ipv4", personal.IPV4_CUT),
    ),
    Detector(
        name="high_entropy",
        help="words of 24 letters and more that chance seems to have made",
        hint=personal.HIGH_ENTROPY_HINT,
        apart=True,
        finds=(),
        verify=judged(personal.HIGH_ENTROPY, entropy.is_random),
    ),
)

BY_NAME: Final[Mapping[str, Detector]] = {detector.name: detector for detector in TABLE}

_PERSONAL: Final = frozenset(("email", "ipv4", "ipv6", "credit_card", "iban", "us_ssn", "phone"))

#: Names for several detectors at once. A card number is both a secret and personal.
SETS: Final[Mapping[str, frozenset[str]]] = {
    "secrets": frozenset(BY_NAME) - _PERSONAL - {"high_entropy"} | {"credit_card"},
    "pii": _PERSONAL,
    "all": frozenset(BY_NAME),
}


def select(names: Sequence[str]) -> tuple[Detector, ...]:
    """The detectors that ``names`` (of sets or single ones) stand for, in the order of the table.

    Raises:
        ValueError: a name that is neither; says which there are.
    """
    wanted: set[str] = set()
    for name in names:
        if name not in SETS and name not in BY_NAME:
            raise ValueError(_unknown(name))
        wanted |= SETS.get(name, {name})
    return tuple(detector for detector in TABLE if detector.name in wanted)


def _unknown(name: str) -> str:
    import difflib

    known = [*SETS, *BY_NAME]
    near = difflib.get_close_matches(name, known, 1)
    guess = f"did you mean `{near[0]}`? " if near else ""
    return f"no detector {name!r}: {guess}there are the sets {', '.join(SETS)} and {', '.join(BY_NAME)}"
