"""The wizard in a real pseudo-terminal: from nothing to the first event, and with a real gateway."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from support.first_start import first_start
from support.gateways import gateway_process


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
def test_from_nothing_to_the_first_event(tmp_path: Path, columns: int, rows: int) -> None:
    with first_start(tmp_path / "m") as machine, machine.wizard(columns=columns, rows=rows) as terminal:
        terminal.wait_for("1 of 7", "Welcome", "will be written")
        terminal.send("enter")
        terminal.wait_for("2 of 7", "logs", "password=[password]", "[x]")
        assert "hunter2secret" not in terminal.text
        terminal.send("enter")
        terminal.wait_for("3 of 7", "Before (-)", "-2026-12-01", "hu••", "+2026-12-01")
        terminal.send("down")
        terminal.wait_for("[email]")
        terminal.send("enter")
        terminal.wait_for("4 of 7", "nothing leaves it")
        terminal.send("enter")
        terminal.wait_for("5 of 7", "yaat run -c")
        assert machine.files() <= {"home"}, "nothing is written before the last confirmation"
        terminal.send("enter")
        terminal.wait_for("6 of 7", "version: 1", "Write it")
        assert machine.files() <= {"home"}
        terminal.send("c-n")
        terminal.wait_for("7 of 7", "The first events have arrived", "runs, pid")
        terminal.send("enter")
        terminal.wait_for("Throughput", "sinks.local")
        terminal.send("c-q")
        assert terminal.ended() == 0
        found = machine.count()
        assert len(found) == 40
        assert all("password=[password]" in str(row) and "[email]" in str(row) for row in found)
        assert "detectors: [secrets, pii]" in machine.config.read_text()


def test_back_and_skip_and_leaving_writes_nothing(tmp_path: Path) -> None:
    with first_start(tmp_path / "m") as machine, machine.wizard(columns=60, rows=16) as terminal:
        terminal.wait_for("Welcome")
        terminal.send("enter")
        terminal.wait_for("Sources", "[x]")
        terminal.send(" ", "up")  # not this one
        terminal.wait_for("[ ]")
        terminal.send("c-n")
        terminal.wait_for("Redaction")
        terminal.send("c-o")
        terminal.wait_for("Sources", "[ ]")
        terminal.send("tab", "tab", "left", "enter")  # Skip: as it was
        terminal.wait_for("Redaction")
        terminal.send("c-o")
        terminal.wait(lambda screen: "Sources" in screen and "[ ]" not in screen, what="all taken again")
        for title in ("Redaction", "Destination", "How it runs", "Review"):
            terminal.send("c-n")
            terminal.wait_for(title)
        terminal.wait_for("Made by")
        terminal.send("c-q")
        assert terminal.ended() == 0
        assert machine.files() <= {"home"}


@pytest.mark.faults
def test_a_backend_is_asked_about_the_key_and_gets_the_events(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    with gateway_process(tmp_path / "gateway") as gateway, first_start(tmp_path / "m") as machine:
        good, bad = gateway.key("ingest", "read"), "yaat_aaaaaaaaaa_" + "b" * 32
        only_reads = gateway.key("read")
        gateway.ingest([{"service_name": "billing", "message": "here before"}])
        with machine.wizard() as terminal:
            terminal.wait_for("Welcome")
            terminal.send("enter")
            terminal.wait_for("Sources", "[x]")
            for title in ("Redaction", "Destination"):
                terminal.send("c-n")
                terminal.wait_for(title)
            terminal.send("down")
            terminal.wait_for("Endpoint")
            terminal.send("tab")
            terminal.type("http://example.com")
            terminal.wait_for("must begin with https://")
            terminal.send(*["backspace"] * len("http://example.com"))
            terminal.type(gateway.url)
            terminal.send("tab")
            terminal.type(bad)
            terminal.wait_for("refused")
            assert bad not in terminal.text
            terminal.send("c-n")
            terminal.wait_for("the gateway refused the key")
            terminal.send(*["backspace"] * len(bad))
            terminal.type(only_reads)
            terminal.wait_for("may not send events")
            terminal.send(*["backspace"] * len(only_reads))
            terminal.type(good)
            terminal.wait_for("is good", "billing", "organization")
            terminal.send("c-n")
            terminal.wait_for("How it runs")
            terminal.send("c-n")
            terminal.wait_for("Review", "for its owner only, the key")
            assert machine.files() <= {"home"}
            assert good not in terminal.text
            terminal.send("c-n")
            terminal.wait_for("The first events have arrived")
            terminal.send("c-q")
            assert terminal.ended() == 0
        key = machine.config.parent / "api_key"
        assert key.read_text().strip() == good
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert good not in machine.config.read_text()
        with gateway.client(good) as client:
            from support.agents import wait_until

            def came() -> bool:
                sql = "SELECT count(*) AS n FROM logs WHERE message LIKE '%login%'"
                return bool(client.get("/v1/query", params={"sql": sql}).json()["rows"][0]["n"] == 40)

            wait_until(came, what="the events are at the gateway")


def test_yaat_alone_offers_it_where_there_is_no_configuration(tmp_path: Path) -> None:
    if Path("/etc/yaat/yaat.yaml").exists():
        pytest.skip("this machine has a configuration")
    with first_start(tmp_path / "m") as machine, machine.wizard("--color", "auto") as terminal:
        terminal.wait_for("1 of 7", "Welcome", "will be written")
        terminal.send("1")
        terminal.wait_for("Throughput")
        terminal.send("c-q")
        assert terminal.ended() == 0
        assert machine.files() <= {"home"}
