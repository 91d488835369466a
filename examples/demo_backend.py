#!/usr/bin/env python3
"""What `make demo-backend` runs: a gateway, two agents that send to it, and a shop that writes logs. It goes on until Ctrl-C.

python examples/demo_backend.py [--seconds 20] [--once]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PLACE = HERE.parent / ".demo" / "backend"
YAAT = Path(sys.executable).with_name("yaat")
ADDRESS = "127.0.0.1:8320"
AGENTS = ("berlin", "tokyo")

GATEWAY = f"""\
version: 1
state_dir: state
health: {{listen: "off"}}
sources:
  ingest: {{type: gateway, listen: "tcp://{ADDRESS}"}}
processors:
  - {{type: scrub, detectors: [secrets]}}
sinks:
  local: {{type: duckdb}}
"""
AGENT = """\
version: 1
service_name: shop-{name}
state_dir: state
health: {{listen: "off"}}
tags: {{region: {name}}}
sources:
  logs: {{type: file, paths: ["logs/*.log"], start_at: beginning, format: auto, multiline: python}}
processors:
  - {{type: scrub, detectors: [secrets]}}
sinks:
  cloud: {{type: cloud, endpoint: "http://{address}", api_key: "${{file:key}}"}}
"""
BY_REGION = "SELECT tags['region'] AS region"
QUESTIONS = {
    "Events by agent and service": f"{BY_REGION}, service_name, count(*) AS events FROM events GROUP BY ALL ORDER BY ALL",
    "Errors by region": f"{BY_REGION}, count(*) AS errors FROM logs WHERE level = 'error' GROUP BY ALL ORDER BY ALL",
    "The last errors": f"{BY_REGION}, message FROM logs WHERE level = 'error' ORDER BY timestamp DESC LIMIT 3",
}


class DemoFailed(Exception):
    """Something did not work; the text says what."""


def yaat(*arguments: str) -> str:
    """What a command prints."""
    done = subprocess.run([str(YAAT), *arguments], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise DemoFailed(f"yaat {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout.rstrip()


def configured(name: str, text: str) -> Path:
    """A configuration in a folder of its own."""
    folder = PLACE / name
    folder.mkdir(parents=True)
    config = folder / "yaat.yaml"
    config.write_text(text)
    return config


@contextlib.contextmanager
def running(config: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process, ended at the end."""
    with (config.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(YAAT), *arguments, "-c", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def count(gateway: Path, process: subprocess.Popen[bytes]) -> int:
    """Events in the gateway's database; 0 while it starts."""
    if process.poll() is not None:
        raise DemoFailed(f"the gateway ended:\n{(gateway.parent / 'log').read_text()[-3000:]}")
    try:
        rows: list[dict[str, Any]] = json.loads(
            yaat("query", "SELECT count(*) AS n FROM events", "--json", "-c", str(gateway))
        )
    except DemoFailed:
        return 0
    return int(rows[0]["n"])


def say(text: str = "") -> None:
    print(text, flush=True)


def demo(seconds: float, *, once: bool) -> None:
    shutil.rmtree(PLACE, ignore_errors=True)
    gateway = configured("gateway", GATEWAY)
    made = json.loads(
        yaat(
            "gateway",
            "keys",
            "create",
            "demo",
            "--right",
            "ingest",
            "--right",
            "read",
            "--json",
            "-c",
            str(gateway),
        )
    )
    say(f"» starting a gateway on {ADDRESS}, with a key for {' and '.join(AGENTS)}")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running(gateway, "gateway", "serve"))
        for name in AGENTS:
            config = configured(name, AGENT.format(name=name, address=ADDRESS))
            (config.parent / "key").write_text(made["key"])
            stack.enter_context(running(config, "run"))
            command = [sys.executable, str(HERE / "demo_app.py"), "--out", str(config.parent / "logs")]
            load = subprocess.Popen([*command, "--seconds", str(seconds)], stdout=subprocess.DEVNULL)
            stack.callback(load.kill)
        say(f"» two agents send what a small shop writes for {seconds:g} s")
        began, seen = time.monotonic(), -1
        while time.monotonic() - began < seconds or count(gateway, server) != seen:
            seen = count(gateway, server)
            say(f"  {seen} events in the gateway's database")
            if time.monotonic() - began > seconds + 120:
                raise DemoFailed("events still come, two minutes after the last was written")
            time.sleep(2)
        if not seen:
            raise DemoFailed(f"nothing came; see the logs in {PLACE}")
        for title, sql in QUESTIONS.items():
            say(f"\n{title}\n{yaat('query', sql, '-c', str(gateway))}")
        say("\nAsk it yourself, on this machine or over HTTP with the key:")
        say(f'  {YAAT} query -c {gateway} "SELECT * FROM logs LIMIT 5"')
        say(f"  curl -H 'Authorization: Bearer {made['key']}' --get http://{ADDRESS}/v1/query \\")
        say("       --data-urlencode 'sql=SELECT service_name, count(*) AS n FROM events GROUP BY ALL'")
        if not once:
            say("\nEverything runs until Ctrl-C.")
            with contextlib.suppress(KeyboardInterrupt):
                server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=15, help="how long the shop writes (15)")
    parser.add_argument("--once", action="store_true", help="end after the answers")
    arguments = parser.parse_args()
    try:
        demo(arguments.seconds, once=arguments.once)
    except DemoFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
