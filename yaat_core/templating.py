"""A new plugin from a template: the files of a package, or one file for $YAAT_PLUGINS_DIR."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final, Literal

import attrs

from yaat_core.errors import UsageError
from yaat_core.guessing import guess

PluginKind = Literal["source", "processor", "sink"]
#: What each template does, how it is configured, and its options for the README.
KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "source": (
        "Reads the text files of a folder, each as an event",
        "sources:\n  {type}: {{type: {type}, folder: drop}}",
        "| `folder` | (required) | Folder whose *.txt files are read, each as one event |\n"
        "| `every` | 10s | How often to look |",
    ),
    "processor": (
        "Drops events whose message has a text",
        "processors:\n  - {{type: {type}, text: healthcheck}}",
        "| `text` | (required) | Events whose message has this text are dropped |",
    ),
    "sink": (
        "Appends events to a file, a JSON line each",
        "sinks:\n  {type}: {{type: {type}, path: {type}.jsonl}}",
        "| `path` | {type}.jsonl | File that lines are appended to |",
    ),
}
LICENSE: Final = "MIT"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_LICENSE: Final = re.compile(r"[A-Za-z0-9.+ ()-]{1,100}")
_LONGEST: Final = 40


@attrs.frozen(kw_only=True)
class Wanted:
    """What the plugin is to be.

    Raises:
        UsageError: a name or a kind that can't be.
    """

    kind: str
    name: str
    license: str = LICENSE
    one_file: bool = False

    def __attrs_post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(
                f"no kind of plugin is called `{self.kind}`", fix=guess(self.kind, KINDS, "there are")
            )
        if not _NAME.fullmatch(self.name) or len(self.name) > _LONGEST:
            raise UsageError(
                f"`{self.name}` can't be the name of a plugin",
                fix="write it with lower-case letters, digits and single dashes, such as my-app; "
                "`yaat-plugin-` is put before it",
            )
        if not _LICENSE.fullmatch(self.license):
            raise UsageError(f"`{self.license}` is no SPDX licence", fix="write it as MIT or Apache-2.0")

    @property
    def type(self) -> str:
        """The component's type, and the end of the module's name."""
        return self.name.replace("-", "_")


def files(wanted: Wanted) -> dict[str, str]:
    """The files by their path below the folder that they are written to."""
    code = _filled(f"{wanted.kind}.py.in", wanted)
    if wanted.one_file:
        return {f"{wanted.type}.py": code}
    top, package = f"yaat-plugin-{wanted.name}", f"yaat_plugin_{wanted.type}"
    return {
        f"{top}/pyproject.toml": _filled("pyproject.toml.in", wanted),
        f"{top}/README.md": _filled("README.md.in", wanted),
        f"{top}/{package}/__init__.py": f'"""{KINDS[wanted.kind][0]}."""\n',
        f"{top}/{package}/manifest.toml": _filled("manifest.toml.in", wanted),
        f"{top}/{package}/plugin.py": code,
        f"{top}/tests/test_contract.py": _filled(f"{wanted.kind}_test.py.in", wanted),
    }


def write(made: Mapping[str, str], folder: Path) -> None:
    """Write the files.

    Raises:
        UsageError: one of them is there already, or can't be written; nothing that was there is changed.
    """
    there = [name for name in made if (folder / name).exists()]
    if there:
        raise UsageError(
            f"{folder / there[0]} is there already: nothing was written",
            fix="choose another name or --output DIR, or remove it",
        )
    try:
        for name, text in made.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} can't be written: {error.strerror}",
            fix="choose another --output DIR",
        ) from None


def _filled(template: str, wanted: Wanted) -> str:
    summary, example, options = KINDS[wanted.kind]
    text = (resources.files("yaat_core") / "templates" / template).read_text(encoding="utf-8")
    return Template(text).substitute(
        name=wanted.name,
        type=wanted.type,
        cls="".join(part.capitalize() for part in wanted.type.split("_")),
        section=f"{wanted.kind}s",
        summary=summary,
        license=wanted.license,
        example=example.format(type=wanted.type),
        options=options.format(type=wanted.type),
    )
