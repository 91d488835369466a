"""The options of a `file` source."""

from __future__ import annotations

from typing import Any, Literal

from yaat_core.config.options import Duration, Size, configuration, option, positive

#: What `multiline` may name.
PRESETS = ("python", "indent")


def _preset(instance: Any, attribute: Any, value: Any) -> None:
    if isinstance(value, str) and value not in PRESETS:
        raise ValueError(
            f"unknown multiline preset {value!r}: write one of {', '.join(PRESETS)}, or {{start: REGEX}} for a pattern"
        )


def _pattern(instance: Any, attribute: Any, value: str) -> None:
    from yaat_kit.multiline import StartPattern

    StartPattern(value)


def _some(instance: Any, attribute: Any, value: tuple[str, ...]) -> None:
    if not value or not all(value):
        raise ValueError("names no file: write at least one path or glob, e.g. [/var/log/app/*.log]")


@configuration
class StartMultiline:
    """Events that begin at each line that matches a pattern."""

    start: str = option(
        help="Regular expression (RE2) found in the first line of each event; other lines are added to the event before.",
        example=r"^\d{4}-\d\d-\d\d",
        validator=_pattern,
    )


@configuration
class FileConfig:
    """Lines of text files, followed through rotation."""

    paths: tuple[str, ...] = option(
        help="Files to read: paths or globs (`**`: any depth of folders), relative to the configuration file.",
        example=["/var/log/app/*.log"],
        validator=_some,
    )
    exclude: tuple[str, ...] = option(
        ("*.gz", "*.bz2", "*.xz", "*.zst", "*.zip"),
        help="Globs of files not to read: of names, or of whole paths when they hold a slash.",
        example=["*.gz", "/var/log/app/debug/**"],
    )
    start_at: Literal["beginning", "end"] = option(
        "beginning",
        help="Where to begin in files that are there at the first start; those that appear later are read from their beginning.",
    )
    encoding: Literal["utf-8", "latin-1", "utf-16"] = option(
        "utf-8", help="Encoding of the files; what can't be decoded becomes U+FFFD."
    )
    multiline: str | StartMultiline | None = option(
        None,
        help="Which lines are one event: `python` (traces join their message), `indent` (indented lines join), `{start: REGEX}`.",
        example="python",
        validator=_preset,
    )
    max_line_bytes: Size = option(
        "1MiB",
        help="Longer lines are cut to this, counted, and tagged `log.truncated=true`.",
        validator=positive,
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
        help="How often files that changed in the last 10 s are looked at; the others once a second.",
        validator=positive,
    )
    scan_interval: Duration = option(
        "500ms", help="How often to look for new, moved and deleted files.", validator=positive
    )
    max_open_files: int = option(
        512,
        help="Files held open at the same time, at most half of what the process may open.",
        validator=positive,
    )
    fingerprint_bytes: Size = option(
        "1KiB",
        help="How many of a file's first bytes tell it from another one with the same inode.",
        validator=positive,
    )
