"""How the service is: what systemd says of the unit, and what is wrong with the unit itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import attrs

from yaat_core.service import systemd, unit
from yaat_core.service.facts import Facts
from yaat_core.service.installing import strangers


@attrs.frozen(kw_only=True)
class UnitProblem:
    """Something about the unit, with what to do."""

    what: str
    advice: str
    level: Literal["warn", "error"] = "warn"


@attrs.frozen(kw_only=True)
class UnitStatus:
    """The unit as systemd sees it; ``active`` is its word: active, activating, reloading, deactivating, inactive, failed."""

    installed: bool
    path: str | None = None
    ours: bool = False
    config_file: str | None = None
    enabled: bool = False
    active: str = "inactive"
    since: str | None = None
    pid: int | None = None
    restarts: int = 0
    result: str = ""
    memory_bytes: int | None = None
    problems: Sequence[UnitProblem] = ()


def look(facts: Facts, grace: float | None, state_dir: Path | None = None) -> UnitStatus:
    """The unit now. ``grace`` (seconds) and ``state_dir`` are what its configuration says, where that could be read."""
    if facts.unit is None:
        return UnitStatus(installed=False)
    now = systemd.show(
        unit.NAME,
        *("ActiveState", "ActiveEnterTimestamp", "MainPID", "NRestarts", "Result", "MemoryCurrent"),
        *("NeedDaemonReload", "UnitFileState"),
    )
    config = unit.config_of(facts.unit.text)
    return UnitStatus(
        installed=True,
        path=str(facts.unit.path),
        ours=facts.unit.ours,
        config_file=str(config) if config else None,
        enabled=facts.enabled,
        active=now.get("ActiveState", "unknown"),
        since=now.get("ActiveEnterTimestamp") or None,
        pid=_number(now.get("MainPID")) or None,
        restarts=_number(now.get("NRestarts")) or 0,
        result=now.get("Result", ""),
        memory_bytes=_number(now.get("MemoryCurrent")),
        problems=(*_problems(facts, now, grace), *_strangers(facts, state_dir)),
    )


def _problems(facts: Facts, now: Mapping[str, str], grace: float | None) -> Sequence[UnitProblem]:
    assert facts.unit is not None
    found = []
    if now.get("ActiveState") == "failed":
        found.append(
            UnitProblem(
                what=f"the service has failed ({now.get('Result', 'unknown')})",
                advice="`journalctl -u yaat -n 50` says why; then `yaat service start`",
                level="error",
            )
        )
    if now.get("NeedDaemonReload") == "yes":
        found.append(UnitProblem(what="the unit was changed on disk", advice="systemctl daemon-reload"))
    if not facts.enabled:
        found.append(UnitProblem(what="it does not start at boot", advice="systemctl enable yaat"))
    if facts.unit.ours and unit.is_edited(facts.unit.text):
        advice = "move the changes into `systemctl edit yaat`, then `yaat service install --replace`"
        found.append(
            UnitProblem(what="the unit was edited by hand: an install would be refused", advice=advice)
        )
    patience = unit.patience_of(facts.unit.text) if facts.unit.ours else None
    if patience is not None and grace is not None and patience < unit.patience(grace):
        what = f"systemd waits {patience:.0f} s for a stop, too short for a shutdown_grace of {grace:.0f} s"
        found.append(UnitProblem(what=what, advice="yaat service install"))
    program = unit.program_of(facts.unit.text) if facts.unit.ours else None
    if program is not None and not program.exists():
        what = f"{program}, which the unit runs, is gone"
        found.append(UnitProblem(what=what, advice="yaat service install", level="error"))
    return tuple(found)


def _strangers(facts: Facts, state_dir: Path | None) -> Iterator[UnitProblem]:
    if facts.user is None or state_dir is None or not (count := strangers(state_dir, facts.user.uid)):
        return
    yield UnitProblem(
        what=f"{count} file{'s' * (count != 1)} in {state_dir} of another user: the service can't write there",
        advice="`sudo yaat service start` gives them back; run such commands as the service's user: sudo -u yaat yaat ...",
        level="error",
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None
