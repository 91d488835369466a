"""From answers to the text of the configuration: composed, checked and compared, with nothing written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from yaat_core.config.editing.components import adding, placing, written_components
from yaat_core.config.editing.desk import Desk
from yaat_core.config.editing.files import ConfigFile, ConfigFiles
from yaat_core.config.editing.rendering import entry, item
from yaat_core.config.editing.results import Checked
from yaat_core.config.problems import ConfigError
from yaat_core.errors import UsageError
from yaat_core.plugins import Plugins
from yaat_core.service.installing import KEY_FILE
from yaat_core.setting_up.answers import Answers, Backend
from yaat_core.setting_up.finding import Candidate, Found, written

#: What stands for a key that is not written yet, while the draft is checked.
_TRIAL: Final = "YAAT_SETUP_API_KEY"
BACKEND: Final = "backend"
#: What is redacted unless somebody says otherwise.
SECRETS: Final = ("secrets",)
_HEAD: Final = """\
# Made by `yaat setup`. docs/configuration.md has every key; `yaat config edit` changes it, `yaat config undo` takes it back.
version: 1
"""


@attrs.frozen(kw_only=True)
class Draft:
    """What would be written: ``text`` to ``path``, and ``key`` (unless empty) to ``key_file``.

    ``hash`` is that of the file as it was looked at; empty: there is none yet.
    """

    path: Path
    text: str
    hash: str
    state_dir: Path
    checked: Checked
    chosen: Sequence[str]
    key_file: Path | None = None
    key: str = attrs.field(default="", repr=False)

    @property
    def new(self) -> bool:
        """Is there no file yet?"""
        return not self.hash


def draft(answers: Answers, found: Found, path: Path, plugins: Plugins, state_dir: Path) -> Draft:
    """Compose and check. An existing file is added to, and keeps everything else as it is.

    Raises:
        UsageError: a source that was not found, no destination, or a file that can't be added to.
        ConfigError: what would be written is not valid, or the file that is there is not.
    """
    chosen = _chosen(answers, found)
    if answers.backend is None and not answers.keep_local:
        raise UsageError("events would go nowhere", fix="keep them in the local database, or name a backend")
    files = ConfigFiles.read(path)
    if not files.main.text.strip():
        text = _new(answers, chosen, plugins)
    else:
        if answers.state_dir or answers.service_name or answers.environment:
            raise UsageError(
                "state_dir, service_name and environment of a configuration that is there are not changed by setup",
                fix="yaat config set",
            )
        text = _added(answers, chosen, files, plugins)
    state_dir = path.parent / Path(answers.state_dir).expanduser() if answers.state_dir else state_dir
    key = _plain_key(answers.backend)
    return Draft(
        path=path,
        text=text,
        hash=files.main.hash,
        state_dir=state_dir,
        checked=_checked(text, path, key, plugins, state_dir),
        chosen=[*(one.name for one in chosen), *answers.more_sources],
        key_file=path.parent / KEY_FILE if key else None,
        key=key,
    )


def _chosen(answers: Answers, found: Found) -> list[Candidate]:
    fresh = [one for one in found.candidates if not one.configured]
    if answers.sources == "detected":
        return [one for one in fresh if one.by_default]
    chosen = []
    for name in answers.sources:
        one = found.named(name)
        if one is None:
            names = ", ".join(one.name for one in found.candidates)
            raise UsageError(
                f"no source `{name}` was found on this machine",
                fix=f"found: {names}; others go into more_sources",
            )
        if not one.configured:
            chosen.append(one)
    return chosen


def _new(answers: Answers, chosen: Sequence[Candidate], plugins: Plugins) -> str:
    lines = [_HEAD.rstrip("\n")]
    for name in ("state_dir", "service_name", "environment"):
        value = getattr(answers, name)
        lines += entry(name, value, 0) if value else []
    lines += ["", *_sources(answers, chosen, plugins), ""]
    redaction = _redaction(answers)
    lines += ["processors:", *item(redaction, 2)] if redaction else ["processors: []"]
    lines += ["", "sinks:"]
    for name, sink in _sinks(answers):
        lines += entry(name, sink, 2)
    return "\n".join(lines) + "\n"


def _sources(answers: Answers, chosen: Sequence[Candidate], plugins: Plugins) -> Iterator[str]:
    section = _escaped(written(chosen, plugins))
    whats = {one.name: one.what for one in chosen}
    section |= answers.more_sources
    if not section:
        yield "sources: {}"
        return
    yield "sources:"
    for name, options in section.items():
        if whats.get(name):
            yield "  # " + "".join(sign for sign in whats[name] if sign.isprintable())[:100]
        yield from entry(name, options, 2)


def _escaped(value: Any) -> Any:
    """What comes from the machine holds no references."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, Mapping):
        return {name: _escaped(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(one) for one in value]
    return value


def _redaction(answers: Answers) -> dict[str, Any] | None:
    detectors = SECRETS if answers.redact is None else answers.redact
    return {"type": "scrub", "detectors": list(detectors)} if detectors else None


def _sinks(answers: Answers) -> Iterator[tuple[str, dict[str, Any]]]:
    if answers.keep_local:
        yield "local", {"type": "duckdb"}
    if answers.backend is not None:
        yield BACKEND, _backend(answers.backend)


def _backend(backend: Backend) -> dict[str, Any]:
    key = f"${{file:{KEY_FILE}}}" if _plain_key(backend) else backend.api_key
    return {"type": "cloud", "endpoint": backend.endpoint, "api_key": key}


def _plain_key(backend: Backend | None) -> str:
    """The key, when it is not a reference."""
    return "" if backend is None or backend.api_key.startswith("${") else backend.api_key


def _added(answers: Answers, chosen: Sequence[Candidate], files: ConfigFiles, plugins: Plugins) -> str:
    """The file with what is not there yet."""
    edits = []
    there = {(one.kind, one.name): one for one in written_components(files, plugins, detect=False)}
    section = {**_escaped(written(chosen, plugins)), **answers.more_sources}
    taken = {name for kind, name in there if kind == "sources"}
    for name, options in section.items():
        edits.append(adding("sources", _free(name, taken), options, plugins))
    scrub = there.get(("processors", "scrub"))
    redaction = _redaction(answers) if answers.redact is not None else None
    if redaction and (
        scrub is None or list(scrub.value.get("detectors", ("secrets",))) != redaction["detectors"]
    ):
        kept = dict(scrub.value) if scrub else {}
        edits.append(placing("processors", "scrub", {**kept, **redaction}, plugins))
    if answers.backend is not None:
        edits.append(placing("sinks", BACKEND, _backend(answers.backend), plugins))
    for edit in edits:
        file, text = edit(files)
        if file.path != files.main.path:
            raise UsageError(
                f"this section stands in {file.path}, which setup does not change",
                fix="yaat sources add, yaat sinks add",
            )
        main = ConfigFile(file.path, file.bytes_of(text))
        files = ConfigFiles((main, *files.files[1:]))
    return files.main.text


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free


def _checked(text: str, path: Path, key: str, plugins: Plugins, state_dir: Path) -> Checked:
    """What the text changes.

    Raises:
        ConfigError: it would not be valid.
    """
    environ = {**os.environ, _TRIAL: key} if key else dict(os.environ)
    desk = Desk(path=path, state_dir=state_dir, plugins=plugins, environ=environ)
    trial = text.replace(f"${{file:{KEY_FILE}}}", f"${{env:{_TRIAL}}}") if key else text
    problems, _ = desk.problems({path: trial})
    if problems:
        raise ConfigError(problems)
    shown = Desk(path=path, state_dir=state_dir, plugins=plugins).check(text)
    return attrs.evolve(shown, ok=True, problems=())
