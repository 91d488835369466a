"""The regular expressions of the detectors, in RE2's syntax, over bytes (Latin-1): programs stay small and quick.

`SHIELD` is a byte that UTF-8 never has. In front of a text it says: this is no secret, or not any more. No pattern
accepts it where a secret would begin, so that `password=[jwt]` is not redacted again. It is taken out in the end.
"""

from __future__ import annotations

from typing import Final

#: As patterns write it; `detectors.SHIELD` is the byte.
SHIELD: Final = r"\xff"

# --- key=value ----------------------------------------------------------------------------------

#: Names whose value is a secret; the name may have anything in front (DB_PASSWORD, x-api-key).
_NAME: Final = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret|token"
    r"|(?:api|access|account|auth|encryption|private|secret|signing)[_. -]?key"
    r"|(?:^|[^a-z])(?:db|user|my|mysql|pg|postgres|smtp|redis|admin|root|ftp|ldap|mail|proxy)_?pass)\d?"
)
#: From the name to the value: quotes of the name, brackets (`user[password]=`), then a sign.
_SIGN: Final = r"(?:\\*[\"']){0,2}\]?[ \t]*(?:[=:]+>*|%3d)[ \t]*"
_SCHEME: Final = r"(?:(?:bearer|basic)\s+)?"


#: What can't follow two quotes that open: there an empty text ended.
_AFTER_EMPTY: Final = r",:;}\]\s"


def _quoted(quote: str, opening: str, never: str = "") -> str:
    """A text in quotes, cut off or not, up to the closing quote; one group: the opening one."""
    first = rf"(?:[^{quote}\\{never}{SHIELD}]|\\[^{SHIELD}])"
    return rf"({opening}{_SCHEME}){first}(?:[^{quote}\\]|\\.|{quote}{quote})*"


def _escaped_quoted(quote: str, opening: str, inner: str, never: str = "") -> str:
    r"""The same within a quoted text, as in ``"{\"token\":\"x\"}"``.

    ``inner`` is how many backslashes a quote within it has.
    """
    first = rf"(?:[^{quote}\\{never}{SHIELD}]|\\+[^{quote}\\{SHIELD}])"
    within = rf"[^{quote}\\]|\\+[^{quote}\\]|\\{inner}{quote}"
    return rf"({opening}{_SCHEME}){first}(?:{within})*"


_BARE: Final = rf"\{{?(?:[^\s\"',;&=:>\{{\\{SHIELD}]|\\+[^\"'\s\\{SHIELD}])(?:[^\s\"',;&\\]|\\+[^\"'\s\\])*"
_VALUE: Final = "|".join(
    [
        _quoted('"', '[bur]?"'),
        _quoted('"', '""', _AFTER_EMPTY),
        _quoted("'", "[bur]?'"),
        _escaped_quoted('"', r'\\"', "{2,}"),
        _escaped_quoted('"', r'\\{2,3}"', "{4,}"),
        _escaped_quoted('"', r'\\{4,}"', "{8,}"),
        _escaped_quoted('"', r'\\+"\\+"', "{8,}", _AFTER_EMPTY),
        _escaped_quoted("'", r"\\+'", "{8,}"),
        _BARE,
    ]
)
PASSWORD: Final = rf"(?is)({_NAME}{_SIGN}{_SCHEME})(?:{_VALUE})"
#: What stays of a match of `PASSWORD`: the name, and the opening quote.
PASSWORD_KEPT: Final = rb"\1\2\3\4\5\6\7\8\9"
PASSWORD_XML: Final = rf"(?i)(<(?:\w+:)?[\w.-]*{_NAME}(?:\s[^<>]*)?>\s*)[^<\s{SHIELD}][^<]*"
PASSWORD_ARGUMENT: Final = rf"(?i)(--?(?:[a-z]+-)*{_NAME}\s+)[^\s\"'{SHIELD}-]\S*"
PASSWORD_SQL: Final = rf"(?i)((?:password|identified\s+by)\s+)'[^'{SHIELD}][^']*'?"
#: All of the above, and a little more.
PASSWORD_HINT: Final = (
    rf"{_NAME}(?:[\"'\\\]\s]*[=:>%]|\s+'|\s[^<>]*>)"
    r"|-[\w.-]*(?:pass|pwd|secret|token|key|code)\w*\s|identified\s+by"
)

