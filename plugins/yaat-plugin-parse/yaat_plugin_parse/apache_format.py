"""Apache's ``LogFormat`` as a template: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html#formats."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from yaat_plugin_parse.found import Fields
from yaat_plugin_parse.templates import Slot, Template, compiled, unescaped

#: Formats that Apache's own configuration names.
NICKNAMES: Final[Mapping[str, str]] = {
    "common": r'%h %l %u %t "%r" %>s %O',
    "combined": r'%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
    "vhost_combined": r'%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"',
}

_TOKEN: Final = re.compile(r"%(?:!?[\d,]+)?[<>]?(?:\{(?P<argument>[^}]*)\})?(?P<letter>\^t[io]|[A-Za-z%])")
_DIRECTIVE: Final = re.compile(r'\s*LogFormat\s+"(?P<text>(?:[^"\\]|\\.)*)"\s*[\w.-]*\s*', re.DOTALL)
_ESCAPES: Final = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r", "b": "\b", "v": "\v"}
_SIZE: Final = r"\d+|-"
_TIME: Final = r"\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"
#: strftime's letters that make one time of what stands in braces before a `t`, and what they match.
_EPOCHS: Final = {"sec": r"\d+", "msec": r"\d+", "usec": r"\d+"}

_SIMPLE: Final[Mapping[str, Slot]] = {
    "h": Slot("client"),
    "a": Slot("client"),
    "A": Slot("server.address"),
    "l": Slot("apache.logname"),
    "u": Slot("user"),
    "r": Slot("request"),
    "s": Slot("status", r"\d{3}|-"),
    "b": Slot("size", _SIZE),
    "B": Slot("size", _SIZE),
    "O": Slot("size", _SIZE),
    "I": Slot("http.request.size", _SIZE),
    "S": Slot("http.size", _SIZE),
    "D": Slot("us", r"\d+|-"),
    "T": Slot("seconds", r"\d+|-"),
    "m": Slot("method"),
    "U": Slot("path"),
    "q": Slot("query"),
    "H": Slot("protocol"),
    "v": Slot("apache.server_name"),
    "V": Slot("apache.server_name"),
    "p": Slot("server.port", r"\d+|-"),
    "P": Slot("process.pid", r"\d+|-"),
    "k": Slot("apache.keepalives", r"\d+|-"),
    "X": Slot("apache.connection", "[X+-]"),
    "f": Slot("apache.file"),
    "L": Slot("apache.log_id"),
    "R": Slot("apache.handler"),
}
_ARGUED: Final[Mapping[str, str]] = {
    "i": "http.request.header.",
    "o": "http.response.header.",
    "^ti": "http.request.trailer.",
    "^to": "http.response.trailer.",
    "C": "http.request.cookie.",
    "e": "apache.env.",
    "n": "apache.note.",
}
_HEADERS: Final = {
    "referer": "referer",
    "user-agent": "agent",
    "x-forwarded-for": "forwarded",
    "traceparent": "traceparent",
}


@attrs.frozen
class Layout:
    """A ``LogFormat``."""

    template: Template

    @classmethod
    def of(cls, text: str) -> Layout:
        """From a nickname (`common`, `combined`, `vhost_combined`), the format, or the directive as in the configuration.

        Raises:
            ValueError: says what is wrong with it.
        """
        text = NICKNAMES.get(text, text)
        directive = _DIRECTIVE.fullmatch(text)
        if directive is not None:
            text = directive["text"]
        if '\\"' in text:
            text = re.sub(r"\\(.)", lambda hit: _ESCAPES.get(hit[1], hit[0]), text)
        try:
            return cls(compiled(_parts(text.replace("%U%q", "%{target}U"))))
        except ValueError as error:
            raise ValueError(
                f"log_format can't be read back: {error} (write common, combined, vhost_combined, "
                "or the format as in apache2.conf)"
            ) from None

    def read_plain(self, lines: Any) -> Iterator[Fields]:
        """The values of the lines that the fast pattern reads: lines of no other layout."""
        return self._read(lines, self.template.fast)

    def read_odd(self, lines: Any) -> Iterator[Fields]:
        """The values of the lines that the loose pattern reads."""
        return self._read(lines, self.template.loose)

    def _read(self, lines: Any, pattern: str) -> Iterator[Fields]:
        for fields in self.template.read(lines, empty=("request",), patterns=(pattern,)):
            columns = {name: unescaped(column, _ESCAPES) for name, column in fields.columns.items()}
            yield attrs.evolve(fields, columns=columns)


def _parts(text: str) -> Iterator[str | Slot]:
    place = 0
    for match in _TOKEN.finditer(text):
        if match.start() > place:
            yield text[place : match.start()]
        place = match.end()
        quoted = text[: match.start()][-1:] == '"' == text[place:][:1]
        yield from _of_token(match["letter"], match["argument"], quoted)
    rest = text[place:]
    if "%" in rest:
        raise ValueError(f"unknown directive in {rest[:20]!r}")
    if rest:
        yield rest


def _of_token(letter: str, argument: str | None, quoted: bool) -> Iterator[str | Slot]:
    if letter == "%":
        yield "%"
    elif letter == "t":
        yield from _time(argument)
    elif letter in _ARGUED and argument:
        yield Slot(_argued(letter, argument), quoted=quoted)
    elif letter == "T" and argument in ("ms", "us", "s"):
        yield Slot({"s": "seconds"}.get(argument, argument), r"\d+|-")
    elif letter == "U" and argument == "target":
        yield Slot("target", quoted=quoted)
    elif letter == "p" and argument == "remote":
        yield Slot("client.port", r"\d+|-")
    elif letter == "P" and argument:
        yield Slot("thread.id" if "tid" in argument else "process.pid")
    elif letter == "a" and argument == "c":
        yield Slot("network.peer.address")
    elif letter in _SIMPLE:
        yield attrs.evolve(_SIMPLE[letter], quoted=quoted)
    else:
        raise ValueError(f"unknown directive %{letter}")


def _argued(letter: str, argument: str) -> str:
    name = argument.lower() if letter != "e" else argument
    return _HEADERS[name] if letter == "i" and name in _HEADERS else _ARGUED[letter] + name


def _time(argument: str | None) -> Iterator[str | Slot]:
    if argument is None:
        yield "["
        yield Slot("time", _TIME)
        yield "]"
        return
    kind = argument.removeprefix("begin:").removeprefix("end:")
    if kind in _EPOCHS:
        yield Slot("time", _EPOCHS[kind])
    elif kind in ("msec_frac", "usec_frac"):
        yield Slot("time.fraction", r"\d{3,6}")
    else:
        from yaat_plugin_parse.date_patterns import strftime

        for part in strftime(kind or "%d/%b/%Y:%H:%M:%S %z"):
            yield part if isinstance(part, str) else attrs.evolve(part, name=f"time.{part.name}")
