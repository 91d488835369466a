"""How a command line ends: exit codes and how errors are told, in one place."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click

from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError, YaatError

INTERRUPTED = 130
FAILED = 1


class Fault(YaatError):
    """An exception that nobody foresaw."""

    code = "YAAT-E000"


class AllClosed(int):
    """The exit code of a command that has closed and stored everything it had: nothing is left for Python to end."""


def leave(wish: SystemExit) -> NoReturn:
    """End the process, after `AllClosed` at once: to take an interpreter with all libraries apart takes a sixth of a second."""
    if not isinstance(wish.code, AllClosed):
        raise wish
    logging.shutdown()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(wish.code)


def ended(work: Callable[[], Any], args: Sequence[str]) -> int:
    """Run ``work`` and return the exit code; every error is told on the way.

    With `--json` among ``args`` an error is a JSON document on stdout, and its text goes to stderr all the same.
    """
    try:
        outcome = work()
        sys.stdout.flush()
    except click.exceptions.Exit as wish:
        return wish.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("interrupted", file=sys.stderr)
        return AllClosed(INTERRUPTED)
    except BrokenPipeError:
        return _reader_left()
    except Exception as error:  # noqa: BLE001 - the last one who could tell it
        return _tell(error, args)
    return outcome if isinstance(outcome, int) else 0


def _tell(error: Exception, args: Sequence[str]) -> int:
    whole, error = error, _first(error)
    if isinstance(error, click.ClickException):
        known: YaatError = UsageError(" ".join(error.format_message().split()), fix=_usage_fix(error))
    elif isinstance(error, YaatError):
        known = error
    else:
        known = _fault(error, whole)
    try:
        if _wants_json(args):
            _document(known)
        print(terminal_safe(known.render(), lines=True), file=sys.stderr)
        sys.stdout.flush()
    except BrokenPipeError:
        _reader_left()
    return known.exit_code


def _first(error: Exception) -> Exception:
    """What a group of a nursery was raised for."""
    while isinstance(error, ExceptionGroup):
        error = next((one for one in error.exceptions if isinstance(one, YaatError)), error.exceptions[0])
    return error


def _fault(error: Exception, whole: Exception) -> Fault:
    if os.environ.get("YAAT_DEBUG") == "1":
        traceback.print_exception(whole)
    return Fault(
        f"{type(error).__name__}: {error}",
        cause="a fault of yaat, not of what you typed",
        fix="run it again with YAAT_DEBUG=1 for the traceback, and report it",
    )


def _document(error: YaatError) -> None:
    import json

    print(json.dumps({"error": error.to_json()}))


def _wants_json(args: Sequence[str]) -> bool:
    options = args[: args.index("--")] if "--" in args else args
    return "--json" in options


def _usage_fix(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    if isinstance(error, click.BadParameter) and error.param is not None:
        return _instead(error, error.param)
    return f"`{ctx.command_path} --help` shows how" if ctx is not None else ""


def _instead(error: click.BadParameter, param: click.Parameter) -> str:
    """The choice that was probably meant, else the option's meaning."""
    from yaat_core.guessing import near

    said = re.match(r"'(.*)' is not one of", error.message)
    if said and isinstance(param.type, click.Choice):
        found = near(said[1], [str(one) for one in param.type.choices])
        if found:
            return f"did you mean `{found[0]}`?"
    return f"`{error.ctx.command_path} --help` shows how" if error.ctx is not None else ""


def _reader_left() -> int:
    """Whoever reads stdout has enough (`| head`): no error, and no noise when Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 0
