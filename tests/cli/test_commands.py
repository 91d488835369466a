"""The commands that look and change, without an agent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from yaat_core.control.lock import StateLock


@pytest.fixture
def ran(yaat: Any) -> Any:
    """As if an agent had run here once."""
    yaat.state_dir.mkdir(mode=0o700)
    (yaat.state_dir / "agent.json").write_text(json.dumps({"agent_id": "00" * 16}))
    return yaat


def test_without_an_agent_status_is_3(yaat: Any) -> None:
    done = yaat("status")
    assert done.code == 3
    assert "yaat run" in done.err
    assert done.out == b""


# --- validate -------------------------------------------------------------------------------------------


def test_validate_ticks_every_stage(yaat: Any) -> None:
    done = yaat("validate")
    assert done.code == 0, done.err
    for said in (
        "configuration",
        "sources.app",
        "processors.shout",
        "queue",
        "sinks.local",
        "few words",
        "valid",
    ):
        assert said in done.text
    document = yaat("validate", "--json").document
    assert document["ok"]
    stages = {one["component"]: one["stage"] for one in document["components"]}
    assert stages == {
        "sources.app": "checked",
        "processors.shout": "made",
        "queue": "made",
        "sinks.local": "checked",
    }
    assert not yaat.state_dir.exists(), "validate opened a store"


def test_validate_tells_what_can_not_be_read(yaat: Any) -> None:
    yaat.configure("words: [one, two]", "unreadable: true")
    done = yaat("validate")
    assert done.code == 1
    assert "can't read the words" in done.text
    assert "fix: chmod +r words" in done.text
    (source, *_) = yaat("validate", "--json").document["components"]
    assert source["findings"] == [
        {"problem": "can't read the words", "advice": "chmod +r words", "level": "error"}
    ]


def test_validate_names_a_factory_and_a_check_that_raise(yaat: Any) -> None:
    yaat.configure("words: [one, two]", "unmakeable: true")
    done = yaat("validate", "--json")
    assert done.code == 1
    (source, *others) = done.document["components"]
    assert "no words" in source["findings"][0]["problem"]
    assert all(one["ok"] for one in others)
    assert "\x1b[31m today" not in yaat("validate").text
    yaat.configure("unmakeable: true", "hangs: true")
    assert "RuntimeError: boom" in yaat("validate").text


def test_offline_does_not_reach_for_sinks(yaat: Any) -> None:
    yaat.configure("{type: numbers}", "{type: numbers, unreachable: true}")
    assert yaat("validate").code == 1
    assert yaat("validate", "--offline").code == 0


def test_a_wrong_configuration_is_2_with_all_its_problems(yaat: Any) -> None:
    yaat.configure("words: [one, two]", "wrods: [one]")
    yaat.configure("type: numbers", "type: nmbers")
    done = yaat("validate", "--json")
    assert done.code == 2
    assert "wrods" in json.dumps(done.document["error"])
    assert "nmbers" in json.dumps(done.document["error"])
    assert "wrods" in done.err


# --- diagnose ---------------------------------------------------------------------------------------------


def test_diagnose_before_the_first_run(yaat: Any) -> None:
    done = yaat("diagnose", "--json")
    assert done.code == 3
    document = done.document
    assert not document["running"]
    assert document["accounting"] is None
    assert document["health"]["problems"][0]["component"] == "agent"
    assert {check["name"] for check in document["checks"]} >= {"sources.app", "queue", "sinks.local"}
    assert "no agent is running" in yaat("diagnose").text


def test_diagnose_after_a_run_has_the_accounting(ran: Any) -> None:
    document = ran("diagnose", "--json").document
    assert document["accounting"]["accepted"] == 5
    assert document["accounting"]["by_sink"]["local"]["queued"] == 5
    assert document["queue"]["events"] == 5
    with StateLock(ran.state_dir):
        busy = ran("diagnose", "--json").document
    assert "in use by pid" in next(check for check in busy["checks"] if check["level"] == "error")["what"]


# --- queue --------------------------------------------------------------------------------------------------


def test_queue_list_and_show(ran: Any) -> None:
    (record,) = ran("queue", "list", "--json").document["records"]
    assert (record["first"], record["last"]) == (1, 5)
    assert "2023-11-14 22:13:20" in ran("queue", "list").text
    shown = ran("queue", "show", "3", "--limit", "2", "--json").document
    assert [event["message"] for event in shown["events"]] == ["m0\x1b[2J", "m1\x1b[2J"]
    assert shown["checkpoints"] == {"sources.app": ["k"]}
    human = ran("queue", "show", "3").text
    assert "m4\\x1b[2J" in human
    assert "\x1b" not in human
    missing = ran("queue", "show", "9", "--json")
    assert missing.code == 2
    assert "no record with sequence 9" in missing.document["error"]["what"]
    assert ran("queue", "list", "--after", "5", "--json").document == {"records": []}


def test_queue_verify(ran: Any) -> None:
    assert ran("queue", "verify").code == 0
    ran.configure("{type: kept}", "{type: kept, damaged: true}")
    done = ran("queue", "verify", "--json")
    assert done.code == 1
    assert done.document == {"ok": False, "damage": [{"what": "a bad block", "first": 2, "last": 3}]}
    assert "found damaged" in ran("queue", "list").err


def test_queue_purge_asks_and_counts(ran: Any) -> None:
    unconfirmed = ran("queue", "purge", "local", "--json")
    assert unconfirmed.code == 2
    assert unconfirmed.document["error"]["fix"] == "--confirm local"
    assert ran("queue", "purge", "local", "--confirm", "other").code == 2
    assert ran("queue", "purge", "nobody", "--confirm", "nobody").code == 2
    done = ran("queue", "purge", "local", "--confirm", "local", "--json")
    assert done.document == {"sink": "sinks.local", "events": 5}
    account = ran("diagnose", "--json").document["accounting"]["by_sink"]["local"]
    assert (account["queued"], account["dropped"]) == (0, 5)
    assert ran("queue", "purge", "local", "--confirm", "local", "--json").document["events"] == 0


def test_the_queue_of_somebody_else_is_left_alone(ran: Any) -> None:
    with StateLock(ran.state_dir):
        done = ran("queue", "list", "--json")
    assert done.code == 1
    assert done.document["error"]["code"] == "YAAT-E501"


def test_what_takes_an_agent_is_3(yaat: Any) -> None:
    for args in (
        ["queue", "accept-loss", "--confirm", "loss"],
        ["queue", "list"],
        ["config", "show", "--running"],
    ):
        done = yaat(*args, "--json")
        assert done.code == 3, args
        assert done.document["error"]["code"] == "YAAT-E701"
    assert not yaat.state_dir.exists()


# --- the rest -----------------------------------------------------------------------------------------------


def test_plugins_list_imports_none(yaat: Any) -> None:
    (plugin,) = [
        one for one in yaat("plugins", "list", "--json").document["plugins"] if one["name"] == "demo"
    ]
    assert plugin["components"]["sources"] == {"words": "Words that are in the configuration."}
    assert plugin["commands"]["greet"] == "Say hello."
    assert "What the tests of the command line need." in yaat("plugins", "list").text


def test_plugins_show(yaat: Any) -> None:
    document = yaat("plugins", "show", "demo", "--json").document
    assert document["state"] == "loaded"
    (words, *_) = document["options"]["sources.words"]
    assert words == {"name": "words", "default": "('one',)", "required": False, "help": "What to send."}
    assert "What to send." in yaat("plugins", "show", "demo").text
    assert yaat("plugins", "show", "nothing").code == 2


def test_plugins_show_has_the_traceback_of_a_broken_one(yaat: Any) -> None:
    (yaat.folder / "bad.py").write_text("1 / 0\n")
    env = {"YAAT_PLUGINS_DIR": str(yaat.folder), "YAAT_LOAD_PLUGINS": ""}
    done = yaat("plugins", "show", "bad", "--json", **env)
    assert done.code == 1
    assert done.document["state"] == "failed"
    assert "ZeroDivisionError" in done.document["traceback"]


def test_config_show_has_what_the_file_says(yaat: Any) -> None:
    document = yaat("config", "show", "--json").document
    assert document["sources"] == {"app": {"type": "words", "words": ["one", "two"]}}
    assert "shutdown_grace" not in document
    effective = yaat("config", "show", "--effective", "--json").document
    assert effective["sources"]["app"]["unreadable"] is False
    assert effective["shutdown_grace"]
    assert "words:\n    - one\n    - two" in yaat("config", "show").text.replace("      -", "    -")


def test_the_schema_knows_the_plugins(yaat: Any) -> None:
    assert "What to send." in yaat("config", "schema").text
