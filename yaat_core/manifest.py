"""What is installed, known without importing any plugin: entry points of the group ``yaat`` and `manifest.toml`.

    YAAT_PLUGINS_DIR=DIR     a folder of loose ``NAME.py`` files, each with an optional ``NAME.toml`` beside it
    YAAT_LOAD_PLUGINS=a,b    only these, by the name of the distribution or of the entry point

The format of a manifest is in ``docs/architecture.md``. One that is broken is an error on its `Manifest`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import attrs

GROUP: Final = "yaat"
KINDS: Final = ("sources", "processors", "queue", "sinks")
#: Bytes of a manifest that are read at most.
MAX_BYTES: Final = 64 * 2**10
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TARGET: Final = re.compile(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*)?", re.ASCII)

Selection = Literal["selected", "disabled", "not_selected"]


class Command(NamedTuple):
    """A command that a plugin brings: one line of help, and ``module:attribute`` of the click command."""

    summary: str
    target: str


@attrs.frozen(kw_only=True)
class Manifest:
    """One plugin, as its manifest tells of it."""

    name: str
    """Name of the entry point, or the stem of a loose file."""
    distribution: str
    """Distribution, or the file's name for a loose one."""
    version: str = ""
    api: str = ""
    """Version of the plugin API; empty when no manifest says it."""
    summary: str = ""
    components: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)
    """By kind (`sources`, `processors`, `queue`, `sinks`): name to summary."""
    commands: Mapping[str, Command] = attrs.field(factory=dict)
    hooks: tuple[str, ...] = ()
    """Hooks besides `register_components`."""
    target: str = ""
    """``module:attribute`` of the object with the hooks; empty for a loose file."""
    origin: Path | None = None
    """Folder of the package, or the loose file; None when the module was not found."""
    listed: bool = True
    """False for a loose file without a manifest: what it provides is known once it is imported."""
    error: str = ""
    """Why it can't be used; empty when the manifest is sound."""
    selection: Selection = "selected"

    @property
    def label(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}".strip()


def discover(disable: Sequence[str] = (), *, environ: Mapping[str, str] | None = None) -> list[Manifest]:
    """Every plugin there is, sorted by distribution and name; imports none of them.

    ``disable`` names distributions (or entry points) whose `Manifest.selection` becomes `disabled`.
    """
    environ = os.environ if environ is None else environ
    wanted = {normalized(name) for name in environ.get("YAAT_LOAD_PLUGINS", "").split(",") if name.strip()}
    unwanted = {normalized(name) for name in disable}
    found = [*_installed(), *_loose(environ.get("YAAT_PLUGINS_DIR", ""))]
    chosen = [attrs.evolve(one, selection=_selection(one, wanted, unwanted)) for one in found]
    return sorted(chosen, key=lambda one: (normalized(one.distribution), one.name))


def normalized(name: str) -> str:
    """A distribution's name as packaging compares it: lower case, runs of ``-_.`` as one dash."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _selection(one: Manifest, wanted: set[str], unwanted: set[str]) -> Selection:
    names = {normalized(one.distribution), normalized(one.name)}
    if names & unwanted:
        return "disabled"
    return "not_selected" if wanted and not names & wanted else "selected"


def _installed() -> Iterator[Manifest]:
    for point in importlib.metadata.entry_points(group=GROUP):
        facts: dict[str, Any] = {
            "name": point.name,
            "distribution": point.dist.name if point.dist else point.name,
            "version": point.dist.version if point.dist else "",
            "target": point.value,
        }
        yield _of_package(facts)


def _of_package(facts: dict[str, Any]) -> Manifest:
    if not _NAME.fullmatch(facts["name"]):
        return Manifest(
            **facts, error="the entry point's name is not made of lower-case letters, digits, - and _"
        )
    if not _TARGET.fullmatch(facts["target"]):
        return Manifest(**facts, error="the entry point is not of the form module:attribute")
    top = facts["target"].partition(":")[0].partition(".")[0]
    folder = _folder(top)
    if folder is None:
        return Manifest(
            **facts, error=f"its package `{top}` is not installed; reinstall {facts['distribution']}"
        )
    file = folder / "manifest.toml"
    facts["origin"] = folder
    if not file.is_file():
        return Manifest(**facts, error=f"it has no manifest.toml beside {top}/__init__.py", listed=False)
    return _read(file, facts)


def _folder(package: str) -> Path | None:
    """Where a top-level package lies. Looks it up, imports nothing."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ())
    return Path(places[0]) if places else Path(spec.origin).parent if spec.origin else None


def _loose(folder: str) -> Iterator[Manifest]:
    if not folder:
        return
    try:
        files = sorted(Path(folder).glob("*.py"))
    except OSError as error:
        yield Manifest(
            name="YAAT_PLUGINS_DIR", distribution=folder, error=f"can't be listed: {error.strerror}"
        )
        return
    if not files and not Path(folder).is_dir():
        yield Manifest(name="YAAT_PLUGINS_DIR", distribution=folder, error="is not a folder")
    for file in files:
        if file.name.startswith("_"):
            continue
        facts: dict[str, Any] = {"name": file.stem, "distribution": file.name, "origin": file.absolute()}
        beside = file.with_suffix(".toml")
        if not _NAME.fullmatch(file.stem):
            yield Manifest(
                **facts, error="the file's name is not made of lower-case letters, digits, - and _"
            )
        elif beside.is_file():
            yield _read(beside, facts)
        else:
            yield Manifest(**facts, listed=False)


def _read(file: Path, facts: dict[str, Any]) -> Manifest:
    try:
        with open(file, "rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES >> 10} KiB")
        return Manifest(**facts, **_checked(tomllib.loads(data.decode("utf-8"))))
    except (OSError, ValueError) as error:
        return Manifest(**facts, error=f"{file.name} is broken: {error}")


def _checked(written: dict[str, Any]) -> dict[str, Any]:
    unknown = set(written) - {"api", "summary", "commands", "hooks", *KINDS}
    if unknown:
        raise ValueError(f"unknown key `{min(unknown)}`")
    components = {kind: _summaries(kind, written[kind]) for kind in KINDS if kind in written}
    return {
        "api": _text(written, "api", "api"),
        "summary": _text(written, "summary", "summary"),
        "components": components,
        "commands": {
            name: _command(name, one) for name, one in _tables("commands", written.get("commands", {}))
        },
        "hooks": _hooks(written.get("hooks", {})),
    }


def _summaries(kind: str, tables: Any) -> dict[str, str]:
    return {name: _text(one, "summary", f"{kind}.{name}.summary") for name, one in _tables(kind, tables)}


def _command(name: str, one: Mapping[str, Any]) -> Command:
    target = _text(one, "target", f"commands.{name}.target")
    if not _TARGET.fullmatch(target) or ":" not in target:
        raise ValueError(f"commands.{name}.target must be module:attribute")
    return Command(_text(one, "summary", f"commands.{name}.summary"), target)


def _hooks(table: Any) -> tuple[str, ...]:
    names = table.get("names", []) if isinstance(table, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("hooks.names must be a list of hook names")
    return tuple(names)


def _tables(place: str, tables: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(tables, dict):
        raise ValueError(f"{place} must be tables: [{place}.NAME]")  # noqa: TRY004 - one kind of error for all
    for name, one in tables.items():
        if not _NAME.fullmatch(name) or not isinstance(one, dict):
            raise ValueError(f"[{place}.{name}] is not a table with a lower-case name")
        yield name, one


def _text(table: Mapping[str, Any], key: str, place: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place} must be a text")
    return value.strip()
