"""What a user likes: theme, glyphs, refresh, mouse, UTC, keys. One small YAML file of the user's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import attrs
import cattrs

from yaat_core.durable import replace
from yaat_core.errors import YaatError

Theme = Literal["dark", "light", "contrast", "plain"]
Glyph = Literal["auto", "utf8", "ascii"]

#: Bytes of the file that are read at most.
_MOST: Final = 256 * 2**10


@attrs.define(kw_only=True)
class Settings:
    """As the file has it; what is wrong in it is in ``problems`` and counts as not written."""

    theme: Theme = "dark"
    glyphs: Glyph = "auto"
    refresh: float = 1.0
    """Seconds between two redraws when nothing is typed."""
    mouse: bool = True
    utc: bool = True
    keys: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """By the name of what they do (`queue.purge`), other keys for it."""
    seen: tuple[str, ...] = ()
    """What was shown once and need not be again."""
    problems: tuple[str, ...] = attrs.field(default=(), eq=False)


def place(environ: Mapping[str, str] | None = None) -> Path:
    """The file: `YAAT_TUI_SETTINGS`, or ``tui.yaml`` in the user's configuration folder."""
    environ = os.environ if environ is None else environ
    if environ.get("YAAT_TUI_SETTINGS"):
        return Path(environ["YAAT_TUI_SETTINGS"])
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME") or "~", ".config")
    return Path(base).expanduser() / "yaat" / "tui.yaml"


def load(file: Path) -> Settings:
    """The settings; a file that can't be read or is wrong gives the defaults for what is wrong in it, and says so."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        with open(file, encoding="utf-8") as opened:
            found = YAML(typ="safe", pure=True).load(opened.read(_MOST))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        reason = str(error).partition("\n")[0]
        return Settings(problems=(f"{file} can't be read: {reason}",))
    if found is None:
        return Settings()
    if not isinstance(found, dict):
        return Settings(problems=(f"{file} must hold keys and values",))
    return _from(found, file)


def _from(found: Mapping[Any, Any], file: Path) -> Settings:
    from yaat_core.tui.keys import wrong_keys

    known = {field.name: field for field in attrs.fields(Settings) if field.name != "problems"}
    good: dict[str, Any] = {}
    problems: list[str] = []
    converter = cattrs.Converter(forbid_extra_keys=True, prefer_attrib_converters=True)
    for name, value in found.items():
        if name not in known:
            problems.append(f"{file}: unknown setting `{name}`; there are: {', '.join(known)}")
            continue
        if name == "keys":
            good["keys"], wrong = _keys(value, wrong_keys)
            problems += [f"{file}: {one}" for one in wrong]
            continue
        try:
            good[name] = converter.structure(value, _type_of(name))
        except Exception as error:  # noqa: BLE001 - whatever cattrs says of a value is told
            problems.append(f"{file}: `{name}` can't be {value!r}: {type(error).__name__}")
    return Settings(**good, problems=tuple(problems))


def _type_of(name: str) -> Any:
    types: dict[str, Any] = {
        "theme": Theme,
        "glyphs": Glyph,
        "refresh": float,
        "mouse": bool,
        "utc": bool,
        "seen": tuple[str, ...],
    }
    return types[name]


def _keys(value: Any, wrong_keys: Any) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    if not isinstance(value, dict):
        return {}, ["`keys` must map what keys do to keys: {queue.purge: [D]}"]
    good: dict[str, tuple[str, ...]] = {}
    problems = []
    for name, keys in value.items():
        listed = [keys] if isinstance(keys, str) else keys
        if not isinstance(listed, list) or not all(isinstance(key, str) for key in listed):
            problems.append(f"`keys.{name}` must be a key or a list of keys")
            continue
        wrong = wrong_keys(listed)
        if wrong:
            problems.append(
                f"`keys.{name}`: no terminal sends {', '.join(wrong)}; such as: D, c-d, f5, pageup"
            )
        else:
            good[str(name)] = tuple(listed)
    return good, problems


def save(settings: Settings, file: Path) -> None:
    """Write what differs from the defaults.

    Raises:
        YaatError: the file can't be written.
    """
    import io

    from ruamel.yaml import YAML

    default = Settings()
    document = {
        field.name: _plain(getattr(settings, field.name))
        for field in attrs.fields(Settings)
        if field.name != "problems" and getattr(settings, field.name) != getattr(default, field.name)
    }
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(document, text)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace(file, text.getvalue().encode())
    except OSError as error:
        raise YaatError(
            f"the settings can't be saved: {error.strerror}",
            where=str(file),
            fix="set YAAT_TUI_SETTINGS to a file",
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return list(value) if isinstance(value, tuple) else value
