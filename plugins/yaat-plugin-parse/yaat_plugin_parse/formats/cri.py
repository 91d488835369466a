"""Lines of containerd and CRI-O: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md.

    2026-01-05T10:00:00.123456789Z stdout F words
    2026-01-05T10:00:00.123456789Z stdout P the beginning of a long line

A source that joined the parts of a line (or the lines of a trace) gives one event of several lines: a part (`P`) is followed by
its rest, a whole line (`F`) by a line break. A part that stands alone has the tag `log.partial`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse.config import CriConfig
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.matching import hits, matched
from yaat_plugin_parse.wrapped import unwrapped
from yaat_plugin_parse.zones import zone_of

_TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
_HEAD: Final = rf"{_TIME} (?:stdout|stderr) [PF](?::\S*)?(?: |\n|$)"
_LINE: Final = (
    rf"^(?P<timestamp>{_TIME}) (?P<stream>stdout|stderr) "
    r"(?P<flag>[PF])(?::(?P<logtags>\S*))?(?: |$)(?P<message>(?s:.*))$"
)
#: Heads inside of an event. One with tags would lose them: it stays text.
_BEGIN: Final = rf"\n{_TIME} (?:stdout|stderr) [PF](?: |\n|$)"
_INNER: Final = re.compile(rf"\n{_TIME} (?:stdout|stderr) (?P<flag>[PF])(?: |(?=\n)|$)")


class CriFormat:
    """Each line with its head taken off."""

    def __init__(self, config: CriConfig) -> None:
        self._zone = zone_of(config.timezone)
        self._again = config.content == "auto"

    def fits(self, lines: Any) -> Any:
        """A time, a stream and a flag."""
        return hits(lines, f"^{_HEAD}")

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line with a head."""
        fields = matched(lines, _LINE, empty=("message", "flag"))
        if not len(fields.rows):
            return []
        columns = dict(fields.columns)
        message, flag = columns["message"].fill_null(""), columns.pop("flag")
        several = np.asarray(pc.match_substring_regex(message, _BEGIN))
        if several.any():
            message, flag = _together(message, flag, several)
        part = pc.equal(flag, pa.scalar("P", pa.string()))
        columns["partial"] = pc.if_else(part, pa.scalar("true", pa.string()), pa.scalar(None, pa.string()))
        columns["message"] = message
        return [unwrapped(Fields(fields.rows, columns), self._zone, again=self._again)]


def _together(message: Any, flag: Any, several: Any) -> tuple[Any, Any]:
    """Messages whose later lines have heads of their own, and the flag of the last line of each."""
    mask = pa.array(several)
    joined, flags = [], []
    for text, last in zip(message.filter(mask).to_pylist(), flag.filter(mask).to_pylist(), strict=True):
        whole, place = "", 0
        for head in _INNER.finditer(text):
            whole += text[place : head.start()] + ("" if last == "P" else "\n")
            place, last = head.end(), head["flag"]
        joined.append(whole + text[place:])
        flags.append(last)
    return (
        pc.replace_with_mask(message, mask, pa.array(joined, pa.string())),
        pc.replace_with_mask(flag, mask, pa.array(flags, pa.string())),
    )
