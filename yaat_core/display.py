"""Data on its way to a terminal: the one place where it is made harmless (CVE-2009-4487 and its kin)."""

from __future__ import annotations

import re
from typing import Final

#: C0 and C1 controls with DEL; line and paragraph separators; marks that turn the direction of text (the
#: "Trojan Source" set) or are invisible; lone surrogates.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_UNSAFE_BUT_LINES: Final = re.compile(_UNSAFE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def terminal_safe(text: str, *, lines: bool = False) -> str:
    r"""The text with everything that a terminal would obey written out as ``\n``, ``\x1b`` or ``\u202e``.

    With ``lines``, newlines and tabs stay: for text that is shown as a block of its own.
    """
    return (_UNSAFE_BUT_LINES if lines else _UNSAFE).sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    if found in _SHORT:
        return _SHORT[found]
    code = ord(found)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