#: What an earlier redaction left.
_REDACTED: Final = (
    r"\[(?:redacted|masked|filtered|hidden|removed|private_key|jwt|aws_key|github_token|yaat_key|generic_token"
    r"|url_credentials|bearer_token|cookie|password|credit_card|email|ipv4|ipv6|iban|us_ssn|phone|high_entropy)\]"
)
#: Values that are none: so that "token: expired" and "password: null" stay as they are.
_NOTHING: Final = (
    r"(?:null|nil|none|true|false|undefined|expired|invalid|missing|required|incorrect|rejected|revoked"
    # packages of Debian: passwd:amd64
    r"|empty|unset|not|n/a|\*+|<[\w -]+>|all|any|amd64|arm64|armel|armhf|i386|ppc64el|riscv64|s390x"
    rf"|{_REDACTED})"
)
PASSWORD_NOTHING: Final = rf"(?i)({_NAME}{_SIGN}(?:\\*[\"'])?)({_NOTHING}\\*[\"']?(?:[\s,;&.)}}\]]|$))"
#: An object as Java prints it: ``token=Token{a64f992 ...``.
PASSWORD_OBJECT: Final = r"(?i)(token[ \t]*=[ \t]*)(\w*Token\{[0-9a-f]{5,8}\b)"
#: A path of names, as Rust and C++ write it.
NAME_PATH: Final = rf"(?i)({_NAME})(::)"
#: The working directory, as sudo and env print it.
WORKING_DIRECTORY: Final = r"(\b(?:OLD)?PWD=)(/)"

# --- headers and URLs ---------------------------------------------------------------------------

_HEADER: Final = r"(?:proxy-)?authorization(?:\\*[\"'])?[ \t]*[:=][ \t]*\[?(?:\\*[\"'])?"
_GAP: Final = r"(?:\s+|%20|\+)"
_BEGIN: Final = rf"[^\s\"',;\\{SHIELD}]"
_REST: Final = r"[^\s\"',;\\]"
DIGEST: Final = rf"(?i)({_HEADER}(?:digest|aws4-hmac-sha256){_GAP})[^\s{SHIELD}][^\r\n]*"
AUTHORIZATION: Final = rf"(?i)({_HEADER}(?:bearer|basic|token|apikey|negotiate|ntlm){_GAP}){_BEGIN}{_REST}*"
AUTHORIZATION_BARE: Final = rf"(?i)({_HEADER}){_BEGIN}{_REST}{{11,}}"
BEARER: Final = rf"(?i)(\bbearer{_GAP})[a-z0-9._~+/=-]{{16,}}"
AUTHORIZATION_REDACTED: Final = rf"(?i)({_HEADER}(?:[a-z0-9-]+{_GAP})?)({_REDACTED})"
_PAIR: Final = r"[^\s=;,\"'\\]+=[^\s;\"'\\]*"
COOKIE: Final = (
    rf"(?i)(\b(?:set-)?cookie(?:\\*[\"'])?[ \t]*[:=][ \t]*(?:\\*[\"'])?){_PAIR}(?:;\s*[^\s;\"'\\]+)*"
)
_USER: Final = rf"[^\s/@:\"'<>\[{SHIELD}]*"
#: A password may hold a slash; what begins with a port number and a slash is none.
_URL_PASSWORD: Final = r"\d*[^\s/@\"'<>\d][^\s\"'<>@]*(?:@[^\s\"'<>@/]*)?|\d+"
URL: Final = rf"(?i)([a-z][a-z0-9+.-]*://){_USER}:(?:{_URL_PASSWORD})@"
#: A token that stands where the user stands.
URL_TOKEN: Final = r"(?i)((?:git\+)?https?://)[a-z0-9_.~-]{20,}@"

# --- keys by their own looks --------------------------------------------------------------------

