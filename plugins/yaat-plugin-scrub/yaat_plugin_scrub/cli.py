"""`yaat scrub`."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, Final

import attrs
import click

from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from yaat_core.cli.setup import Setup
    from yaat_core.components import Processor
    from yaat_core.event import EventBatch
    from yaat_core.sampling import Events
    from yaat_plugin_scrub.config import Rule, ScrubConfig
    from yaat_plugin_scrub.preview import Change, RuleChange

_CHUNK: Final = 8_192
#: As much as `yaat sources test` reads at most.
_SAMPLE_LINES: Final = 200
_SAMPLE_SECONDS: Final = 5.0


@click.group(cls=DoorGroup)
def scrub() -> None:
    """Try redaction rules."""


@command(
    "test",
    example="yaat scrub test app.log\n"
    "yaat scrub test --detectors secrets,email --rule 'order=order-[0-9]+' app.log\n"
    "tail -n 1000 app.log | yaat scrub test -c yaat.yaml --format auto --json\n"
    "yaat scrub test --source app",
)
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--file", "named", type=click.File("rb"), help="The same as FILE.")
@click.option(
    "--source",
    metavar="NAME",
    help="Sample lines of a configured source, parsed by its format; shown only as they would be after it.",
)
@click.option("--detectors", help="Sets or single detectors, with commas between them.")
@click.option("--rule", "rules", multiple=True, metavar="NAME=PATTERN", help="A rule; may be repeated.")
@click.option("--format", "format_name", help="How lines become events; raw by default.")
@click.option("--show", is_flag=True, help="Show in full what would be taken out.")
@click.option(
    "--limit", type=click.IntRange(0), default=100, show_default=True, help="Changed lines that are shown."
)
@click.pass_obj
def test(
    door: Door,
    *,
    file: IO[bytes] | None,
    named: IO[bytes] | None,
    source: str | None,
    detectors: str | None,
    rules: Sequence[str],
    format_name: str | None,
    show: bool,
    limit: int,
) -> None:
    """What would become of each line of FILE (by default stdin), and what each rule would do.

    Tries the `scrub` processors of the configuration, unless --detectors or --rule say what to try. With --format each
    line is parsed as a source's `format` would, so that rules for tags find them; `raw`: the line is the message.
    """
    from yaat_plugin_scrub.preview import Preview

    if sum(one is not None for one in (file, named, source)) > 1:
        raise UsageError("FILE, --file and --source exclude each other", fix="name one")
    given = detectors is not None or bool(rules)
    tally = _Tally(limit=limit)
    if source is not None:
        if show or format_name is not None:
            raise UsageError(
                "--show and --format are for lines that you give",
                fix="a source has its own format, and its lines are never shown as they were",
            )
        setup = _setup(door)
        batches = _of_source(door, setup, source)
        # what is tried comes first; what is redacted anyway stays redacted
        tried = [_config(detectors, rules)] if given else []
        preview = Preview([*tried, *_configured(setup, source, needed=not given)])
        for batch in batches:
            tally.add(len(batch), *preview.changes_of(batch, tally.lines + 1))
    else:
        lines = _given(file or named)
        configs = [_config(detectors, rules)] if given else _configured(_setup(door))
        preview = Preview(configs, _parser(door, format_name or "raw"))
        for first, some in _chunks(lines):
            tally.add(len(some), *preview.changes(some, first))
    own = source is None
    shown = [_shown(change, show=show, own=own) for change in tally.changes]
    by_rule = [_by_rule(one, show=show, own=own) for one in preview.rules()]
    document = _document(tally, shown, by_rule)
    door.result(document, lambda: _print(door, tally, shown, by_rule))


scrub.add_command(test)


@attrs.define
class _Tally:
    """What was seen; the first ``limit`` changes in full."""

    limit: int
    lines: int = 0
    changed: int = 0
    dropped: int = 0
    changes: list[Change] = attrs.field(factory=list)

    def add(self, lines: int, changed: int, dropped: int, changes: Iterator[Change]) -> None:
        self.lines += lines
        self.changed += changed
        self.dropped += dropped
        self.changes += itertools.islice(changes, self.limit - len(self.changes))


def _parser(door: Door, name: str) -> Processor | None:
    """The processor that a source's `format: NAME` would use, with its defaults."""
    if name == "raw":
        return None
    from yaat_core.cli.setup import disabled
    from yaat_core.config.fields import defaults_of
    from yaat_core.plugins import load_plugins
    from yaat_plugin_scrub.preview import context

    registry = load_plugins(disabled(door)).registry
    found = registry.find("processors", name)
    if found is None:
        near = registry.nearest("processors", name)
        fix = (
            f"did you mean `{near}`?" if near else f"there are raw, {', '.join(registry.names('processors'))}"
        )
        raise UsageError(f"no format `{name}`", fix=fix)
    try:
        parser: Processor = found.factory(defaults_of(found.config), context(name))
    except TypeError as error:
        raise UsageError(
            f"the format `{name}` needs options: {error}", fix="try one without, such as auto"
        ) from None
    return parser


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


