"""The regular expressions for personal data, in RE2's syntax, over bytes: as `patterns`, of which they know `SHIELD`.

RE2 has no lookbehind, so what must not stand in front is the first group, which stays.
"""

from __future__ import annotations

from typing import Final

from yaat_plugin_scrub.patterns import SHIELD

#: What may stand in front of a number: nothing that makes it part of a longer one; or an escaped newline, a colour.
_FRONT: Final = rf"(^|[^\w.+{SHIELD}]|\\+[nrt]|\x1b\[[0-9;]*m)"

# --- e-mail addresses (RFC 5321, and letters beyond ASCII) ----------------------------------------

#: ASCII's letters and digits, and every byte of a longer character.
_LETTER: Final = r"A-Za-z0-9\x80-\xfe"
#: A letter as JSON may write it.
_U: Final = r"\\+u[0-9A-Fa-f]{4}"
_LOCAL: Final = rf"(?:[{_LETTER}._%+'-]|{_U})*[{_LETTER}_+-](?:@|%40)"
EMAIL: Final = rf"{_LOCAL}(?:(?:[{_LETTER}-]|{_U})+\.)+[A-Za-z\x80-\xfe]{{2,}}"
EMAIL_CUT: Final = rf"(?m){_LOCAL}[{_LETTER}.-]*$"
EMAIL_HINT: Final = rf"[{_LETTER}_+-](?:@|%40)[{_LETTER}\\]"
#: Names that only look like addresses: systemd's units, pictures for dense screens, remotes of git.
NO_EMAIL: Final = (
    r"(?i)([\w%+-])(@[\w\\:-]+\.(?:service|socket|target|timer|slice|scope|mount|swap|device|png|jpe?g|gif|svg|webp)\b)",
    r"(\b(?:git|hg))(@)",
)

# --- addresses of the internet protocol -----------------------------------------------------------

_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4: Final = rf"{_FRONT}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]\d?)(?:\.{_OCTET}){{3}}\b"
IPV4_HINT: Final = r"\d\.\d{1,3}\.\d{1,3}\.\d"
IPV4_CUT: Final = rf"(?m){_FRONT}(?:\d{{1,3}}\.){{2,3}}\d{{0,3}}$"
#: Four numbers that are no address: the host itself, five and more parts, versions.
NO_IPV4: Final = (
    rf"{_FRONT}(127\.0\.0\.1\b)",
    r"(?i)(\b(?:version|release)[\"' :=]{1,4})(\d)",
    r"(\b\d+\.\d+\.\d+)(\.\d+\.\d)",
    r"(\b(?:Chrom(?:e|ium)|HeadlessChrome|CriOS|Edg[A-Za-z]*|OPR|Vivaldi|YaBrowser|Electron|Version|Safari)/)(\d)",
)
#: A candidate; `addresses.is_ipv6` decides.
IPV6: Final = (
    rf"(^|[^\w.:{SHIELD}]|\\+[nrt]|\x1b\[[0-9;]*m)"
    rf"((?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:(?:\d{{1,3}}\.){{3}}\d{{1,3}}|[0-9A-Fa-f]{{1,4}}|:)?)"
)
IPV6_HINT: Final = r"[0-9a-f]::|::[0-9a-f]|(?:[0-9a-f]{1,4}:){6}"

# --- numbers of accounts and people ---------------------------------------------------------------

#: Where one may begin (ISO 13616-1: country, check digits); `iban.replace` decides.
IBAN: Final = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}"
#: Social Security numbers: never 000, 666 or 9xx in front, 00 in the middle, 0000 at the end (ssa.gov, since 2011).
_AREA: Final = r"(?:00[1-9]|0[1-9]\d|[1-578]\d\d|6(?:[0-57-9]\d|6[0-57-9]))"
_SERIAL: Final = r"(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})"
_SSN_NAME: Final = r"(?:ssn|social[ _-]?security(?:[ _-]?(?:no|num|number))?)"
_TO_VALUE: Final = r"\\*[\"']?[ \t]*[:=#]?[ \t]*\\*[\"']?"
US_SSN: Final = rf"(^|[^\w.+{SHIELD}-]|\\+[nrt]){_AREA}-(?:0[1-9]|[1-9]\d)-{_SERIAL}\b"
US_SSN_NAMED: Final = rf"(?i)(\b{_SSN_NAME}{_TO_VALUE}){_AREA}[ -]?(?:0[1-9]|[1-9]\d)[ -]?{_SERIAL}\b"
US_SSN_HINT: Final = rf"\d-\d\d-\d{{4}}|{_SSN_NAME}"
US_SSN_KEY: Final = rf"(?i)(?:^|[._-]){_SSN_NAME}$"
#: Part of a longer number.
NO_US_SSN: Final = r"(\d{3}-\d{2})(-\d{4}-\w)"

#: E.164: a plus and 8 to 15 digits; the North American way; any number behind a name.
PHONE: Final = rf"{_FRONT}\+[1-9](?:[ .()-]{{0,2}}\d){{7,14}}\b"
PHONE_NANP: Final = (
    rf"(^|[^\w.+{SHIELD}-]|\\+[nrt])(?:1[ .-])?"
    r"(?:\([2-9]\d\d\) ?[2-9]\d\d[ -]|[2-9]\d\d-[2-9]\d\d-|[2-9]\d\d\.[2-9]\d\d\.)\d{4}\b"
)
_PHONE_NAME: Final = r"(?:(?:tele|mobile|cell)?[_ -]?phone|mobile|cell|tel|fax)(?:[_ -]?(?:no|nr|number))?"
PHONE_NAMED: Final = (
    rf"(?i)(\b{_PHONE_NAME}\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?)\+?\(?\d(?:[ .()/-]{{0,2}}\d){{6,14}}\b"
)
PHONE_HINT: Final = r"\+[1-9][\d .()-]{7}|[2-9]\d\d[).-] ?[2-9]\d\d[ .-]\d{4}|phone|mobile|cell|tel\b|fax"
PHONE_KEY: Final = rf"(?i)(?:^|[._-]){_PHONE_NAME}$"
#: Part of a longer number.
NO_PHONE: Final = r"(\b\d{3}-\d{3})(-\d{4}-\w)"

#: A candidate; `entropy.is_random` decides.
HIGH_ENTROPY: Final = rf"(^|[^\w+/{SHIELD}-]|\\+[nrt])([\w+/-]{{24,}}={{0,2}})"
HIGH_ENTROPY_HINT: Final = r"[\w+/-]{24}"
