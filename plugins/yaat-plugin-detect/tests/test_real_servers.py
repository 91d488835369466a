"""Real servers, found and read from end to end by an agent whose configuration has no `sources`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.agents import wait_until, yaat, yaat_json
from support.host_root import HostRoot
from support.servers import ask, lines_of, on_some_port, program, run, server, server_folder

#: Where the state goes is all that it says: without it root's agent would write into the machine's own folder.
CONFIG = 'state_dir: state\nhealth: {listen: "off"}\n'

NGINX = """
daemon off; pid FOLDER/pid; error_log FOLDER/error.log notice; worker_processes 1;
events { worker_connections 64; }
http {
  log_format timed '$remote_addr $msec "$request_method $request_uri" $status ${request_time}s "$http_user_agent"';
  include FOLDER/sites/*;
  client_body_temp_path FOLDER/b; proxy_temp_path FOLDER/p; fastcgi_temp_path FOLDER/f;
  uwsgi_temp_path FOLDER/u; scgi_temp_path FOLDER/s;
}
"""
SITE = """
server { listen 127.0.0.1:PORT; root FOLDER; access_log FOLDER/combined.log; access_log FOLDER/timed.log timed;
         location = /ok { return 200 "ok"; } }
"""


class Agent:
    """Commands of an agent that sees a made machine only."""

    def __init__(self, folder: Path, root: HostRoot) -> None:
        self.root = root
        self.config = folder / "yaat.yaml"
        self.config.write_text(CONFIG)

    def read(self) -> None:
        done = yaat("run", "--once", "-c", str(self.config), timeout=120, **self.root.environ)
        assert done.returncode == 0, done.stderr

    def query(self, sql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = yaat_json("query", "-c", str(self.config), sql, **self.root.environ)
        return rows

    def detect(self) -> dict[str, Any]:
        document: dict[str, Any] = yaat_json("detect", "-c", str(self.config), **self.root.environ)
        return document


@pytest.fixture
def agent(root: HostRoot, tmp_path: Path) -> Agent:
    return Agent(tmp_path, root)


@pytest.fixture
def nginx(root: HostRoot) -> Iterator[Path]:
    command = program("nginx")
    with server_folder("detect-nginx") as folder:

        def start(port: int) -> Any:
            (folder / "sites").mkdir(exist_ok=True)
            for name, text in (("nginx.conf", NGINX), ("sites/shop", SITE)):
                path = folder / name
                path.write_text(text.replace("FOLDER", str(folder)).replace("PORT", str(port)))
                path.chmod(0o644)
            (folder / "sites").chmod(0o755)
            given = ["-e", "error.log", "-c", str(folder / "nginx.conf"), "-p", str(folder)]
            return server([command, *given], folder)

        with on_some_port(start) as port:
            assert ask(port, "/ok?a=1") == 200
            assert ask(port, "/gone") == 404
            for name in ("combined.log", "timed.log"):
                lines_of(folder / name, lambda lines: len(lines) >= 2)
            root.show(folder)
            root.runs(int((folder / "pid").read_text()))
            yield folder


def test_nginx(nginx: Path, agent: Agent) -> None:
    agent.read()
    rows = agent.query(
        "SELECT service_name, operation, status_code, duration_ms FROM events WHERE event_type = 'span' ORDER BY ALL"
    )
    assert [(row["service_name"], row["operation"], row["status_code"]) for row in rows] == [
        ("nginx", "GET /gone", 404),
        ("nginx", "GET /gone", 404),
        ("nginx", "GET /ok", 200),
        ("nginx", "GET /ok", 200),
    ]
    assert sum(row["duration_ms"] is not None for row in rows) == 2, "the log_format of its own has the time"
    errors = agent.query("SELECT level, message FROM events WHERE event_type = 'log' AND level = 'error'")
    assert any("No such file or directory" in row["message"] for row in errors)


def test_nginx_is_explained_and_the_configuration_is_valid(nginx: Path, agent: Agent) -> None:
    document = agent.detect()
    (found,) = document["findings"]
    assert found["service"] == "nginx"
    assert any("listens on 127.0.0.1:" in one for one in found["evidence"])
    assert {one["status"] for one in found["sources"]} == {"default"}
    written = agent.config.with_name("written.yaml")
    written.write_text(CONFIG + document["configuration"])
    valid = yaat("validate", "--offline", "-c", str(written), **agent.root.environ)
    # logs below the made machine's /var/log are not there, which is a warning
    assert valid.returncode == 0, valid.stdout + valid.stderr
    again = yaat_json("detect", "-c", str(written), **agent.root.environ)
    assert {one["status"] for finding in again["findings"] for one in finding["sources"]} == {"configured"}
    assert again["configuration"] == ""
    shown = [
        yaat("config", "show", "--effective", "--json", "-c", str(one), **agent.root.environ).stdout
        for one in (agent.config, written)
    ]
    default, as_written = (json.loads(one)["sources"] for one in shown)
    assert default["nginx-timed"] == as_written["nginx-timed"]


def test_postgres(root: HostRoot, agent: Agent) -> None:
    postgres = program("postgres", "/usr/lib/postgresql/*/bin")
    psql = program("psql", "/usr/lib/postgresql/*/bin")
    initdb = program("initdb", "/usr/lib/postgresql/*/bin")
    with server_folder("detect-pg") as folder:
        given = ["-U", "app", "-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8"]
        run([initdb, "-D", "data", *given], folder)
        with open(folder / "data/postgresql.conf", "a") as conf:
            conf.write(
                "logging_collector = on\nlog_directory = 'pg_log'\nlog_filename = 'pg-%a.log'\nlog_timezone = UTC\n"
                "log_line_prefix = '%m [%p] %q%u@%d '\nlisten_addresses = ''\nfsync = off\nlc_messages = 'C'\n"
                f"unix_socket_directories = '{folder}'\n"
            )
        with server([postgres, "-D", str(folder / "data")], folder) as process:
            wait_until(lambda: (folder / ".s.PGSQL.5432").exists(), what="postgres listens")
            asked = [psql, "-h", str(folder), "-U", "app", "-d", "postgres", "-c"]
            wait_until(lambda: _answers(asked, folder), what="postgres answers")
            run([*asked[:-1], "-v", "ON_ERROR_STOP=0", "-f", "-"], folder, text="SELECT nothing;\n")
            root.show(folder)
            root.runs(process.pid)
            agent.read()
    rows = agent.query("SELECT level, message, tags FROM events WHERE service_name = 'postgresql'")
    (error,) = [row for row in rows if row["level"] == "error"]
    assert "does not exist" in error["message"]
    assert "app" in str(error["tags"])
    assert any("ready to accept connections" in row["message"] for row in rows)


def _answers(asked: list[str], folder: Path) -> bool:
    try:
        run([*asked, "SELECT 1"], folder)
    except AssertionError:
        return False
    return True


SETTINGS = """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
LOGGING = {
    "version": 1, "disable_existing_loggers": False,
    "formatters": {"verbose": {"format": "{levelname} {asctime} {module} {process:d} {thread:d} {message}", "style": "{"}},
    "handlers": {"file": {"class": "logging.FileHandler", "filename": "django.log", "formatter": "verbose"}},
    "root": {"handlers": ["file"], "level": "INFO"},
}
"""
URLS = """
import logging
from django.http import HttpResponse
from django.urls import path

def view(request):
    logging.getLogger("shop").warning("no stock of %s", "socks")
    return HttpResponse("ok")

urlpatterns = [path("cart", view)]
"""
WSGI = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""


def test_gunicorn_with_a_django_project(root: HostRoot, agent: Agent) -> None:
    pytest.importorskip("django", reason="Django is not installed")
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")
    with server_folder("detect-django") as folder:
        project = folder / "shop-site"
        for name, text in (
            ("manage.py", ""),
            ("shop/settings.py", SETTINGS),
            ("shop/urls.py", URLS),
            ("shop/wsgi.py", WSGI),
        ):
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text)

        def start(port: int) -> Any:
            given = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--pid", str(folder / "pid")]
            logs = ["--access-logfile", "access.log", "--error-logfile", str(project / "error.log")]
            command = [sys.executable, "-m", "gunicorn", "--chdir", str(project), *given, *logs, "shop.wsgi"]
            return server(command, project, as_nobody=False)

        with on_some_port(start) as port:
            assert ask(port, "/cart?item=3") == 200
            lines_of(project / "access.log", lambda lines: len(lines) >= 1)
            root.show(folder)
            root.runs(int((folder / "pid").read_text()))
            (found,) = agent.detect()["findings"]
            agent.read()
    assert found["what"].startswith("Django under gunicorn")
    rows = agent.query(
        "SELECT event_type, level, message, operation, status_code, service_name FROM events "
        "WHERE event_type <> 'metric'"
    )
    assert {row["service_name"] for row in rows} == {"shop-site"}
    (access,) = [row for row in rows if row["event_type"] == "span"]
    assert (access["operation"], access["status_code"]) == ("GET /cart", 200)
    (warning,) = [row for row in rows if "no stock of socks" in row["message"]]
    assert warning["level"] == "warning"
    (booted,) = [row for row in rows if "Booting worker" in row["message"]]
    assert booted["level"] == "info"