def _given(file: IO[bytes] | None) -> IO[bytes]:
    """The file, or stdin when there is something in it."""
    found = file or (click.open_file("-", "rb") if sys.stdin is not None else None)
    if found is None or found.isatty():
        raise UsageError("no lines to try", fix="name a file, or pipe some lines into `yaat scrub test`")
    return found


def _setup(door: Door) -> Setup:
    from yaat_core.cli.setup import load

    return load(door)


def _configured(setup: Setup, source: str | None = None, *, needed: bool = True) -> list[ScrubConfig]:
    """The options of every `scrub` processor that is configured, or of those that a source's events go through."""
    entries = setup.configuration.processors
    found = [
        entry.options
        for entry in entries
        if entry.type.name == "scrub" and (source is None or entry.sources is None or source in entry.sources)
    ]
    if not found and needed:
        raise UsageError(
            "no `scrub` processor is configured" + (f" for the source {source}" if source else ""),
            fix="add `- type: scrub` under `processors:`, or try detectors with --detectors secrets",
        )
    return found


def _of_source(door: Door, setup: Setup, name: str) -> Sequence[EventBatch]:
    """Sample lines as they come through the pipeline to the redaction; only previews see them."""
    import trio

    from yaat_core.sampling import events_of

    whole = setup.configuration
    others = tuple(one for one in whole.processors if one.type.name != "scrub")
    unredacted = attrs.evolve(whole, processors=others)

    async def sampled() -> Events:
        return await events_of(unredacted, name, bytes(16), lines=_SAMPLE_LINES, seconds=_SAMPLE_SECONDS)

    found = trio.run(sampled)
    for finding in found.findings:
        door.note(
            terminal_safe(f"{finding.problem}: {finding.advice}" if finding.advice else finding.problem)
        )
    for note in found.notes:
        door.note(terminal_safe(note))
    return found.batches


def _chunks(file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    """Lines with the number of the first."""
    first = 1
    while raw := list(itertools.islice(file, _CHUNK)):
        yield first, [line.rstrip(b"\r\n").decode("utf-8", "replace") for line in raw]
        first += len(raw)


def _shown(change: Change, *, show: bool, own: bool) -> dict[str, Any]:
    """``own``: the text was given by who asks; others' is never shown as it was."""
    from yaat_plugin_scrub.hiding import hidden

    return {
        "line": change.number,
        "kinds": list(change.kinds),
        "dropped": change.dropped,
        "before": None if not own else change.before if show else hidden(change.before, change.clean),
        "after": change.after,
    }


def _by_rule(one: RuleChange, *, show: bool, own: bool) -> dict[str, Any]:
    example = one.example and _shown(one.example, show=show, own=own)
    if example:
        del example["kinds"], example["dropped"]
    return {"rule": one.name, "type": one.type, "texts": one.texts, "example": example}


def _document(tally: _Tally, shown: list[dict[str, Any]], by_rule: list[dict[str, Any]]) -> dict[str, Any]:
    found = sorted((one for one in by_rule if one["texts"]), key=lambda one: -one["texts"])
    return {
        "lines": tally.lines,
        "changed": tally.changed,
        "dropped": tally.dropped,
        "counts": {one["rule"]: one["texts"] for one in found},
        "changes": shown,
        "rules": by_rule,
    }


def _print(door: Door, tally: _Tally, shown: list[dict[str, Any]], by_rule: list[dict[str, Any]]) -> None:
    for change in shown:
        door.line(click.style(f"line {change['line']}  {', '.join(change['kinds'])}", bold=True))
        _print_change(door, change)
    more = tally.changed + tally.dropped - len(shown)
    if more:
        door.note(f"{more} more are not shown; see --limit")
    if shown:
        door.line()
    for one in by_rule:
        if one["texts"]:
            door.line(click.style(f"{one['type']} {one['rule']}: {one['texts']}", bold=True))
        if one["example"]:
            _print_change(door, one["example"])
    idle = [one["rule"] for one in by_rule if not one["texts"]]
    if idle:
        door.line(f"found nothing: {', '.join(idle)}")
    door.line(f"{tally.changed} of {tally.lines} lines change, {tally.dropped} are dropped")


def _print_change(door: Door, change: dict[str, Any]) -> None:
    if change["before"] is not None:
        door.line(click.style(f"  - {terminal_safe(change['before'])}", fg="red"))
    after = "(dropped)" if change["after"] is None else terminal_safe(change["after"])
    door.line(click.style(f"  + {after}", fg="green"))
