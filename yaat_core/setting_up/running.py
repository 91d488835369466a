"""After the configuration is written: an agent of this user, or the service; and the first events that it takes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from yaat_core.actions.agent import STATUS
from yaat_core.actions.base import Nothing
from yaat_core.control.client import Client
from yaat_core.durable import private
from yaat_core.errors import NotAllowed, YaatError

if TYPE_CHECKING:
    from yaat_core.service.plan import Plan

#: Seconds that an agent may take to answer.
PATIENCE: Final = 60.0
LOG: Final = "agent.log"
_TOLD: Final = 3000
_EVERY: Final = 0.2


class DidNotStart(YaatError):
    """An agent that was started ended, or did not answer."""

    code = "YAAT-E792"


@attrs.frozen(kw_only=True)
class Arrived:
    """How far an agent is: what it read, what its queue took, what its sinks have."""

    pid: int
    read: int
    accepted: int
    delivered: int


def begin(path: Path | None, state_dir: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start an agent that outlives this process; the process, and where in its log its messages begin."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    words = [sys.executable, "-m", "yaat_core.cli", "run", *(["-c", str(path)] if path else [])]
    with open(state_dir / LOG, "ab", opener=private) as out:
        began = out.tell()
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    return process, began


def ended(process: subprocess.Popen[bytes], state_dir: Path, began: int) -> DidNotStart:
    """What is told of an agent that ended, or did not answer: with the end of what it said."""
    log = state_dir / LOG
    said = log.read_bytes()[began:][-_TOLD:].decode("utf-8", "replace")
    return DidNotStart(
        f"the agent ended with exit code {process.returncode}"
        if process.returncode is not None
        else f"the agent did not answer within {PATIENCE:.0f} s",
        where=str(log),
        cause=said.strip() or "it said nothing",
        fix="mend what it says; `yaat validate` checks the configuration",
    )


def start(path: Path, state_dir: Path) -> Arrived:
    """Start an agent, or find the one that runs, and wait until it answers.

    Raises:
        DidNotStart: with the end of what it said.
    """
    there = arrived(state_dir)
    if there is not None:
        return there
    process, began = begin(path, state_dir)
    deadline = time.monotonic() + PATIENCE
    while (there := arrived(state_dir)) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise ended(process, state_dir, began)
        time.sleep(_EVERY)
    return there


def arrived(state_dir: Path) -> Arrived | None:
    """How far the agent is; None: none answers (yet).

    Raises:
        NotAllowed: it does not talk to this user.
    """
    try:
        with Client(state_dir) as agent:
            status = agent.call(STATUS, Nothing())
    except NotAllowed:
        raise
    except YaatError:  # nobody is there, or one that starts, stops, or is too busy
        return None
    sinks = status.accounting.by_sink.values()
    return Arrived(
        pid=status.pid,
        read=status.accounting.read,
        accepted=status.accounting.accepted,
        delivered=max((one.delivered for one in sinks), default=0),
    )


def progress(state_dir: Path, seconds: float) -> Iterator[Arrived]:
    """How far it is, again and again, until a sink has an event, the time is over, or nobody answers."""
    deadline = time.monotonic() + seconds
    while (now := arrived(state_dir)) is not None:
        yield now
        if now.delivered or time.monotonic() > deadline:
            return
        time.sleep(_EVERY)


def service_plan(path: Path, state_dir: Path) -> Plan:
    """What installing the service would do, with a configuration that may still have to be written.

    Raises:
        YaatError: there is no systemd, or the service's user could not run the program or read the configuration.
    """
    from yaat_core.service import facts, installing, systemd

    systemd.need_systemd()
    plan = installing.plan(facts.look(), installing.Wish(config=path, state_dir=state_dir))
    steps = [one for one in plan.steps if not (one.kind == "write" and one.target == str(path))]
    return attrs.evolve(plan, steps=steps)
