"""`yaat scrub`."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, Final

import attrs
import click

from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from yaat_plugin_scrub.config import Rule, ScrubConfig
    from yaat_plugin_scrub.preview import Change

_CHUNK: Final = 8_192


@click.group(cls=DoorGroup)
def scrub() -> None:
    """Try redaction rules."""


@command(
    "test",
    example="yaat scrub test app.log\n"
    "yaat scrub test --detectors secrets,email --rule 'order=order-[0-9]+' app.log\n"
    "tail -n 1000 app.log | yaat scrub test -c yaat.yaml --json",
)
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--detectors", help="Sets or single detectors, with commas between them.")
@click.option("--rule", "rules", multiple=True, metavar="NAME=PATTERN", help="A rule; may be repeated.")
@click.option("--show", is_flag=True, help="Show in full what would be taken out.")
@click.option(
    "--limit", type=click.IntRange(0), default=100, show_default=True, help="Changed lines that are shown."
)
@click.pass_obj
def test(
    door: Door, *, file: IO[bytes], detectors: str | None, rules: Sequence[str], show: bool, limit: int
) -> None:
    """What would become of each line of FILE (or of stdin), taken as a message.

    Tries the `scrub` processors of the configuration, unless --detectors or --rule say what to try.
    """
    from yaat_plugin_scrub.preview import Preview

    if file.isatty():
        raise UsageError("no lines to try", fix="name a file, or pipe some lines into `yaat scrub test`")
    given = detectors is not None or bool(rules)
    configs = [_config(detectors, rules)] if given else _configured(door)
    tally = _Tally(limit=limit)
    preview = Preview(configs)
    for first, lines in _chunks(file):
        tally.add(lines, preview.changes(lines, first))
    shown = [_shown(change, show=show) for change in tally.changes]
    door.result(_document(tally, shown), lambda: _print(door, tally, shown))


scrub.add_command(test)


@attrs.define
class _Tally:
    """What was seen; the first ``limit`` changes in full."""

    limit: int
    lines: int = 0
    changed: int = 0
    dropped: int = 0
    counts: Counter[str] = attrs.field(factory=Counter)
    changes: list[Change] = attrs.field(factory=list)

    def add(self, lines: Sequence[str], changes: Iterator[Change]) -> None:
        self.lines += len(lines)
        for change in changes:
            self.counts.update(change.kinds)
            self.dropped += change.dropped
            self.changed += not change.dropped
            if len(self.changes) < self.limit:
                self.changes.append(change)


def _config(detectors: str | None, rules: Sequence[str]) -> ScrubConfig:
    """What the options say; `secrets` when they name no detector."""
    from yaat_plugin_scrub.config import ScrubConfig

    try:
        made = tuple(_rule(text) for text in rules)
        if detectors is None:
            return ScrubConfig(rules=made)
        names = tuple(name.strip() for name in detectors.split(",") if name.strip())
        return ScrubConfig(detectors=names, rules=made)
    except ValueError as error:
        raise UsageError(str(error), where="yaat scrub test") from None


def _rule(text: str) -> Rule:
    from yaat_plugin_scrub.config import Rule

    name, sign, pattern = text.partition("=")
    if not sign or not pattern:
        raise ValueError(f"--rule must be NAME=PATTERN, got {text!r}")
    return Rule(name=name, pattern=pattern)


def _configured(door: Door) -> list[ScrubConfig]:
    """The options of every `scrub` processor that is configured."""
    from yaat_core.cli.setup import load

    entries = load(door).configuration.processors
    found = [entry.options for entry in entries if entry.type.name == "scrub"]
    if not found:
        raise UsageError(
            "no `scrub` processor is configured",
            fix="add `- type: scrub` under `processors:`, or try detectors with --detectors secrets",
        )
    return found


def _chunks(file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    """Lines with the number of the first."""
    first = 1
    while raw := list(itertools.islice(file, _CHUNK)):
        yield first, [line.rstrip(b"\r\n").decode("utf-8", "replace") for line in raw]
        first += len(raw)


def _shown(change: Change, *, show: bool) -> dict[str, Any]:
    from yaat_plugin_scrub.preview import masked

    return {
        "line": change.number,
        "kinds": list(change.kinds),
        "dropped": change.dropped,
        "before": change.before if show else masked(change),
        "after": None if change.dropped else change.after,
    }


def _document(tally: _Tally, shown: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "lines": tally.lines,
        "changed": tally.changed,
        "dropped": tally.dropped,
        "counts": dict(tally.counts.most_common()),
        "changes": shown,
    }


def _print(door: Door, tally: _Tally, shown: list[dict[str, Any]]) -> None:
    for change in shown:
        door.line(click.style(f"line {change['line']}  {', '.join(change['kinds'])}", bold=True))
        door.line(click.style(f"  - {terminal_safe(change['before'])}", fg="red"))
        after = "(dropped)" if change["dropped"] else terminal_safe(change["after"])
        door.line(click.style(f"  + {after}", fg="green"))
    more = tally.changed + tally.dropped - len(shown)
    if more:
        door.note(f"{more} more are not shown; see --limit")
    counts = ", ".join(f"{name} {count}" for name, count in tally.counts.most_common())
    door.line(
        f"{tally.changed} of {tally.lines} lines change, {tally.dropped} are dropped{f': {counts}' if counts else ''}"
    )