_PEM_NAME: Final = r"(?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?"
PEM: Final = rf"(?s)-{{4,5}} ?BEGIN {_PEM_NAME}.*?(?:-{{4,5}} ?END {_PEM_NAME} ?-{{4,5}}|\z)"
_BASE64_LINES: Final = r"(?:[A-Za-z0-9+/=]{16,}(?:\\+[nr]|\s)*)*(?:[A-Za-z0-9+/=]+(?:\\+[nr]|\s)+)?"
#: The end of a block whose beginning is elsewhere.
PEM_TAIL: Final = rf"{_BASE64_LINES}-{{4,5}} ?END {_PEM_NAME} ?-{{4,5}}"
JWT: Final = r"\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_=-]+){1,4}|\beyJ[A-Za-z0-9_-]{30,}"
AWS_ID: Final = r"(?:A3T[A-Z0-9]|AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA)[A-Z0-9]{12,}"
AWS_SECRET: Final = (
    r"(?i)(aws_?(?:secret|session)\w*(?:\\*[\"'])?[ \t]*(?:=>|:=|=|:)[ \t]*(?:\\*[\"'])?)[A-Za-z0-9/+=]{40,}"
)
GITHUB: Final = r"(?i)gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}"
#: A key of our own gateway: its id, then its text, whole or cut.
YAAT: Final = r"yaat_[2-9a-z]{10}_[0-9A-Za-z]{8,}"
_TOKENS: Final = (
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"xapp-[0-9]-[A-Za-z0-9-]{10,}",
    r"hooks\.slack\.com/services/[A-Za-z0-9/]{20,}",
    r"[prs]k_(?:live|test)_[A-Za-z0-9]{10,}",  # Stripe
    r"whsec_[A-Za-z0-9+/=]{16,}",
    r"AIza[A-Za-z0-9_-]{30,}",  # Google
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"GOCSPX-[A-Za-z0-9_-]{20,}",
    r"glpat-[A-Za-z0-9_-]{20,}",  # GitLab
    r"npm_[A-Za-z0-9]{36,}",
    r"pypi-[A-Za-z0-9_-]{32,}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
    r"sk-[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic
    r"hf_[A-Za-z0-9]{30,}",
    r"dop_v1_[a-f0-9]{64}",  # DigitalOcean
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",  # Shopify
    r"hv[bs]\.[A-Za-z0-9_-]{20,}",  # Vault
    r"AGE-SECRET-KEY-1[A-Z0-9]{20,}",
)
GENERIC: Final = rf"\b(?:{'|'.join(_TOKENS)})"
CARD: Final = r"\d(?:[ -]?\d){12}"

# --- at the end of a line that its source cut ----------------------------------------------------

JWT_CUT: Final = r"(?m)\beyJ[A-Za-z0-9_.-]*$"
AWS_CUT: Final = r"(?m)\b(?:A3T|AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA)[A-Z0-9]*$"
AWS_SECRET_CUT: Final = (
    r"(?im)(aws_?(?:secret|session)\w*(?:\\*[\"'])?[ \t]*(?:=>|:=|=|:)[ \t]*(?:\\*[\"'])?)[A-Za-z0-9/+=]+$"
)
GITHUB_CUT: Final = r"(?im)gh[pousr]_[A-Za-z0-9]*$|github_pat_\w*$"
YAAT_CUT: Final = r"(?m)yaat_[2-9a-z]{10}_[0-9A-Za-z]*$"
GENERIC_CUT: Final = (
    r"(?m)\b(?:xox[abeoprs]-|xapp-|hooks\.slack\.com/services/|[prs]k_(?:live|test)_|whsec_|AIza|ya29\.|GOCSPX-|glpat-"
    r"|npm_|pypi-|SG\.|sk-|hf_|dop_v1_|shp(?:at|ca|pa|ss)_|hv[bs]\.|AGE-SECRET-KEY-1)[\w./+=-]*$"
)
#: The name and password of a URL whose @ is missing. A port is taken for a password: better so.
URL_CUT: Final = rf"(?im)([a-z][a-z0-9+.-]*://){_USER}:[^\s\"'<>@]*$"
BEARER_CUT: Final = rf"(?im)(\bbearer{_GAP})[a-z0-9._~+/=-]+$"
CARD_CUT: Final = r"(?m)\b[2-6]\d{3}(?:[ -]?\d){2,}[ -]*$"

# --- names of tags ------------------------------------------------------------------------------

SENSITIVE_KEY: Final = (
    rf"(?i)(?:{_NAME}|authorization|cookies?|credentials?|session[_.-]?id|(?:^|[_.-])(?:auth|csrf|jwt))$"
)
