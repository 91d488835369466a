"""`yaat setup`: the first configuration of a machine, or more for one that is there; the wizard of the TUI, or by answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from yaat_core.cli.door import Door, command
from yaat_core.cli.editing import (
    Place,
    ask,
    dry_run_option,
    place_of,
    show_diff,
    show_done,
    show_problems,
    yes_option,
)
from yaat_core.cli.marks import mark
from yaat_core.cli.table import table
from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from yaat_core.config.editing.results import Applied
    from yaat_core.service.plan import Plan
    from yaat_core.setting_up.answers import Answers
    from yaat_core.setting_up.drafting import Draft
    from yaat_core.setting_up.finding import Found
    from yaat_core.setting_up.gateway import Known
    from yaat_core.setting_up.running import Arrived

#: Seconds to wait for the first event.
_FIRST = 20.0


@command(
    "setup",
    example="yaat setup\nyaat setup --dry-run\nyaat setup --answers answers.yaml --yes\n"
    "echo 'redact: [secrets, pii]' | yaat setup --answers - --yes --json",
)
@click.option(
    "--answers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Answers in YAML or JSON; -: from stdin.",
)
@dry_run_option
@yes_option
@click.pass_obj
def setup(door: Door, *, answers: Path | None, dry_run: bool, yes: bool) -> int:
    """Set up this machine: what to read, what to redact, where to send it, how to run.

    On a terminal a wizard asks, with what was found here. With --answers nobody is asked but for the last confirmation; without
    answers --dry-run and --yes take the defaults. Nothing is written before that. docs/setup.md has every answer.
    """
    from yaat_core.cli import tui
    from yaat_core.setting_up.answers import Answers, read

    if answers is None and not (dry_run or yes or door.as_json) and tui.possible():
        return tui.run(door, screen="setup")
    if answers is None and not (dry_run or yes):
        raise UsageError(
            "there is no terminal to ask on",
            fix="--answers FILE says what you want; --yes takes the defaults",
        )
    return _set_up(door, read(answers) if answers else Answers(), dry_run=dry_run, yes=yes)


def _set_up(door: Door, answers: Answers, *, dry_run: bool, yes: bool) -> int:
    from yaat_core.setting_up import finding, running, writing
    from yaat_core.setting_up.drafting import draft

    place = place_of(door)
    found = finding.look(place.plugins, place.path)
    known = asked(answers, place)
    made = draft(answers, found, place.path, place.plugins, place.state_dir)
    plan = running.service_plan(made.path, made.state_dir) if answers.run == "service" else None
    if not door.as_json:
        _show(door, found, made, known, plan)
    if dry_run:
        door.result(_document(found, made, known, plan, None, None), lambda: door.line("nothing was written"))
        return 0
    if plan is not None:
        _need_root()
    if made.checked.diff:
        ask(f"Write {made.path}{' and start it' if answers.run != 'later' else ''}?", yes=yes)
    done = writing.write(made, place.plugins)
    if not door.as_json:
        show_done(door, done, "" if done.version is not None else f"{done.path} is as it should be already")
    here = _run(door, answers, made)
    door.result(
        _document(found, made, known, plan, done, here), lambda: _show_running(door, made, here, answers)
    )
    return 0


def asked(answers: Answers, place: Place) -> Known | None:
    """What the gateway says to the key; None: it is not asked."""
    import os

    import trio

    from yaat_core.setting_up import gateway

    backend = answers.backend
    if backend is None or not backend.check:
        return None
    key = gateway.key_of(backend.api_key, place.path.parent, os.environ, place.plugins.manager.hook)
    return trio.run(gateway.ask, backend.endpoint, key)


def _run(door: Door, answers: Answers, made: Draft) -> Arrived | None:
    from yaat_core.cli import plans
    from yaat_core.setting_up import running

    if answers.run == "later":
        return None
    if answers.run == "service":
        plans.carry_out(door, running.service_plan(made.path, made.state_dir))
        last = running.arrived(made.state_dir)
    else:
        last = running.start(made.path, made.state_dir)
    return [last, *running.progress(made.state_dir, _FIRST)][-1]


def _need_root() -> None:
    from yaat_core.cli.service import need_root
    from yaat_core.service import facts

    need_root(facts.look())


def _show(door: Door, found: Found, made: Draft, known: Known | None, plan: Plan | None) -> None:
    rows = [
        [
            "read already" if one.configured else "yes" if one.name in made.chosen else "no",
            one.name,
            one.what,
            ", ".join(one.paths) or one.type,
        ]
        for one in found.candidates
    ]
    for line in table(["read", "source", "what", "where"], rows):
        door.line(terminal_safe(line))
    for one in found.candidates:
        for problem in one.problems:
            door.line(f"{mark('warn')} {terminal_safe(one.name)}: {terminal_safe(problem.problem)}")
            if problem.advice:
                door.line(f"    fix: {terminal_safe(problem.advice)}")
    for failure in found.failures:
        door.line(f"{mark('error')} {terminal_safe(failure)}")
    if known is not None:
        door.line(f"{mark('yes')} {terminal_safe(told(known))}")
    door.line()
    show_diff(door, made.checked.diff)
    show_problems(door, made.checked.warnings)
    if made.key_file is not None:
        door.line(f"the key goes into {terminal_safe(str(made.key_file))}, for its owner only")
    if plan is not None:
        from yaat_core.cli import plans

        plans.show(door, plan)


def told(known: Known) -> str:
    """What a gateway said, in a sentence."""
    services = "" if known.services is None else f", {len(known.services)} services known there"
    return f"{known.url} takes the key {known.key} of {known.organization or known.organization_id}{services}"


def _show_running(door: Door, made: Draft, here: Arrived | None, answers: Answers) -> None:
    if answers.run == "later":
        door.line("start it with `yaat run`, or for good with `sudo yaat service install`")
    elif here is None:
        door.line(f"{mark('warn')} the agent does not answer; `yaat diagnose` tells more")
    elif here.delivered:
        door.line(
            f"{mark('yes')} the agent runs, pid {here.pid}: {here.read} events read, {here.delivered} stored"
        )
    else:
        door.line(
            f"{mark('yes')} the agent runs, pid {here.pid}; no event came yet: `yaat status` tells more"
        )


def _document(
    found: Found,
    made: Draft,
    known: Known | None,
    plan: Plan | None,
    done: Applied | None,
    here: Arrived | None,
) -> dict[str, Any]:
    import attrs

    return {
        "found": [{**attrs.asdict(one), "chosen": one.name in made.chosen} for one in found.candidates],
        "failures": list(found.failures),
        "gateway": attrs.asdict(known) if known else None,
        "path": str(made.path),
        "state_dir": str(made.state_dir),
        "key_file": str(made.key_file) if made.key_file else None,
        "diff": made.checked.diff,
        "warnings": [
            one.to_json() if hasattr(one, "to_json") else attrs.asdict(one) for one in made.checked.warnings
        ],
        "plan": plan.to_json() if plan else None,
        "written": done is not None and done.version is not None,
        "version": done.version if done else None,
        "agent": attrs.asdict(here) if here else None,
    }
