"""Runs what a document shows: files are written, commands are typed, what is printed below them must appear.

In Markdown, ``<!-- file: PATH -->`` before a block of code makes it a file; in a ``console`` block, lines with ``$``
are commands (each must end with 0) and the lines below must be part of what they print.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import attrs

BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w*)\n(?P<body>.*?)^```$", re.M | re.S
)


@attrs.frozen
class Shown:
    """A block of code: ``file`` when the document says that it is one."""

    file: str | None
    language: str
    body: str


@attrs.frozen
class Command:
    """A command line and what the document shows of its output."""

    line: str
    output: tuple[str, ...]


def blocks(document: Path) -> Iterator[Shown]:
    """Every block of code, in order."""
    for match in BLOCK.finditer(document.read_text(encoding="utf-8")):
        yield Shown(match["file"], match["language"], match["body"])


def commands(body: str) -> Iterator[Command]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", body, flags=re.M)[1:]:
        line, *output = part.splitlines()
        yield Command(line, tuple(text.strip() for text in output if text.strip(" .")))


class Terminal:
    """A folder to type commands in; `export` lasts."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._exports: list[str] = []
        self._environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "NO_COLOR": "1"}

    def type(self, command: Command) -> str:
        """Run it; returns what it printed.

        Raises:
            AssertionError: it failed, or did not print what the document shows.
        """
        if command.line.startswith("export "):
            self._exports.append(command.line)
            return ""
        done = subprocess.run(
            ["bash", "-c", "\n".join([*self._exports, command.line])],
            cwd=self.folder,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"$ {command.line}\n{done.stdout}"
        for text in command.output:
            assert text in done.stdout, f"$ {command.line}\ndoes not print: {text}\n{done.stdout}"
        return done.stdout

    def follow(self, document: Path) -> int:
        """Write every file and type every command of a document; returns how many commands."""
        typed = 0
        for block in blocks(document):
            if block.file:
                path = self.folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.body, encoding="utf-8")
            elif block.language == "console":
                for command in commands(block.body):
                    self.type(command)
                    typed += 1
        return typed


def environment_on_top(place: Path) -> Path:
    """A virtual environment that sees this one's packages and may get more; returns its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    python = place / "bin" / "python"
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.check_output(ask, text=True).strip())
    below = sysconfig.get_path("purelib")
    (site / "below.pth").write_text(f"import site; site.addsitedir({below!r})\n", encoding="utf-8")
    for name, module in {"pip": "pip", "pytest": "pytest", "yaat": "yaat_core.cli"}.items():
        program = place / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{python}" -m {module} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return place / "bin"
