r"""``${env:NAME}``, ``${env:NAME:-default}``, ``${file:PATH}``, ``${secret:NAME}`` in texts; ``$${`` is a plain ``${``.

A text that came from elsewhere is marked: it never appears in a message, an excerpt or `yaat config show`.
"""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from yaat_core.concealing import conceal
from yaat_core.config.nodes import MASK, Node, Scalar, scalars
from yaat_core.config.problems import Misfit, Misfits, at_value
from yaat_core.errors import YaatError

#: Bytes that a file named by ``${file:PATH}``, or a credential, may have.
MAX_FILE: Final = 64 * 2**10
_CODE: Final = "YAAT-E105"
_TOKEN: Final = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")
_DEFAULTED: Final = re.compile(r"\$\{env:[^}]*:-")
_ENV: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_SECRET: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@attrs.frozen
class Interpolation:
    """Where texts come from."""

    config_dir: Path
    environ: Mapping[str, str]
    hook: Any
    """The plugins' hook caller, for secrets."""

    def apply(self, root: Node) -> list[Misfit]:
        """Replace references in every text, in place; those that can't be resolved are returned."""
        misfits: list[Misfit] = []
        for node in scalars(root):
            if "${" in node.text and not node.broken:
                try:
                    self._replace(node)
                except Misfits as wrong:
                    node.broken = True
                    misfits += wrong.found
        return misfits

    def _replace(self, node: Scalar) -> None:
        origins: list[str] = []

        def one(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            if not match[2]:
                raise _wrong(node, "`${` is never closed", fix="write ${env:NAME}, or $${ for a plain ${")
            kind, colon, rest = match[1].partition(":")
            resolve = {"env": self._env, "file": self._file, "secret": self._secret}.get(kind)
            if resolve is None or not colon:
                raise _wrong(
                    node,
                    f"`${{{match[1]}}}` is no reference",
                    fix="write ${env:NAME}, ${file:PATH} or ${secret:NAME}, or $${ for a plain ${",
                )
            origins.append(f"${{{kind}:{rest.partition(':-')[0]}}}")
            value = resolve(node, rest)
            if kind != "env":
                conceal.learn([value])
            return value

        written = node.text
        node.text = node.value = _TOKEN.sub(one, written)
        if origins:
            hidden = any(not origin.startswith("${env:") for origin in origins)
            node.shown = MASK if hidden else written
            node.origin = ", ".join(dict.fromkeys(origins))
            node.whole = bool(_TOKEN.fullmatch(written)) and not _DEFAULTED.match(written)
        else:
            node.plain = False

    def _env(self, node: Scalar, rest: str) -> str:
        match = _ENV.fullmatch(rest)
        if match is None:
            raise _wrong(
                node, f"`${{env:{rest}}}` names no variable", fix="write ${env:NAME} or ${env:NAME:-default}"
            )
        name, default = match[1], match[2]
        value = self.environ.get(name)
        if default is not None:
            return value or default
        if value is None:
            near = next(iter(difflib.get_close_matches(name, self.environ, 1, 0.8)), "")
            raise _wrong(
                node,
                f"the environment variable {name} is not set",
                nearest=near,
                hint=f"did you mean {near}?" if near else "",
                fix=f"export {name}=..., write ${{env:{name}:-default}}, or for a service set Environment= in its unit",
            )
        return value

    def _file(self, node: Scalar, rest: str) -> str:
        path = self.config_dir / Path(rest).expanduser()
        if not rest:
            raise _wrong(node, "`${file:}` names no file", fix="write ${file:PATH}")
        try:
            return _content(path)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise _wrong(
                node,
                f"can't read {path}: {why}",
                fix="check the path (relative to the main file) and its permissions",
            ) from None

    def _secret(self, node: Scalar, name: str) -> str:
        if not _SECRET.fullmatch(name):
            raise _wrong(
                node, f"`${{secret:{name}}}` names no secret", fix="names have letters, digits, ., - and _"
            )
        try:
            value = self.hook.resolve_secret(name=name)
        except YaatError as error:
            raise _wrong(
                node, f"the secret {name} can't be had: {error.what}", cause=error.cause, fix=error.fix
            ) from None
        except Exception as error:  # noqa: BLE001 - a store's error may hold what it keeps, so only its type is told
            raise _wrong(
                node,
                f"the secret {name} can't be had: its store raised {type(error).__name__}",
                fix="`yaat plugins list` shows the plugins that keep secrets",
            ) from None
        value = self._credential(node, name) if value is None else value
        if value is None:
            raise _wrong(
                node,
                f"nobody knows the secret {name}",
                fix=f"put it into a secret store, or give it to the service: LoadCredential={name}:/path/to/file",
            )
        return str(value)

    def _credential(self, node: Scalar, name: str) -> str | None:
        """systemd's way (systemd.exec(5), LoadCredential=)."""
        folder = self.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            return None
        try:
            return _content(Path(folder) / name)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise _wrong(node, f"the credential {name} can't be read: {why}") from None


def _content(path: Path) -> str:
    """A small text file without its last newline.

    Raises:
        OSError: it can't be read.
        ValueError: it is no regular file, too large, or not UTF-8.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("not a regular file")
    with open(path, "rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE >> 10} KiB")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")


def _wrong(node: Scalar, what: str, **facts: str) -> Misfits:
    return Misfits([at_value(node, _CODE, what, **facts)])
