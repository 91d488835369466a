"""nginx's ``log_format`` as a template: https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse.found import Fields
from yaat_plugin_parse.templates import Slot, Template, compiled

_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_DIRECTIVE: Final = re.compile(
    r"\s*log_format\s+\S+\s+(?:escape=(?P<escape>default|json|none)\s+)?(?P<texts>.*?);?\s*", re.DOTALL
)
_QUOTED: Final = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")""", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}

#: Variables whose values have a form of their own.
_PATTERNS: Final[Mapping[str, str]] = {
    "status": r"\d{3}",
    "time_local": r"\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}",
    "time_iso8601": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)",
    "msec": r"\d+\.\d{3}",
    "request_time": r"\d+\.\d+|-|",
    "body_bytes_sent": r"\d+|-",
    "bytes_sent": r"\d+|-",
    "request_length": r"\d+|-",
    "pid": r"\d+",
    "connection": r"\d+",
    "connection_requests": r"\d+",
}
_NAMES: Final[Mapping[str, str]] = {
    "remote_addr": "client",
    "remote_user": "user",
    "time_local": "time",
    "time_iso8601": "time",
    "msec": "time",
    "request": "request",
    "request_method": "method",
    "request_uri": "target",
    "uri": "path",
    "document_uri": "path",
    "args": "query",
    "query_string": "query",
    "server_protocol": "protocol",
    "status": "status",
    "body_bytes_sent": "size",
    "http_referer": "referer",
    "http_user_agent": "agent",
    "http_x_forwarded_for": "forwarded",
    "http_traceparent": "traceparent",
    "opentelemetry_trace_id": "trace_id",
    "opentelemetry_span_id": "span_id",
    "otel_trace_id": "trace_id",
    "otel_span_id": "span_id",
    "datadog_trace_id": "datadog.trace_id",
    "request_time": "seconds",
    "bytes_sent": "http.response.size",
    "request_length": "http.request.size",
    "host": "server.address",
    "http_host": "http.request.header.host",
    "server_name": "nginx.server_name",
    "server_port": "server.port",
    "remote_port": "client.port",
    "scheme": "url.scheme",
    "request_id": "http.request.id",
    "ssl_protocol": "tls.protocol.version",
    "ssl_cipher": "tls.cipher",
    "pid": "process.pid",
}


@attrs.frozen
class Layout:
    """A ``log_format``: its template, and how values are escaped."""

    template: Template
    escape: Literal["default", "json", "none"] = "default"

    @classmethod
    def of(cls, text: str) -> Layout:
        """From the format itself, or from the whole directive as it stands in nginx.conf.

        Raises:
            ValueError: says what is wrong with it.
        """
        escape: Any = "default"
        directive = _DIRECTIVE.fullmatch(text)
        if directive is not None:
            text, escape = _joined(directive["texts"]), directive["escape"] or "default"
        elif text.strip()[:1] in ("'", '"') and _QUOTED.match(text):
            text = _joined(text)
        if not _VARIABLE.search(text):
            raise ValueError(
                "log_format names no variable: copy it from nginx.conf, e.g. '$remote_addr [$time_local] \"$request\" $status'"
            )
        try:
            text = text.replace("$uri$is_args$args", "$request_uri")
            return cls(compiled(_parts(text, quoted=escape == "json")), escape)
        except ValueError as error:
            raise ValueError(f"log_format can't be read back: {error}") from None

    def read(self, lines: Any) -> Iterator[Fields]:
        """The values of the lines that it reads."""
        for fields in self.template.read(lines, empty=("request",)):
            if self.escape == "json":
                columns = {name: _plain(column) for name, column in fields.columns.items()}
                fields = attrs.evolve(fields, columns=columns)
            yield fields


def _joined(texts: str) -> str:
    """Quoted pieces, one behind the other, as nginx reads its configuration."""
    found, place = "", 0
    while match := _QUOTED.match(texts, place):
        one = match[1] if match[1] is not None else match[2]
        found += re.sub(r"\\(.)", lambda hit: _ESCAPES.get(hit[1], hit[1]), one, flags=re.DOTALL)
        place = match.end()
    if texts[place:].strip():
        raise ValueError(f"log_format is not quoted as in nginx.conf near {texts[place:].strip()[:20]!r}")
    return found


def _parts(text: str, *, quoted: bool) -> Iterator[str | Slot]:
    place = 0
    for match in _VARIABLE.finditer(text):
        if match.start() > place:
            yield text[place : match.start()]
        variable = match[1] or match[2]
        before, after = text[: match.start()][-1:], text[match.end() :][:1]
        yield Slot(name_of(variable), _PATTERNS.get(variable, ""), quoted=quoted and before == after == '"')
        place = match.end()
    if place < len(text):
        yield text[place:]


def name_of(variable: str) -> str:
    """The field or tag that a variable becomes."""
    if variable in _NAMES:
        return _NAMES[variable]
    for prefix, tag in (("http_", "http.request.header."), ("sent_http_", "http.response.header.")):
        if variable.startswith(prefix):
            return tag + variable.removeprefix(prefix).replace("_", "-")
    return f"nginx.{variable}"


def _plain(column: Any) -> Any:
    """Values that were escaped as JSON's."""
    if not pc.any(pc.match_substring(column, "\\")).as_py():
        return column
    return pa.array([text if text is None else _unescaped(text) for text in column.to_pylist()], pa.string())


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False)).encode("utf-8", "replace").decode()
    except ValueError:
        return text
