"""log4j, Logback and java.util.logging as they are commonly set up, or by a pattern of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

from yaat_plugin_parse.config import Log4jConfig
from yaat_plugin_parse.formats.patterned import Family, PatternFormat
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.naming import column_names
from yaat_plugin_parse.pattern_layout import template_of
from yaat_plugin_parse.written import Written, found_in
from yaat_plugin_parse.zones import zone_of

_DAY: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
_TIME: Final = rf"(?P<timestamp>{_DAY}(?:[.,]\d{{1,9}})?(?:Z|[+-]\d\d:?\d\d)?)"
_NAMES: Final = "TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE|CONFIG|FINE|FINER|FINEST"
_HOURS: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)[.,](?P<fraction>\d{3})"
_LEVEL: Final = rf"(?P<level>{_NAMES})"
_LOGGER: Final = r"(?P<logger>[A-Za-z_$][\w.$/-]*)"
_THREAD: Final = r"\[ *(?P<thread>[^\]]*?) *\]"
_MESSAGE: Final = r"(?P<message>(?s:.*))$"
_TAGS: Final = {
    **{piece: f"time.{piece}" for piece in ("hour", "minute", "second", "fraction")},
    "thread": "thread.name",
    "process": "process.pid",
    "app": "log4j.application",
    "node": "elasticsearch.node",
}

FAMILIES: Final = (
    # 2026-01-05T10:00:00.123+01:00  INFO 12 --- [app] [  main] c.e.App   : words (Spring Boot)
    (
        rf"^{_DAY}\S* +[A-Z]+ \d+ --- \[",
        (
            rf"^{_TIME} +{_LEVEL} (?P<process>\d+) --- \[ *(?P<app>[^\]]*)\] {_THREAD} +{_LOGGER} *: {_MESSAGE}",
            rf"^{_TIME} +{_LEVEL} (?P<process>\d+) --- {_THREAD} +(?P<logger>\S*) *: {_MESSAGE}",
        ),
    ),
    # 2026-01-05 10:00:00,123 [main] INFO  c.e.App - words
    (
        rf"^{_DAY}\S* \[[^\]]*\] +[A-Z]+ ",
        (
            rf"^{_TIME} {_THREAD} +{_LEVEL} +{_LOGGER}(?::(?P<line>\d+))? --? {_MESSAGE}",
            rf"^{_TIME} {_THREAD} +{_LEVEL} +{_LOGGER}(?::(?P<line>\d+))?: {_MESSAGE}",
            rf"^{_TIME} {_THREAD} +{_LEVEL} +-? ?{_MESSAGE}",
        ),
    ),
    # 2026-01-05 10:00:00,123 INFO  [main] c.e.App - words; ... - INFO  [main:App@12] - words (ZooKeeper)
    (
        rf"^{_DAY}\S* (?:\[myid:[^\]]*\] )?(?:- )?[A-Z]+ +\[",
        (
            rf"^{_TIME} (?:\[myid:(?P<myid>[^\]]*)\] )?- {_LEVEL} +{_THREAD} - {_MESSAGE}",
            rf"^{_TIME} {_LEVEL} +{_THREAD} +{_LOGGER}(?::(?P<line>\d+))?(?: -|:) {_MESSAGE}",
            rf"^{_TIME} {_LEVEL} +\[{_LOGGER}\] \((?P<thread>[^)]*)\) {_MESSAGE}",
        ),
    ),
    # [2026-01-05 10:00:00,123] INFO words (kafka.server.KafkaServer); [...][INFO ][o.e.n.Node ] [node] words (Elasticsearch)
    (
        rf"^\[{_DAY}[^\]]*\] ?\[?[A-Z]+",
        (
            rf"^\[{_TIME}\]\[{_LEVEL} *\]\[{_LOGGER} *\] \[(?P<node>[^\]]*)\] ?{_MESSAGE}",
            rf"^\[{_TIME}\] {_LEVEL} (?P<message>(?s:.*)) \({_LOGGER}\)$",
        ),
    ),
    # 10:00:00.123 [main] INFO  c.e.App -- words (Logback's default); 10:00:00,123 INFO  [logger] (thread) words (WildFly)
    (
        r"^\d\d:\d\d:\d\d[.,]\d{3} ",
        (
            rf"^{_HOURS} {_THREAD} +{_LEVEL} +{_LOGGER} --? {_MESSAGE}",
            rf"^{_HOURS} {_LEVEL} +\[{_LOGGER}\] \((?P<thread>[^)]*)\) {_MESSAGE}",
        ),
    ),
    # 05-Jan-2026 10:00:00.123 INFO [main] org.apache.X.method words (Tomcat)
    (
        r"^\d\d-[A-Z][a-z]{2}-\d{4} ",
        (
            rf"^(?P<timestamp>\d\d-[A-Z][a-z]{{2}}-\d{{4}} \d\d:\d\d:\d\d\.\d{{3}}) {_LEVEL} {_THREAD} {_LOGGER} {_MESSAGE}",
        ),
    ),
    # Jan 05, 2026 10:00:00 AM com.example.App main\nINFO: words (java.util.logging)
    (
        r"^[A-Z][a-z]{2} \d\d, \d{4} ",
        (
            rf"^(?P<timestamp>[A-Z][a-z]{{2}} \d\d, \d{{4}} \d{{1,2}}:\d\d:\d\d [AP]M) {_LOGGER}(?: (?P<function>\S+))?\n"
            rf"{_LEVEL}: {_MESSAGE}",
        ),
    ),
    # INFO  [main] 2026-01-05 10:00:00,123 App.java:12 - words (Cassandra)
    (
        rf"^(?:{_NAMES}) +\[",
        (rf"^{_LEVEL} +{_THREAD} {_TIME} (?P<file>[\w.$]+):(?P<line>\d+) - {_MESSAGE}",),
    ),
)


class Log4jFormat(PatternFormat):
    """The user's pattern, or the common layouts."""

    def __init__(self, config: Log4jConfig) -> None:
        zone = zone_of(config.timezone)
        names = column_names(zone)

        def finish(fields: Fields) -> Found:
            columns = {_TAGS.get(name, name): column for name, column in fields.columns.items()}
            return found_in(attrs.evolve(fields, columns=columns), zone, names)

        super().__init__([Family(beginning, patterns, finish) for beginning, patterns in FAMILIES])
        self._own = Written(template_of(config.pattern), zone, names) if config.pattern else None

    def fits(self, lines: Any) -> Any:
        """Where a pattern reads the line."""
        return self._own.fits(lines) if self._own else super().fits(lines)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line that is read."""
        return self._own.parse(lines) if self._own else super().parse(lines, stream)
