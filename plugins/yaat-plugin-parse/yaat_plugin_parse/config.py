"""The options of each format."""

from __future__ import annotations

from typing import Literal

from yaat_core.config.options import configuration, option
from yaat_plugin_parse.config_base import FormatConfig, TimedConfig, checked, max_depth, max_fields

Content = Literal["auto", "raw"]


@configuration
class RawConfig(FormatConfig):
    """Lines as they are, nothing looked for."""


@configuration
class AutoConfig(TimedConfig):
    """The format is found out for each stream, and again when its lines change."""

    max_depth: int = max_depth()
    max_fields: int = max_fields()


@configuration
class JsonConfig(TimedConfig):
    """JSON, one object a line: known keys become columns, all others tags."""

    max_depth: int = max_depth()
    max_fields: int = max_fields()


@configuration
class LogfmtConfig(TimedConfig):
    """`key=value` pairs, as Go programs and Heroku write them."""


@configuration
class NginxConfig(TimedConfig):
    """nginx's access log (`combined`, `main`, any `log_format`) as spans, and its error log."""

    log_format: str = option(
        "",
        help="The format as in nginx.conf, or the whole `log_format` directive; by default `combined` and what is "
        "commonly put behind it.",
        example='$remote_addr [$time_iso8601] "$request" $status $request_time',
        validator=checked("log_format:Layout.of"),
    )


@configuration
class ApacheConfig(TimedConfig):
    """Apache's access log (`common`, `combined`, any `LogFormat`) as spans, and its error log."""

    log_format: str = option(
        "",
        help="`common`, `combined`, `vhost_combined`, the format as in apache2.conf, or the whole `LogFormat` directive; "
        "by default the three that have names.",
        example='%h %l %u %t "%r" %>s %O %D',
        validator=checked("apache_format:Layout.of"),
    )


@configuration
class HaproxyConfig(TimedConfig):
    """HAProxy's `httplog`, `httpslog` and `tcplog` as spans, and its other messages."""


@configuration
class DjangoConfig(TimedConfig):
    """Django: its development server's requests as spans, its `verbose` logging, its warnings of requests."""


@configuration
class PythonConfig(TimedConfig):
    """Python's `logging` in its common formats, or in one of your own."""

    log_format: str = option(
        "",
        help="The format string of your `logging.Formatter`, in the style with %; by default the common ones.",
        example="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s",
        validator=checked("python_format:template_of"),
    )
    date_format: str = option(
        "",
        help="The `datefmt` of your formatter; by default times are read in every common form.",
        example="%d.%m.%Y %H:%M:%S",
        validator=checked("date_patterns:template_of"),
    )


@configuration
class Log4jConfig(TimedConfig):
    """log4j, Logback and java.util.logging: the common layouts, or a `PatternLayout` of your own."""

    pattern: str = option(
        "",
        help="The conversion pattern of the layout; by default the common ones.",
        example="%d{yyyy-MM-dd HH:mm:ss,SSS} [%t] %-5p %c{1} - %m%n",
        validator=checked("pattern_layout:template_of"),
    )


@configuration
class KlogConfig(TimedConfig):
    """klog and glog: Kubernetes and other programs with Google's log lines."""


@configuration
class SyslogConfig(TimedConfig):
    """Syslog, RFC 3164 and RFC 5424, with and without priority, as files and sockets have it."""

    content: Content = option(
        "raw",
        help="`auto` takes the messages apart as well; `raw` only those that are JSON objects.",
        example="auto",
    )


@configuration
class DockerConfig(TimedConfig):
    """Docker's json-file: the line that a container wrote, its stream and its time."""

    content: Content = option(
        "auto", help="What the container wrote: `auto` takes it apart, `raw` leaves it."
    )


@configuration
class CriConfig(TimedConfig):
    """Lines of containerd and CRI-O, whole ones and parts."""

    content: Content = option(
        "auto", help="What the container wrote: `auto` takes it apart, `raw` leaves it."
    )


@configuration
class PostgresConfig(TimedConfig):
    """PostgreSQL's log, by its `log_line_prefix`."""

    log_line_prefix: str = option(
        "",
        help="As in postgresql.conf; by default the common ones.",
        example="%m [%p] %q%u@%d ",
        validator=checked("line_prefix:template_of"),
    )


@configuration
class MysqlConfig(TimedConfig):
    """The error log of MySQL and MariaDB."""


@configuration
class RedisConfig(TimedConfig):
    """The log of Redis, Valkey and Sentinel."""


@configuration
class RegexConfig(TimedConfig):
    """Lines that a regular expression describes: named groups become columns and tags."""

    pattern: str = option(
        help="RE2 expression with named groups. Those named like a column go there, all others to tags.",
        example=r"^(?P<timestamp>\S+) (?P<level>\w+) (?P<message>.*)$",
        validator=checked("patterns:check_pattern"),
    )
    time_format: str = option(
        "",
        help="How the group `timestamp` is written, as strftime has it; by default in every common form.",
        example="%d.%m.%Y %H:%M:%S",
        validator=checked("date_patterns:template_of"),
    )


@configuration
class W3cConfig(TimedConfig):
    """W3C extended, as IIS writes it, by its `#Fields:` line."""

    fields: str = option(
        "",
        help="The fields as in `#Fields:`, for lines that are read before such a line was.",
        example="date time c-ip cs-method cs-uri-stem sc-status time-taken",
    )


@configuration
class CsvConfig(TimedConfig):
    """Comma-separated values, by a header line."""

    columns: tuple[str, ...] = option(
        (),
        help="Names of the columns; by default the first line of each stream has them.",
        example=["timestamp", "level", "message"],
    )
    delimiter: str = option(",", help="One character between two values.", example=";")

    def __attrs_post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n' or not self.delimiter.isascii():
            raise ValueError(f"delimiter must be one character such as ; or |, got {self.delimiter!r}")
