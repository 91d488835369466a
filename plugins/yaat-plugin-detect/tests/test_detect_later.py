"""A service that is installed, and removed, while the agent's state stays: each line comes once, whoever reads it."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from support.agents import yaat, yaat_json
from support.host_root import HostRoot

STATE = 'state_dir: state\nhealth: {listen: "off"}\n'
NGINX = "http { access_log /var/log/nginx/access.log; error_log /var/log/nginx/error.log; }"


class Shop:
    """A machine with an agent without `sources`, run again and again."""

    def __init__(self, folder: Path) -> None:
        self.root = HostRoot.make(folder)
        self.config = folder / "yaat.yaml"
        self.config.write_text(STATE)
        self.written: list[str] = []

    def log(self, name: str, line: str) -> None:
        path = self.root.local(f"/var/log/{name}.log")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{line}\n")
        self.written.append(line)

    def run(self, *lines: str) -> None:
        """More lines in every log, and a run of the agent."""
        for name in ("nginx/access", "nginx/error", "other"):
            for line in lines:
                self.log(name, f"{name} {line}")
        done = yaat("run", "--once", "-c", str(self.config), timeout=120, **self.root.environ)
        assert done.returncode == 0, done.stderr

    def check(self) -> dict[str, set[str]]:
        """Each line is there once; gives the sources that read each log."""
        sql = "SELECT message, tags['yaat.source'] AS source FROM events WHERE event_type = 'log'"
        rows = yaat_json("query", "-c", str(self.config), sql, **self.root.environ)
        assert Counter(row["message"] for row in rows) == Counter(self.written)
        read: dict[str, set[str]] = {}
        for row in rows:
            read.setdefault(row["message"].split(" ")[0], set()).add(row["source"])
        return read


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_service_comes_and_goes(shop: Shop) -> None:
    shop.run("before")
    shop.root.write("/etc/nginx/nginx.conf", NGINX)
    shop.run("with nginx")
    shop.run()
    shutil.rmtree(shop.root.local("/etc/nginx"))
    shop.run("without nginx")
    shop.root.write("/etc/nginx/nginx.conf", NGINX)
    shop.run("with nginx again")
    read = shop.check()
    assert read["nginx/access"] == {"sources.logs", "sources.nginx"}
    assert read["other"] == {"sources.logs"}


def test_what_was_detected_is_written_down_later(shop: Shop) -> None:
    """The agent ran before nginx came; then somebody writes down what `yaat detect` prints, and renames a source."""
    shop.run("before")
    shop.root.write("/etc/nginx/nginx.conf", NGINX)
    printed = yaat_json("detect", "-c", str(shop.config), **shop.root.environ)["configuration"]
    shop.config.write_text(STATE + printed)
    shop.run("written down")
    assert "\n  nginx:" in printed
    shop.config.write_text(STATE + printed.replace("\n  nginx:", "\n  web:"))
    shop.run("renamed")
    assert shop.check()["nginx/error"] == {"sources.logs", "sources.nginx", "sources.web"}
