"""kill -9 of the gateway under load: every event is in the database once, and what was answered is in."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

import httpx
import pytest
from support.agents import AgentProcess, check_accounting, wait_until
from support.both_ends import free_place

CONFIG = """
version: 1
state_dir: state
health: {listen: "off"}
sources:
  ingest: {type: gateway, listen: "tcp://%s", access: none}
sinks:
  local: {type: duckdb}
"""
#: Seconds that anything may take on a busy machine.
PATIENCE = 120


class Sender:
    """Sends batches one after the other, and each again until it is answered, as agents do."""

    def __init__(self, name: str, place: str, stop: threading.Event) -> None:
        self.name = name
        self.url = f"http://{place}/v1/ingest"
        self.stop = stop
        self.answered: list[str] = []
        self.repeats = 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        number = 0
        while not self.stop.is_set():
            messages = [f"{self.name} {number} {row}" for row in range(random.randint(1, 30))]
            events = [
                {"service_name": "load", "event_id": str(uuid.uuid4()), "message": message}
                for message in messages
            ]
            self._until_answered(f"{self.name}-{number}", events)
            self.answered += messages
            number += 1

    def _until_answered(self, batch_id: str, events: list[dict[str, str]]) -> None:
        attempt = 0
        while True:
            # A batch whose answer got lost may come again in other pieces, as after a restart of its sender.
            named = {} if attempt % 3 == 2 else {"batch-id": batch_id}
            try:
                answer = httpx.post(self.url, json={"events": events}, headers=named, timeout=PATIENCE)
                if answer.status_code == 200:
                    assert answer.json()["accepted"] == len(events)
                    return
                assert answer.status_code == 503, answer.text
            except httpx.TransportError:
                time.sleep(0.05)
            attempt += 1
            self.repeats += 1


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_every_event_is_in_once_however_often_the_gateway_is_killed(tmp_path: Path) -> None:
    (tmp_path / "yaat.yaml").write_text(CONFIG % (place := free_place()))
    gateway, stop = AgentProcess(tmp_path / "yaat.yaml"), threading.Event()
    senders = [Sender(f"sender{number}", place, stop) for number in range(4)]
    with gateway.start():
        for sender in senders:
            sender.thread.start()
        for kill in range(4):
            before = sum(len(sender.answered) for sender in senders)
            wait_until(
                lambda before=before: sum(len(one.answered) for one in senders) > before + 50,  # type: ignore[misc]
                seconds=PATIENCE,
                what=f"events are taken before kill {kill}\n{gateway.log()[-2000:]}",
            )
            time.sleep(random.uniform(0, 0.5))
            gateway.kill()
            gateway.start()
        stop.set()
        for sender in senders:
            sender.thread.join(PATIENCE)
            assert not sender.thread.is_alive(), gateway.log()[-3000:]
        wanted = Counter(message for sender in senders for message in sender.answered)
        gateway.wait_for(len(wanted))
        got = Counter(row["message"] for row in gateway.query("SELECT message FROM events"))
        assert got == wanted
        check_accounting(gateway, len(wanted))
        assert sum(sender.repeats for sender in senders) > 0, (
            "no answer was ever lost: the kills came at no time"
        )
