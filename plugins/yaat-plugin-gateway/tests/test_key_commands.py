"""`yaat gateway keys`, `orgs`, `quotas`, `usage`, as a person or a script runs them."""

from __future__ import annotations

import datetime
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.agents import yaat

from yaat_core.cli.main import cli
from yaat_plugin_gateway.access import token
from yaat_plugin_gateway.state.records import Used, Wanted
from yaat_plugin_gateway.state.store import State
from yaat_plugin_gateway.state.usage import Gathered


def gateway(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In this process, which is quicker; `yaat` is the same in one of its own."""
    done = CliRunner().invoke(cli, ["gateway", *arguments])
    if not isinstance(done.exception, SystemExit | None):
        raise done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def document(*arguments: str) -> Any:
    """With ``--json``."""
    done = gateway(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def failed(code: int, *arguments: str) -> str:
    """What a command that ends with this code says."""
    done = gateway(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout == ""
    return done.stderr


def test_the_first_key_makes_the_state_and_is_shown_once(where: str) -> None:
    at = ("--state", where)
    if "://" not in where:
        missing = failed(2, "keys", "list", *at)
        assert "there is no state of a gateway yet" in missing
        assert "keys create" in missing
        assert not Path(where).exists()
    made = yaat("gateway", "keys", "create", "agents", "--service", "shop", "--expires", "90d", *at)
    assert made.returncode == 0, made.stderr
    (key,) = made.stdout.splitlines()
    assert token.id_of(key)
    assert "services shop, all environments" in made.stderr
    assert "not shown again" in made.stderr
    listed = gateway("keys", "list", *at)
    assert listed.stdout.splitlines()[1].split()[:2] == [key[:15], "agents"]
    assert key[16:] not in listed.stdout + listed.stderr


def test_a_key_is_rotated_and_revoked(local: State) -> None:
    at = ("--state", local.name)
    made = document("keys", "create", "me", "--right", "admin", "--events-per-second", "5", *at)
    assert (made["rights"], made["events_per_second"]) == (["admin"], 5)
    rotated = document("keys", "rotate", "me", "--overlap", "2h", *at)
    assert rotated["key"] != made["key"]
    assert rotated["replaces"]["id"] == made["id"]
    assert document("keys", "show", made["prefix"], *at)["standing"] == "replaced"
    assert "replaced to" in failed(2, "keys", "rotate", made["id"], *at)
    # a leaked key is named by its text: it is not repeated
    revoked = gateway("keys", "revoke", made["key"], *at)
    assert revoked.stdout == f"{made['prefix']} (me) is revoked\n"
    listed = document("keys", "list", *at)["keys"]
    assert [one["id"] for one in listed] == [rotated["id"]]
    everything = document("keys", "list", "--all", *at)["keys"]
    assert {one["standing"] for one in everything} == {"active", "revoked"}


def test_clear_errors(local: State) -> None:
    at = ("--state", local.name)
    for arguments, text in (
        (("keys", "show", "nobody"), "error[YAAT-E801]: no key 'nobody'"),
        (("keys", "show", token.make().token), "error[YAAT-E801]: no key 'yaat_"),
        (("keys", "create", "x", "--right", "root"), "'root' is not one of 'ingest', 'read', 'admin'"),
        (("keys", "create", "x", "--right", "admin", "--service", "a"), "is for its whole organization"),
        (("keys", "create", "x\x1b[31m"), "no control characters"),
        (("keys", "create", "x", "--expires", "90"), "must be a duration like"),
        (("keys", "create", "x", "--expires", "9999999d"), "longer than 3650d"),
        (("keys", "create", "x", "--bytes-per-second", "10"), "--bytes-per-second must be a size"),
        (("keys", "create", "x", "--organization", "nobody"), "no organization 'nobody'"),
        (("orgs", "create", "Acme Inc"), "small letters, digits"),
        (("quotas", "set", "--per", "day"), "--events N, --bytes SIZE, or --none"),
        (("quotas", "set", "--per", "day", "--bytes", "5"), "--bytes must be a size"),
        (("usage", "--key", "nobody"), "error[YAAT-E801]"),
    ):
        said = failed(2, *arguments, *at)
        assert text in said, said
        assert "fix:" in said
    whole = token.make().token
    assert whole[20:] not in failed(2, "keys", "show", whole, *at)
    assert "can't be in 'mysql'" in failed(2, "keys", "list", "--state", "mysql://db/x")


def test_names_of_others_are_no_terminal_sequences(local: State) -> None:
    """Whatever a database holds."""
    local.keys.create("default", Wanted(name="\x1b]52;c;x\x07", rights=frozenset({"read"})), 1)
    for command in (("keys", "list"), ("keys", "show", local.keys.all()[0].id)):
        done = gateway(*command, "--state", local.name)
        assert done.returncode == 0
        assert "\x1b" not in done.stdout + done.stderr


def test_organizations_quotas_and_usage(where: str, state: State) -> None:
    at = ("--state", where)
    assert "is there" in gateway("orgs", "create", "acme", "--name", "Acme Inc.", *at).stdout
    assert "already" in failed(2, "orgs", "create", "acme", *at)
    assert "which organization? There are acme, default" in failed(2, "keys", "create", "x", *at)
    key = document("keys", "create", "agents", "--organization", "acme", *at)
    organizations = document("orgs", "list", *at)["organizations"]
    assert [(one["id"], one["name"], one["keys"]) for one in organizations] == [
        ("acme", "Acme Inc.", 1),
        ("default", "default", 0),
    ]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    used = Used(
        organization_id="acme", key_id=key["id"], day=today, event_type="log", events=1_500, bytes=2**20
    )
    state.usage.write(Gathered(used=[used]))
    of = ("--organization", "acme", *at)
    done = gateway(
        "quotas", "set", "--type", "log", "--per", "month", "--events", "2000", "--bytes", "1GiB", *of
    )
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        ["log", "month", "events", "2,000", "1,500", "500"],
        ["log", "month", "bytes", "1.0", "GiB", "1.0", "MiB", "1023.0", "MiB"],
    ]
    shown = document("quotas", "show", *of)["quotas"]
    assert [(one["unit"], one["allowed"], one["used"], one["left"]) for one in shown] == [
        ("events", 2_000, 1_500, 500),
        ("bytes", 2**30, 2**20, 2**30 - 2**20),
    ]
    usage = gateway("usage", "--key", "agents", *at)
    assert usage.stdout.splitlines()[1].split() == [
        today, key["prefix"], "agents", "log", "1,500", "1.0", "MiB"
    ]  # fmt: skip
    assert document("usage", *of)["usage"][0]["events"] == 1_500
    gateway("quotas", "set", "--type", "log", "--per", "month", "--none", *of)
    assert document("quotas", "show", *of)["quotas"] == []


def test_the_state_is_that_of_the_configurations_gateway(tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"

    def write(sources: str) -> None:
        config.write_text(
            f"version: 1\nstate_dir: ./state\nsources: {sources}\nsinks: {{out: {{type: stdout}}}}\n"
        )

    of = ("-c", str(config))
    for sources, name in (("{}", "gateway.db"), ("{in: {type: gateway, state: keys.db}}", "keys.db")):
        write(sources)
        made = document("keys", "create", "x", *of)
        assert [one["id"] for one in document("keys", "list", *of)["keys"]] == [made["id"]]
        assert (tmp_path / "state" / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", ["keys", "keys create", "keys list", "keys show", "keys rotate", "keys revoke",
                                     "orgs", "orgs create", "orgs list", "quotas set", "quotas show", "usage"])  # fmt: skip
def test_help_has_examples(command: str) -> None:
    done = gateway(*command.split(), "--help")
    assert done.returncode == 0
    if command not in ("keys", "orgs"):
        assert f"yaat gateway {command}" in done.stdout.split("Examples:")[1]
        assert "--json" in done.stdout


def test_a_state_that_nobody_may_open(tmp_path: Path) -> None:
    said = failed(1, "keys", "list", "--state", f"postgresql://bob:hunter2@/x?host={tmp_path}")
    assert "error[YAAT-E505]" in said
    assert "hunter2" not in said
    (tmp_path / "g.db").write_text("no database " * 100)
    assert "error[YAAT-E503]" in failed(1, "keys", "list", "--state", str(tmp_path / "g.db"))
    document = json.loads(
        yaat("gateway", "keys", "list", "--json", "--state", str(tmp_path / "g.db")).stdout or "{}"
    )
    assert document.get("code", "YAAT-E503") == "YAAT-E503"
