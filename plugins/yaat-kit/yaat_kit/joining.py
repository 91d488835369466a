"""The option `multiline` of every source of lines: a preset by name, several of them, or a pattern.

    joiner = make_joiner("python", Limits())       # or ("java", "python"), or a JoinRule, or None
    held = Held(joiner)                            # one for each stream: a file, a container's stderr
    joined = held.add(lines)                       # the events that are complete
    joined = held.flush()                          # the rest: the stream was quiet, ended, or the source stops

Nothing but options is imported with this module. A source that can read again from a position (a file)
needs no `Held` (`yaat_kit.multiline`): it joins from the first unfinished event on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from yaat_core.config.options import Size, configuration, option
from yaat_kit.regex import compiled

if TYPE_CHECKING:
    from yaat_kit.multiline import Joiner, Limits
    from yaat_kit.traces.grammar import Grammar

#: The presets: a language's traces, all of them, or indented lines.
PRESETS: Final = ("auto", "python", "java", "node", "dotnet", "go", "ruby", "rust", "indent")


def _re2(instance: Any, attribute: Any, value: str | None) -> None:
    if value is not None:
        compiled(value)


@configuration
class JoinRule:
    """Events by patterns: `start`, or one of the others, or `start` with one of the others."""

    start: str | None = option(
        None,
        help="Regular expression (RE2) found in the first line of each event. Alone: the lines up to the next one join it.",
        example=r"^\d{4}-\d\d-\d\d",
        validator=_re2,
    )
    continuation: str | None = option(
        None,
        help="Found in lines that join the line before them.",
        example=r"^\s",
        validator=_re2,
    )
    unfinished: str | None = option(
        None,
        help="Found in lines that the next line joins.",
        example=r"\\$",
        validator=_re2,
    )
    end: str | None = option(
        None,
        help="Found in the last line of each event.",
        example="^END$",
        validator=_re2,
    )
    before: str | None = option(
        None,
        help="Found in the line before which an event that `start` began ends.",
        example="^$",
        validator=_re2,
    )

    def __attrs_post_init__(self) -> None:
        given = [name for name in _OTHERS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(
                f"only one of these can be given, with `start` or without it: {', '.join(given)}"
            )
        if not given and self.start is None:
            raise ValueError("multiline names no pattern: write a preset, or at least {start: REGEX}")
        if given == ["before"] and self.start is None:
            raise ValueError(
                "multiline: `before` ends what `start` begins: write {start: REGEX, before: REGEX}, "
                "or {start: REGEX} when each such line begins the next event"
            )

    def joiner(self, limits: Limits) -> Joiner:
        """As columns are joined by it."""
        from yaat_kit.multiline import Pattern, start_pattern

        if self.continuation is not None:
            return Pattern(self.continuation, start=self.start, limits=limits)
        if self.unfinished is not None:
            return Pattern(self.unfinished, after=True, start=self.start, limits=limits)
        if self.end is not None:
            return Pattern(self.end, inverted=True, after=True, start=self.start, limits=limits)
        if self.before is not None:
            return Pattern(self.before, inverted=True, start=self.start, limits=limits)
        assert self.start is not None
        return start_pattern(self.start, limits)


_OTHERS: Final = ("continuation", "unfinished", "end", "before")

Multiline = str | tuple[str, ...] | JoinRule | None
"""What the option `multiline` holds."""


def check_multiline(instance: Any, attribute: Any, value: Multiline) -> None:
    """A validator of the option `multiline`.

    Raises:
        ValueError: names a preset that is not there; says which are.
    """
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, tuple):
        return
    for name in names:
        if name not in PRESETS:
            raise ValueError(
                f"unknown multiline preset {name!r}: write one of {', '.join(PRESETS)}, or {{start: REGEX}} for a pattern"
            )
    if not names or ("indent" in names and len(names) > 1):
        raise ValueError("a list of multiline presets names at least one, and `indent` only alone")


def check_event_lines(instance: Any, attribute: Any, value: int) -> None:
    """A validator of the option `event_lines`.

    Raises:
        ValueError: less than two.
    """
    if value < 2:
        raise ValueError(f"must be at least 2, got {value}")


def check_event_bytes(instance: Any, attribute: Any, value: Size) -> None:
    """A validator of the option `event_bytes`.

    Raises:
        ValueError: out of bounds.
    """
    if not 1024 <= value <= 64 << 20:
        raise ValueError(f"must be between 1KiB and 64MiB, got {value}")


def preset(name: str, limits: Limits | None = None) -> Joiner:
    """The joiner of a preset.

    Raises:
        ValueError: there is no such preset; says which there are.
    """
    check_multiline(None, None, name)
    return make_joiner(name, limits)


def make_joiner(multiline: Multiline, limits: Limits | None = None) -> Joiner:
    """The joiner that the option `multiline` asks for."""
    from yaat_kit.multiline import DEFAULT_LIMITS, SingleLines, indented

    limits = limits or DEFAULT_LIMITS
    if multiline is None:
        return SingleLines()
    if isinstance(multiline, JoinRule):
        return multiline.joiner(limits)
    names = (multiline,) if isinstance(multiline, str) else multiline
    if names == ("indent",):
        return indented(limits)
    from yaat_kit.traces.joiner import Traces

    return Traces(_grammars(names), limits)


def _grammars(names: tuple[str, ...]) -> list[Grammar]:
    from yaat_kit.traces.at import AT
    from yaat_kit.traces.go import GO
    from yaat_kit.traces.python import PYTHON
    from yaat_kit.traces.ruby import RUBY
    from yaat_kit.traces.rust import RUST

    families = {"python": PYTHON, "java": AT, "node": AT, "dotnet": AT, "go": GO, "ruby": RUBY, "rust": RUST}
    wanted = list(families) if "auto" in names else names
    return list({id(families[name]): families[name] for name in wanted}.values())
