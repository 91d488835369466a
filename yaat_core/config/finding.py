"""Which file is the configuration, and where state goes when it does not say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from yaat_core.config.nodes import Items, Node, Scalar, Table
from yaat_core.config.problems import ConfigError, ConfigProblem

_CODE: Final = "YAAT-E108"


def find_config(explicit: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """The file: ``-c FILE``, `YAAT_CONFIG`, ``./yaat.yaml``, ``~/.config/yaat/yaat.yaml``, ``/etc/yaat/yaat.yaml``.

    None when there is none: all defaults. A file that was named has to exist; one that is there but can't be
    looked at is an error, never skipped.

    Raises:
        ConfigError: the named file is not there, or a place can't be looked at.
    """
    environ = os.environ if environ is None else environ
    named = explicit or environ.get("YAAT_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not _exists(path):
            cause = "" if explicit else "YAAT_CONFIG names it"
            raise _error(
                path, f"there is no file {path}", cause=cause, fix="check the path, or write the file"
            )
        return path
    return next((path for path in _places(environ) if _exists(path)), None)


def written_at(path: Path | None, environ: Mapping[str, str] | None = None) -> Path:
    """Where the configuration is, or would be written when there is none: ``/etc/yaat/yaat.yaml`` for root, else
    ``~/.config/yaat/yaat.yaml``."""
    environ = os.environ if environ is None else environ
    found = path or find_config(environ=environ)
    if found is None:
        places = list(_places(environ))
        found = places[2] if os.geteuid() == 0 else places[1]
    return Path(os.path.abspath(found))


def default_state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """``/var/lib/yaat`` for root, else ``$XDG_STATE_HOME/yaat`` (``~/.local/state/yaat``).

    In a systemd unit with `StateDirectory=` it is that one, which systemd names in ``STATE_DIRECTORY``.
    """
    environ = os.environ if environ is None else environ
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if os.path.isabs(given):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/yaat")
    return _xdg(environ, "XDG_STATE_HOME", ".local/state") / "yaat"


def disabled_in(path: Path | None) -> tuple[str, ...]:
    """``plugins.disable`` of a file or one that it includes, for `load_plugins`, which comes before `load`.

    What is wrong is told by the latter.
    """
    from yaat_core.config.including import read

    if path is None:
        return ()
    try:
        node = read(path).document.root
    except ConfigError:
        return ()
    for name in ("plugins", "disable"):
        node = node.get(name) if isinstance(node, Table) else None
    named = node.nodes if isinstance(node, Items) else [node]
    return tuple(one.text for one in named if isinstance(one, Scalar) and one.text)


def state_dir_in(path: Path, environ: Mapping[str, str] | None = None) -> Path | None:
    """The state directory that a file names, whatever else is wrong with it; None when that can't be told."""
    from yaat_core.config.interpolation import Interpolation
    from yaat_core.config.loading import placed

    environ = os.environ if environ is None else environ
    path = Path(os.path.abspath(path))
    try:
        root = _readable_part(path)
    except ConfigError:
        return None
    node = root.get("state_dir") if isinstance(root, Table) else None
    if node is None:
        return placed("", path.parent, environ)
    if not isinstance(node, Scalar) or "${secret:" in node.text:
        return None
    if Interpolation(path.parent, environ, None).apply(node):
        return None
    return placed(node.text, path.parent, environ)


def _readable_part(path: Path) -> Node | None:
    """The file's tree; of a file that is no YAML, what can be made of the line with `state_dir`."""
    from yaat_core.config.including import read
    from yaat_core.config.parsing import parse
    from yaat_core.config.text import read_text

    root = read(path).document.root
    if root is not None:
        return root
    lines = [line for line in read_text(path).splitlines() if line.startswith("state_dir:")]
    return parse("\n".join(lines[:1]), str(path)).root


def _places(environ: Mapping[str, str]) -> Iterator[Path]:
    yield Path("yaat.yaml")
    yield _xdg(environ, "XDG_CONFIG_HOME", ".config") / "yaat" / "yaat.yaml"
    yield Path("/etc/yaat/yaat.yaml")


def _xdg(environ: Mapping[str, str], variable: str, otherwise: str) -> Path:
    """A base directory (XDG Base Directory Specification): a relative one is ignored."""
    named = environ.get(variable, "")
    if os.path.isabs(named):
        return Path(named)
    home = environ.get("HOME")
    return (Path(home) if home else Path.home()) / otherwise


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        fix = "mend the permissions of its folder, or name another file with -c"
        raise _error(path, f"can't look at {path}: {error.strerror}", fix=fix) from None
    return True


def _error(path: Path, what: str, **facts: str) -> ConfigError:
    return ConfigError([ConfigProblem(code=_CODE, what=what, file=str(path), **facts)])  # type: ignore[arg-type]
