#!/usr/bin/env python3
"""A small web shop that does nothing but log: traffic for demos, benchmarks and your own experiments.

    python examples/demo_app.py --out shop-logs --rate 200 --seconds 10

Three services write as real ones do, and leak as real ones do (passwords, tokens, keys, cards, addresses):

    access.log   nginx, combined format with the request time at the end
    shop.log     JSON lines
    worker.log   Python's logging, with tracebacks; rotated by rename half-way

Its clock runs faster than yours: the run covers the last ``--minutes``, with an incident in the middle. Equal seeds
write equal lines but for the time. At the end it prints how many events each service wrote, as JSON. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import logging
import logging.handlers
import random
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

# path, share of the traffic, median milliseconds, spread
ENDPOINTS = [
    ("GET /", 30, 8, 0.4),
    ("GET /products/{id}", 30, 22, 0.5),
    ("GET /search", 12, 95, 0.8),
    ("POST /cart", 12, 35, 0.5),
    ("POST /checkout", 8, 180, 0.7),
    ("GET /reports/sales", 2, 900, 0.5),
    ("POST /login", 6, 60, 0.4),
]
AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15",
    "curl/8.5.0",
]
PEOPLE = ["ann", "bo", "chloe", "dmitri", "esra", "femi", "grace", "hiro"]


class Secrets:
    """Made-up secrets of the shapes that leak into logs."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def text(self, length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
        return "".join(self.rng.choices(alphabet, k=length))

    def email(self) -> str:
        return f"{self.rng.choice(PEOPLE)}.{self.text(3, string.ascii_lowercase)}@example.com"

    def aws_key(self) -> str:
        return "AKIA" + self.text(16, string.ascii_uppercase + "234567")

    def token(self) -> str:
        return "ghp_" + self.text(36)

    def card(self) -> str:
        """A number that passes the Luhn check, as real ones do."""
        digits = [4, *(self.rng.randrange(10) for _ in range(14))]
        doubled = [
            digit * 2 - 9 * (digit > 4) if place % 2 == 0 else digit for place, digit in enumerate(digits)
        ]
        return "".join(map(str, [*digits, -sum(doubled) % 10]))


class Shop:
    """The three log files and what is written to them."""

    def __init__(self, out: Path, seed: int) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.rng = random.Random(seed)
        self.secrets = Secrets(self.rng)
        self.access = (out / "access.log").open("a", encoding="utf-8", buffering=1)
        self.shop = (out / "shop.log").open("a", encoding="utf-8", buffering=1)
        self.rotating = logging.handlers.RotatingFileHandler(out / "worker.log", backupCount=3)
        self.rotating.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.worker = logging.Logger("worker.payments")
        self.worker.addHandler(self.rotating)
        self.written: Counter[str] = Counter()

    def request(self, when: float, incident: bool) -> None:
        """One request, and what the services behind it say of it."""
        shares = [share for _, share, _, _ in ENDPOINTS]
        path, _, median, spread = self.rng.choices(ENDPOINTS, shares)[0]
        checkout = path == "POST /checkout"
        took = median * self.rng.lognormvariate(0, spread) * (4 if incident and checkout else 1)
        failed = self.rng.random() < (0.45 if incident and checkout else 0.01)
        status = 502 if failed else self.rng.choices([200, 304, 404], [90, 7, 3])[0]
        self._access(when, path, status, took)
        if path != "GET /":
            self._shop(when, path, failed, took)
        if checkout:
            self._worker(when, failed)

    def _access(self, when: float, path: str, status: int, took: float) -> None:
        client = f"203.0.113.{self.rng.randrange(1, 255)}"
        stamp = datetime.fromtimestamp(when, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        target = path.replace("{id}", str(self.rng.randrange(1, 400)))
        size, agent = self.rng.randrange(200, 20_000), self.rng.choice(AGENTS)
        line = f'{client} - - [{stamp}] "{target} HTTP/1.1" {status} {size} "-" "{agent}" {took / 1000:.3f}'
        print(line, file=self.access)
        self.written["web"] += 1

    def _shop(self, when: float, path: str, failed: bool, took: float) -> None:
        level, message = ("error", "upstream gave up") if failed else self._small_talk(path)
        entry = {
            "time": datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "message": message,
            "route": path,
            "took_ms": round(took, 1),
            "order": self.rng.randrange(10_000, 99_999),
        }
        print(json.dumps(entry), file=self.shop)
        self.written["shop"] += 1

    def _small_talk(self, path: str) -> tuple[str, str]:
        """What a shop logs on a good day, now and then more than it should."""
        secrets = self.secrets
        leaks: list[Callable[[], tuple[str, str]]] = [
            lambda: ("warning", f"login failed for {secrets.email()}: password={secrets.text(10)} is wrong"),
            lambda: ("debug", f"stock service called with token {secrets.token()}"),
            lambda: ("info", f"receipt sent to {secrets.email()}"),
            lambda: ("warning", f"backup to s3 with key {secrets.aws_key()} was slow"),
        ]
        if self.rng.random() < 0.04:
            return self.rng.choice(leaks)()
        return "info", f"{path} served"

    def _worker(self, when: float, failed: bool) -> None:
        if failed:
            card = self.secrets.card()
            try:
                charge(card)
            except ConnectionError as error:
                self._log(when, logging.ERROR, f"charging card {card} failed", error)
        else:
            self._log(when, logging.INFO, f"order {self.rng.randrange(10_000, 99_999)} paid")

    def _log(self, when: float, level: int, message: str, error: Exception | None = None) -> None:
        trace = (type(error), error, error.__traceback__) if error else None
        record = self.worker.makeRecord(self.worker.name, level, __file__, 0, message, (), trace)
        record.created, record.msecs = when, (when % 1) * 1000
        self.worker.handle(record)
        self.written["worker"] += 1

    def rotate(self) -> None:
        """Rename worker.log to worker.log.1 and begin a new one."""
        self.rotating.doRollover()

    def close(self) -> None:
        self.access.close()
        self.shop.close()
        self.rotating.close()


def charge(card: str) -> None:
    """Fails as payment providers do."""
    raise ConnectionError("payment provider did not answer within 2 s")


def moments(rate: float, seconds: float, minutes: float) -> Iterator[tuple[float, float]]:
    """(share of the run, moment on the shop's clock) for each request, at its time on the wall."""
    count = max(1, round(rate * seconds))
    began, wall = time.monotonic(), time.time()
    for number in range(count):
        share = number / count
        ahead = began + share * seconds - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        yield share, wall + seconds - (1 - share) * minutes * 60


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the log files")
    parser.add_argument("--rate", type=float, default=200, help="requests a second (200)")
    parser.add_argument("--seconds", type=float, default=8, help="how long to run (8)")
    parser.add_argument("--minutes", type=float, default=5, help="how much time the logs cover (5)")
    parser.add_argument("--seed", type=int, default=7, help="equal seeds write equal lines (7)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    shop = Shop(arguments.out, arguments.seed)
    rotated = False
    for share, when in moments(arguments.rate, arguments.seconds, arguments.minutes):
        shop.request(when, incident=0.4 < share < 0.6)
        if share >= 0.5 and not rotated:
            shop.rotate()
            rotated = True
    shop.close()
    print(json.dumps(shop.written))


if __name__ == "__main__":
    main()
