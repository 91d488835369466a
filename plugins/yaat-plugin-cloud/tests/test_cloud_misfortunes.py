"""Any history of misfortunes, and plans of any shape: each event once."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from support.forwarding import QUICK, batch_of, config, forwarding, numbered
from support.ingest_server import (
    Behaviour,
    end,
    obey,
    picky,
    reset_in_the_middle,
    served,
    status,
    taken_then,
)

from yaat_core.components import Done, Partial, Position
from yaat_core.config.options import Size
from yaat_plugin_cloud.plan import Part, Plan

BEHAVIOURS: list[Behaviour] = [
    obey, status(503), status(429), status(204), end, taken_then(end), taken_then(status(200, b"no")),
    reset_in_the_middle, status(401), status(200, {"accepted": 0}),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
async def test_any_misfortune_each_event_once(tmp_path: Path, seed: int) -> None:
    """Deliveries of any size, answers of any kind, restarts: the server has each event once, by Batch-Id alone."""
    noise = random.Random(seed)

    def is_bad(event: dict[str, Any]) -> bool:
        return event["message"].endswith("13")

    def behave(exchange: Any) -> None:
        fate = noise.random()
        if fate < 0.5:
            picky(is_bad, names=seed % 2 == 0, lenient=False)(exchange)
        else:
            bad_luck = noise.choice(BEHAVIOURS[1:])
            if bad_luck in (BEHAVIOURS[5], BEHAVIOURS[6]):
                exchange.read_body()
                if any(map(is_bad, exchange.request.events)):
                    exchange.answer(503)
                    return
            bad_luck(exchange)

    done, texts = 0, numbered(250)
    dead: list[str] = []
    with served(otherwise=behave) as server:
        while done < len(texts):
            piece = texts[done : done + noise.randint(1, 90)]
            over: Any = None
            while not isinstance(over, Done | Partial):
                options = {"max_batch_rows": noise.choice([9, 9, 30]), "retry": QUICK}
                async with forwarding(tmp_path, server.url, **options) as cloud:
                    for _ in range(noise.randint(1, 6)):
                        over = await cloud.once(batch_of(piece), first=done + 1)
                        if isinstance(over, Done | Partial):
                            break
                        await trio.sleep(0.005)
            dead += [piece[row] for row, _ in over.dead] if isinstance(over, Partial) else []
            done += len(piece)
    assert sorted(server.messages + dead) == sorted(texts)
    assert dead == [text for text in texts if text.endswith("13")]


@settings(max_examples=80)
@given(
    cuts=st.lists(st.integers(1, 99), max_size=5),
    settled=st.sets(st.integers(0, 9)),
    start=st.integers(1, 100),
)
def test_a_plan_always_covers_its_range_once(cuts: list[int], settled: set[int], start: int) -> None:
    at = Position(queue_id=bytes(16), sink="sinks.cloud", first=1, last=100)
    plan = Plan.fresh(at, 30)
    for cut in cuts:
        part = next(one for one in plan.parts if one.first <= cut <= one.last)
        if part.first < cut:
            plan.replace(part, part.cut(cut))
    for n, part in enumerate(plan.parts):
        part.settled = n in settled
    again = Plan.read(json.loads(json.dumps({"of": plan.of, "parts": _plain(plan.parts)})))
    fitted = again.fitted(Position(queue_id=bytes(16), sink="sinks.cloud", first=start, last=100), 30)
    assert fitted is not None
    covered = [n for part in fitted.parts for n in range(part.first, part.last + 1)]
    assert covered == list(range(start, 101))
    taken = {n for part in plan.parts if part.settled for n in range(part.first, part.last + 1)}
    assert {n for part in fitted.parts if part.settled for n in range(part.first, part.last + 1)} == {
        n for n in taken if n >= start
    }


def _plain(parts: list[Part]) -> list[dict[str, Any]]:
    return [{"first": part.first, "last": part.last, "settled": part.settled} for part in parts]


def test_a_size_is_a_bound_below_five_megabytes() -> None:
    for wrong in ("5MB", "5MiB", "10B"):
        with pytest.raises(ValueError, match="must be at least"):
            config("http://127.0.0.1:1", max_batch_bytes=Size.parse(wrong))
