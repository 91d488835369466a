"""Options of the source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from yaat_core.config.options import Duration, Size, configuration, option, positive
from yaat_kit.joining import JoinRule, check_event_bytes, check_event_lines, check_multiline
from yaat_plugin_journald.matching import alternatives
from yaat_plugin_journald.priorities import priorities_of
from yaat_plugin_journald.since import check_since

DEFAULT_FIELDS: Final = (
    "_SYSTEMD_UNIT",
    "_SYSTEMD_USER_UNIT",
    "SYSLOG_IDENTIFIER",
    "_PID",
    "_HOSTNAME",
    "_TRANSPORT",
    "CONTAINER_NAME",
)
#: journald refuses longer ones, and others than these letters (journal-file.c, `journal_field_valid`).
_FIELD: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")


def _fields(_instance: Any, _attribute: Any, value: tuple[str, ...]) -> None:
    for name in value:
        if name != "*" and not _FIELD.fullmatch(name):
            raise ValueError(f"not a field of the journal: {name!r} (capitals, digits and _; or * for all)")


def _matches(_instance: Any, _attribute: Any, value: tuple[Mapping[str, str], ...]) -> None:
    for one in value:
        if not one:
            raise ValueError("an empty match matches everything: write FIELD: value")
        for name in one:
            if not _FIELD.fullmatch(name):
                raise ValueError(f"not a field of the journal: {name!r} (capitals, digits and _)")


def _priority(_instance: Any, _attribute: Any, value: str | None) -> None:
    if value is not None:
        priorities_of(value)


def _since(_instance: Any, _attribute: Any, value: str) -> None:
    check_since(value)


def _namespace(_instance: Any, _attribute: Any, value: str | None) -> None:
    if value is not None and (not value.lstrip("+") or "/" in value):
        raise ValueError(f"not a journal namespace: {value!r} (a name, +name, or * for all)")


@configuration
class JournaldConfig:
    """The systemd journal, from where reading stopped."""

    units: tuple[str, ...] = option(
        (),
        help="Only these units, with what systemd says of them; `.service` may be left out; globs.",
        example=["nginx", "postgresql@*"],
    )
    user_units: tuple[str, ...] = option((), help="Only these units of users' managers.", example=["backup"])
    exclude_units: tuple[str, ...] = option(
        (), help="Not these units, of the system or of users; globs.", example=["cron", "session-*.scope"]
    )
    identifiers: tuple[str, ...] = option(
        (), help="Only these values of SYSLOG_IDENTIFIER.", example=["sshd", "sudo"]
    )
    exclude_identifiers: tuple[str, ...] = option(
        (), help="Not these values of SYSLOG_IDENTIFIER; globs.", example=["systemd-*"]
    )
    priority: str | None = option(
        None,
        help="Only this priority and graver ones, or a range: names (`emerg` to `debug`) or 0 to 7.",
        example="err..info",
        validator=_priority,
    )
    transports: tuple[Literal["audit", "driver", "syslog", "journal", "stdout", "kernel"], ...] = option(
        (), help="Only what came by these ways.", example=["kernel"]
    )
    matches: tuple[Mapping[str, str], ...] = option(
        (),
        help="Only entries that match one of these maps of fields; within a map every field must match.",
        example=[{"_UID": "1000", "_COMM": "python3"}, {"SYSLOG_FACILITY": "10"}],
        validator=_matches,
    )
    exclude_matches: tuple[Mapping[str, str], ...] = option(
        (),
        help="Not entries that match one of these maps; values may be globs.",
        example=[{"_SYSTEMD_UNIT": "app.service", "PRIORITY": "7"}],
        validator=_matches,
    )
    boot: Literal["all", "current"] = option(
        "all", help="`current`: only what was logged since the machine was started."
    )
    journal: Literal["all", "system", "user"] = option(
        "all", help="The system's journal, that of the agent's user, or all that can be read."
    )
    namespace: str | None = option(
        None,
        help="A journal namespace; `+NAME`: with the default one; `*`: all.",
        example="web",
        validator=_namespace,
    )
    merge: bool = option(False, help="Also journals of other machines (systemd-journal-remote).")
    journal_directory: str | None = option(
        None, help="Folder of journal files, instead of this machine's.", example="/host/var/log/journal"
    )
    files: tuple[str, ...] = option(
        (), help="Journal files (globs), instead of this machine's.", example=["/srv/journals/*.journal"]
    )
    since: str = option(
        "boot",
        help="Where to begin at the first start: `now`, `boot`, `beginning`, a duration (`1h`) or a time.",
        example="24h",
        validator=_since,
    )
    fields: tuple[str, ...] = option(
        DEFAULT_FIELDS,
        help="Fields that become tags under their own names; `*`: all.",
        example=["_SYSTEMD_UNIT", "_PID", "CODE_FILE"],
        validator=_fields,
    )
    service_from: Literal["none", "unit", "identifier"] = option(
        "none", help="Take each event's service name from its unit (without `.service`) or its identifier."
    )
    max_field_bytes: Size = option(
        "1MiB",
        help="Longer values are cut to this, counted, and tagged `log.truncated=true`.",
        validator=positive,
    )
    max_fields: int = option(
        256,
        help='With `fields: ["*"]`: an entry\'s further fields are left out, counted, and it is tagged so.',
        validator=positive,
    )
    multiline: str | tuple[str, ...] | JoinRule | None = option(
        None,
        help="Join lines of one unit, identifier and process to events: a preset (`auto`, `python`, `java`, `node`, "
        "`dotnet`, `go`, `ruby`, `rust`, `indent`), several, or patterns.",
        example="auto",
        validator=check_multiline,
    )
    event_lines: int = option(
        1000, help="With `multiline`: an event of more lines is divided.", validator=check_event_lines
    )
    event_bytes: Size = option(
        "1MiB",
        help="With `multiline`: a larger event is divided, and tagged `log.truncated=true`.",
        validator=check_event_bytes,
    )
    join_timeout: Duration = option(
        "500ms",
        help="With `multiline`: the last event is finished when its process has been quiet for so long.",
        validator=positive,
    )
    exclude_self: bool = option(True, help="Leave out what the agent's own unit, or process, logs.")
    reader: Literal["auto", "libsystemd", "journalctl"] = option(
        "auto", help="`auto`: libsystemd where it can be loaded, the program journalctl otherwise."
    )

    def __attrs_post_init__(self) -> None:
        chosen = [
            name
            for name, value in (
                ("journal_directory", self.journal_directory),
                ("files", self.files),
                ("namespace", self.namespace),
            )
            if value
        ]
        if len(chosen) > 1:
            raise ValueError(f"{' and '.join(chosen)} exclude each other: write one source for each")
        if self.merge and (self.files or self.journal_directory):
            raise ValueError("merge is of no use here: all files in journal_directory or files are read")
        if self.files and self.journal != "all":
            raise ValueError("journal is of no use with files: name the files that are wanted")
        alternatives(self, "")  # raises when the options exclude each other
