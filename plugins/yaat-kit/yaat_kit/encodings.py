"""How the text of a file is stored: which bytes end a line, and which codec reads the rest.

A file is cut into lines before it is decoded, so an encoding is known here only when a newline can be
found in its bytes: UTF-16 and UTF-32 by their unit, and the codecs in which the byte 0x0A is nothing but a
newline. That leaves out EBCDIC, UTF-7 and those with shift states (ISO-2022, HZ).
"""

from __future__ import annotations

import codecs
from typing import Final

import attrs


@attrs.frozen
class Encoding:
    """``codec`` is Python's name, ``unit`` the width of a newline in bytes, ``dtype`` its numpy type."""

    codec: str
    unit: int = 1
    dtype: str = "u1"
    bom: bytes = b""

    def encode(self, text: str) -> bytes:
        """The bytes of ``text``, without a BOM."""
        return text.encode(self.codec)


UTF8: Final = Encoding("utf-8", bom=codecs.BOM_UTF8)
_UTF16: Final = (
    Encoding("utf-16-le", 2, "<u2", codecs.BOM_UTF16_LE),
    Encoding("utf-16-be", 2, ">u2", codecs.BOM_UTF16_BE),
)
_UTF32: Final = (
    Encoding("utf-32-le", 4, "<u4", codecs.BOM_UTF32_LE),
    Encoding("utf-32-be", 4, ">u4", codecs.BOM_UTF32_BE),
)
_WIDE: Final = {encoding.codec: encoding for encoding in (*_UTF16, *_UTF32)}
#: Codecs of several bytes a character whose second and later bytes are never 0x0A.
_JAPANESE: Final = (
    "shift_jis",
    "shift_jis_2004",
    "shift_jisx0213",
    "cp932",
    "euc_jp",
    "euc_jis_2004",
    "euc_jisx0213",
)
_CHINESE: Final = ("gbk", "gb2312", "gb18030", "big5", "big5hkscs", "cp950")
_MULTI_BYTE: Final = frozenset((*_JAPANESE, *_CHINESE, "euc_kr", "cp949", "johab"))

#: What the documents name; `encoding_of` knows more.
COMMON: Final = ("utf-8", "latin-1", "utf-16", "utf-16le", "utf-16be", "shift_jis", "gbk", "gb18030", "big5")


def check_encoding(name: str) -> None:
    """Is it an encoding that files may have?

    Raises:
        ValueError: no; says which are known.
    """
    encoding_of(name, b"")


def encoding_of(name: str, head: bytes) -> Encoding:
    """The encoding ``name`` of a file that begins with ``head`` (4 bytes, if it has them).

    ``utf-16`` and ``utf-32`` take their byte order from the BOM, and are little-endian without one.
    A UTF-16 BOM is no UTF-8, so it decides for ``utf-8`` too. Names are Python's, with all their aliases.

    Raises:
        ValueError: not known, or not one that can be cut into lines.
    """
    codec = _codec(name)
    if codec in ("utf-8", "utf-8-sig"):
        return next((wide for wide in _UTF16 if head.startswith(wide.bom)), UTF8)
    if codec in ("utf-16", "utf-32"):
        little, big = _UTF16 if codec == "utf-16" else _UTF32
        return big if head.startswith(big.bom) else little
    if codec in _WIDE:
        return _WIDE[codec]
    if codec in _MULTI_BYTE or _one_byte(codec):
        return Encoding(codec)
    raise ValueError(
        f"encoding {name!r} can't be cut into lines: in it a newline is not always the byte 0x0A; "
        f"write one like {', '.join(COMMON)}"
    )


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise ValueError(
            f"unknown encoding {name!r}: write one of {', '.join(COMMON)}, or another that Python knows"
        ) from None


def _one_byte(codec: str) -> bool:
    """Does each byte stand for one character, and the first 128 for those of ASCII?"""
    every = bytes(range(256))
    if "escape" in codec:
        return False
    try:
        text = every.decode(codec, "replace")
        separate = "".join(bytes([byte]).decode(codec, "replace") for byte in every)
    except (LookupError, UnicodeError):
        return False
    return len(text) == 256 and text == separate and text[:128] == every[:128].decode("ascii")
