"""What is wrong in a configuration file: problems with their places, all at once in one `ConfigError`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal

import attrs

from yaat_core.config.nodes import KeyPath, Mark, Node, Scalar, place
from yaat_core.display import terminal_safe
from yaat_core.errors import YaatError

#: Problems that a message shows; `to_json` has all of them.
SHOWN: Final = 20


@attrs.frozen(kw_only=True)
class ConfigProblem:
    """One problem, with everything that a person or a machine needs to mend it. Lines and columns count from 1."""

    code: str
    what: str
    file: str = ""
    line: int | None = None
    column: int | None = None
    width: int = 1
    """Characters under the caret."""
    key: str = ""
    """Path of the key: ``sources.app.pth``."""
    expected: str = ""
    found: str = ""
    nearest: str = ""
    """The valid name that was perhaps meant."""
    cause: str = ""
    fix: str = ""
    hint: str = ""
    """What stands beside the caret."""
    excerpt: str = ""
    """The line, without secrets; ``caret`` is the column in it, from 0."""
    caret: int = 0
    level: Literal["error", "warning"] = "error"

    @property
    def where(self) -> str:
        """``file:line:column``, as far as it is known."""
        parts = [self.file, *(str(part) for part in (self.line, self.column) if part is not None)]
        return ":".join(part for part in parts if part)

    def render(self) -> str:
        """Headline, place, excerpt with caret, and what to do."""
        lines = [f"{self.level}[{self.code}]: {self.what}"]
        if self.where:
            lines.append(f"  --> {self.where}")
        lines += self._marked()
        if self.cause:
            lines.append(f"  cause: {self.cause}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(terminal_safe(line) for line in lines)

    def to_json(self) -> dict[str, object]:
        """The same facts for machines; empty ones are left out."""
        facts = attrs.asdict(self, filter=lambda field, value: value not in ("", None))
        for name in ("caret", "width", "hint"):
            facts.pop(name, None)
        return facts

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> ConfigProblem:
        """What `to_json` gave, as far as it is known here. The caret is where the column is, if the line is not cut."""
        names = {field.name for field in attrs.fields(cls)}
        made = cls(**{name: value for name, value in facts.items() if name in names})
        cut = made.excerpt.startswith("... ")
        return attrs.evolve(
            made,
            caret=(made.column or 1) - 1,
            excerpt="" if cut else made.excerpt,
            hint=f"did you mean {made.nearest}?" if made.nearest else "",
        )

    def _marked(self) -> list[str]:
        if not self.excerpt:
            return []
        number = str(self.line)
        under = "".join(_blank(letter) for letter in terminal_safe(self.excerpt[: self.caret].expandtabs(1)))
        carets = "^" * max(1, min(self.width, len(self.excerpt) - self.caret))
        beside = f" {self.hint}" if self.hint else ""
        return [
            f"{number} | {self.excerpt.expandtabs(1)}",
            f"{' ' * len(number)} | {under}{carets}{beside}",
        ]


@attrs.frozen(kw_only=True)
class Misfit:
    """A problem while the file is still being read: its place is a mark, and its excerpt waits for all masks."""

    code: str
    what: str
    mark: Mark | None = None
    width: int = 1
    path: KeyPath = ()
    expected: str = ""
    found: str = ""
    nearest: str = ""
    cause: str = ""
    fix: str = ""
    hint: str = ""
    level: Literal["error", "warning"] = "error"

    def problem(self) -> ConfigProblem:
        """The problem with its excerpt."""
        names = ("code", "what", "width", "expected", "found", "nearest", "cause", "fix", "hint", "level")
        facts = {name: getattr(self, name) for name in names}
        if self.mark is None:
            return ConfigProblem(**facts, key=place(self.path))
        excerpt, caret = self.mark.text.excerpt(self.mark.line, self.mark.column)
        return ConfigProblem(
            **facts,
            key=place(self.path),
            file=self.mark.text.name,
            line=self.mark.line + 1,
            column=self.mark.column + 1,
            excerpt=excerpt,
            caret=caret,
        )


class Misfits(Exception):
    """Some problems, on their way up to where all are gathered."""

    def __init__(self, found: Sequence[Misfit] = ()) -> None:
        super().__init__(f"{len(found)} problems")
        self.found = list(found)


class ConfigError(YaatError):
    """A configuration that can't be used. ``problems`` holds everything that is wrong, by line."""

    code: ClassVar[str] = "YAAT-E110"
    exit_code: ClassVar[int] = 2

    def __init__(self, problems: Sequence[ConfigProblem]) -> None:
        self.problems: Sequence[ConfigProblem] = tuple(problems)
        count = len(self.problems)
        files = list(dict.fromkeys(problem.file for problem in self.problems if problem.file))
        file = files[0] if files else "the configuration"
        place = f"{len(files)} files" if len(files) > 1 else file
        super().__init__(f"{count} problem{'s' * (count != 1)} in {place}", where=file)

    @classmethod
    def from_json(cls, problems: Iterable[Mapping[str, Any]]) -> ConfigError:
        """From the problems of `to_json`."""
        return cls([ConfigProblem.from_json(one) for one in problems])

    def render(self) -> str:
        """Every problem up to `SHOWN`, and how to learn more."""
        parts = [problem.render() for problem in self.problems[:SHOWN]]
        more = len(self.problems) - SHOWN
        if more > 0:
            parts.append(f"... and {more} more; --json lists them all")
        first = self.problems[0].code if self.problems else self.code
        return "\n\n".join(parts) + f"\n\n{self.what}. In full: yaat explain {first}"

    def to_json(self) -> dict[str, object]:
        """All problems."""
        return {**super().to_json(), "problems": [problem.to_json() for problem in self.problems]}


def at_value(node: Node, code: str, what: str, **facts: str) -> Misfit:
    """A problem with a value: the caret is under it."""
    width = _width(node.start, node.end)
    return Misfit(code=code, what=what, mark=node.start, width=width, path=node.path, **facts)  # type: ignore[arg-type]


def at_key(key: Scalar, code: str, what: str, **facts: str) -> Misfit:
    """A problem with a key: the caret is under it."""
    return at_value(key, code, what, **facts)


def in_order(misfits: Iterable[Misfit]) -> list[ConfigProblem]:
    """By line, each once."""
    seen: dict[tuple[object, ...], ConfigProblem] = {}
    for misfit in misfits:
        problem = misfit.problem()
        seen.setdefault((problem.code, problem.file, problem.line, problem.column, problem.what), problem)
    return sorted(seen.values(), key=lambda one: (one.file, one.line or 0, one.column or 0, one.code))


def _width(start: Mark, end: Mark) -> int:
    return (
        end.column - start.column
        if end.line == start.line
        else len(start.text.lines[start.line]) - start.column
    )


def _blank(letter: str) -> str:
    """As much room as a letter takes on a terminal."""
    if unicodedata.combining(letter):
        return ""
    return "  " if unicodedata.east_asian_width(letter) in "WF" else " "
