"""Carries a plan out, step by step. Each step is such that doing it again does no harm."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from yaat_core import durable
from yaat_core.errors import YaatError
from yaat_core.service import systemd
from yaat_core.service.plan import Plan, Step

#: Told before each step, and with the reason when one failed that may.
Told = Callable[[Step, str], None]
#: What `systemctl reset-failed` says of a unit that has not failed.
_NOTHING_THERE: Final = "not loaded"
_LINES_OF_A_FAILURE: Final = 12


class StepFailed(YaatError):
    """One step of a plan could not be done; those before it are done."""

    code = "YAAT-E905"


def carry_out(plan: Plan, told: Told) -> None:
    """Do every step that is not done already.

    Raises:
        StepFailed: at the first that fails; the same plan can be made and carried out again.
    """
    for step in plan.changes:
        told(step, "")
        try:
            _do(step)
        except (OSError, subprocess.SubprocessError, LookupError) as error:
            if not step.may_fail:
                raise _failed(step, error) from None
            if _NOTHING_THERE not in _said(error):
                told(step, _said(error))


def _do(step: Step) -> None:
    path = Path(step.target)
    if step.kind == "write":
        _write(path, step)
    elif step.kind == "folder":
        path.mkdir(parents=True, exist_ok=True)
        _settle(path, step)
    elif step.kind == "remove":
        _remove(path)
    elif step.kind == "forget_user":
        systemd.run(step.command)
        _forget_group(step.target)
    else:
        systemd.run(step.command)
        _settle(path, step)


def _write(path: Path, step: Step) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with open(fresh, "w", encoding="utf-8", opener=durable.private) as file:
        file.write(step.text or "")
        _settle(fresh, step)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    durable.sync_folder(path.parent)


def _settle(path: Path, step: Step) -> None:
    """Give the file its owner and mode."""
    if step.mode is None:
        return
    user, _, group = step.owner.partition(":")
    if user:
        shutil.chown(path, user)
    if group:
        shutil.chown(path, group=group)
    path.chmod(step.mode)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _forget_group(name: str) -> None:
    """`userdel` leaves a group that has other members."""
    import grp

    if any(one.gr_name == name for one in grp.getgrall()):
        systemd.run(("groupdel", name))


def _failed(step: Step, error: Exception) -> StepFailed:
    starts = step.kind == "run" and any(verb in step.command for verb in ("start", "restart"))
    logged = systemd.journal(step.command[-1]) if starts else ()
    return StepFailed(
        f"could not do this: {step.what}",
        where=step.target or " ".join(step.command),
        cause="\n    ".join([_said(error), *logged[-_LINES_OF_A_FAILURE:]]),
        effect="what came before it is done",
        fix="mend that and run the same command again; `journalctl -u yaat` has all that the service said"
        if starts
        else "mend that and run the same command again",
    )


def _said(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return (error.stderr or error.stdout or "").strip() or f"exit code {error.returncode}"
    return str(error)
