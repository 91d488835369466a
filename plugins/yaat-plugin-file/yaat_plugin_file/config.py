"""The options of a `file` source."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from yaat_core.config.options import Duration, Size, configuration, option, positive
from yaat_kit.encodings import check_encoding
from yaat_kit.joining import JoinRule, check_event_bytes, check_event_lines, check_multiline

FileTag = Literal["name", "offset", "path_resolved", "owner", "record_number"]
DEFAULT_EXCLUDE = ("*.gz", "*.bz2", "*.xz", "*.zst", "*.zip")


def _encoding(instance: Any, attribute: Any, value: str) -> None:
    check_encoding(value)


def _line_bytes(instance: Any, attribute: Any, value: int) -> None:
    if not 1 <= value <= 64 << 20:
        raise ValueError(f"must be between 1B and 64MiB, got {value}")


def _some(instance: Any, attribute: Any, value: tuple[str, ...]) -> None:
    if not value or not all(value):
        raise ValueError("names no file: write at least one path or glob, e.g. [/var/log/app/*.log]")


@configuration
class FileConfig:
    """Lines of text files, followed through rotation."""

    reads_lines: ClassVar[bool] = True

    paths: tuple[str, ...] = option(
        help="Files to read: paths or globs (`**`: any depth of folders), relative to the configuration file.",
        example=["/var/log/app/*.log"],
        validator=_some,
    )
    exclude: tuple[str, ...] = option(
        DEFAULT_EXCLUDE,
        help="Globs of files not to read: of names, or of whole paths when they hold a slash. A path that names "
        "compressed files (`*.log.gz`) takes its suffix out of the default.",
        example=["*.gz", "/var/log/app/debug/**"],
    )
    exclude_older_than: Duration | None = option(
        None,
        help="Files last written longer ago are not begun until they are written to again.",
        example="7d",
        validator=positive,
    )
    start_at: Literal["beginning", "end"] = option(
        "beginning",
        help="Where to begin in files that are there at the first start; those that appear later are read from their beginning.",
    )
    encoding: str = option(
        "utf-8",
        help="Encoding of the files: `utf-8`, `utf-16` (byte order by BOM), `utf-16le`, `utf-16be`, `latin-1`, `shift_jis`, "
        "`gbk`, `gb18030`, `big5`, or another that Python knows. What can't be decoded becomes U+FFFD.",
        example="utf-16le",
        validator=_encoding,
    )
    multiline: str | tuple[str, ...] | JoinRule | None = option(
        None,
        help="Which lines are one event: the traces of `python`, `java`, `node`, `dotnet`, `go`, `ruby`, `rust` (one, "
        "a list, or `auto` for all) join their message; `indent`: indented lines join; or patterns.",
        example="python",
        validator=check_multiline,
    )
    event_lines: int = option(
        1000,
        help="With `multiline`: an event of more lines is divided, counted, and tagged `log.truncated=true`.",
        validator=check_event_lines,
    )
    event_bytes: Size = option(
        "1MiB",
        help="With `multiline`: an event of more bytes is divided, counted, and tagged `log.truncated=true`.",
        validator=check_event_bytes,
    )
    keep_original: bool = option(
        False,
        help="Keep each event's lines as they were, before `format`, in the tag `log.record.original`.",
    )
    max_line_bytes: Size = option(
        "1MiB",
        help="Longer lines are cut to this, counted, and tagged `log.truncated=true`.",
        validator=_line_bytes,
    )
    partial_timeout: Duration = option(
        "5s",
        help="A last line without its newline becomes an event when the file has been quiet for so long.",
        validator=positive,
    )
    join_timeout: Duration = option(
        "500ms",
        help="With `multiline`: the last event is finished when the file has been quiet for so long.",
        validator=positive,
    )
    poll: Duration = option(
        "100ms",
        help="How often files that changed in the last 10 s are looked at; the others once a second, or when "
        "inotify tells of a change.",
        validator=positive,
    )
    scan_interval: Duration = option(
        "500ms",
        help="How often to look for new, moved and deleted files; where inotify tells of them, they are found at once.",
        validator=positive,
    )
    max_open_files: int = option(
        512,
        help="Files held open at the same time, at most half of what the process may open.",
        validator=positive,
    )
    file_tags: tuple[FileTag, ...] = option(
        (),
        help="More tags that say where an event comes from, as `log.file.NAME`: the file's name, the offset of the "
        "event's first byte, the path that links lead to, the file's owner, the event's number in the file.",
        example=["name", "offset"],
    )
    fingerprint_bytes: Size = option(
        "1KiB",
        help="How many of a file's first bytes tell it from another one with the same inode.",
        validator=positive,
    )
