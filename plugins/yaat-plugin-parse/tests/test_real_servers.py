"""Logs that real servers write, read by the formats of their names and by `auto`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.postgres import make_cluster
from support.servers import answers, ask, lines_of, on_some_port, program, run, say, server, server_folder

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels

Make = Callable[..., Processor]
PROBE = b"\x16\x03\x01\x02\r\n\r\n"


def events(step: Processor, lines: Sequence[str]) -> list[Event]:
    batch = EventBatch.from_events([Event(message=line) for line in lines], Labels(stream="s"))
    return list(step.process(batch)[0])


def recent(*found: Event) -> bool:
    return all(abs((event.timestamp - datetime.now(UTC)).total_seconds()) < 600 for event in found)


def same_by_auto(make: Make, lines: Sequence[str], found: Sequence[Event]) -> None:
    """`auto` makes the same of them."""
    for one, other in zip(events(make("auto"), lines), found, strict=True):
        assert (one.message, one.level, one.operation, one.status_code, one.tags) == (
            other.message,
            other.level,
            other.operation,
            other.status_code,
            other.tags,
        )


JSON_FORMAT = """log_format structured escape=json '{"time":"$time_iso8601","request":"$request","status":$status,'
    '"seconds":$request_time,"agent":"$http_user_agent","traceparent":"$http_traceparent"}';"""
PLAIN_FORMAT = '$remote_addr:$remote_port $msec "$request_method $request_uri" $status ${request_time}s "$http_user_agent"'
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log notice; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  {json} log_format plain '{plain}';
  access_log {folder}/combined.log combined;
  access_log {folder}/structured.log structured;
  access_log {folder}/plain.log plain;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}; location = /ok {{ return 200 "ok"; }} }}
}}
"""


@pytest.fixture(scope="module")
def nginx() -> Any:
    """The folder of a server that was asked a few things."""
    command = program("nginx")
    with server_folder("nginx") as folder:

        def start(port: int) -> Any:
            text = NGINX.format(folder=folder, port=port, json=JSON_FORMAT, plain=PLAIN_FORMAT)
            (folder / "nginx.conf").write_text(text)
            (folder / "nginx.conf").chmod(0o644)
            return server(
                [command, "-e", "error.log", "-c", str(folder / "nginx.conf"), "-p", str(folder)], folder
            )

        with on_some_port(start) as port:
            trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            agent = 'a "quoted" agent \\ é'.encode().decode("latin-1")
            assert (
                ask(port, "/ok?item=3&q=%22x%22", headers={"User-Agent": agent, "traceparent": trace}) == 200
            )
            assert ask(port, "/gone") == 404
            say(port, PROBE)
            for name in ("combined", "structured", "plain"):
                lines_of(folder / f"{name}.log", lambda lines: len(lines) >= 3)
        yield folder


def test_nginx_combined(nginx: Path, make: Make) -> None:
    lines = (nginx / "combined.log").read_text().splitlines()
    ok, gone, probe = [event for event in events(make("nginx"), lines) if event.operation != "HEAD /"][-3:]
    assert (ok.event_type, ok.operation, ok.status_code, ok.level) == ("span", "GET /ok", 200, "info")
    assert (ok.tags["url.query"], ok.tags["client.address"]) == ("item=3&q=%22x%22", "127.0.0.1")
    assert (gone.operation, gone.status_code, gone.level) == ("GET /gone", 404, "warning")
    assert (probe.event_type, probe.operation, probe.status_code) == ("span", "", 400)
    assert recent(ok, gone, probe)
    assert ok.message in lines
    same_by_auto(make, lines, events(make("nginx"), lines))


def test_nginx_log_format(nginx: Path, make: Make) -> None:
    lines = (nginx / "structured.log").read_text().splitlines()
    ok, gone, probe = events(make("nginx", log_format=JSON_FORMAT), lines)[-3:]
    assert (ok.operation, ok.status_code, ok.event_type) == ("GET /ok", 200, "span")
    assert ok.tags["user_agent.original"] == 'a "quoted" agent \\ é'
    assert (ok.trace_id, ok.span_id) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert ok.duration_ms is not None
    assert (gone.status_code, probe.status_code) == (404, 400)
    lines = (nginx / "plain.log").read_text().splitlines()
    ok, gone, _ = events(make("nginx", log_format=PLAIN_FORMAT), lines)[-3:]
    assert (ok.operation, ok.tags["url.query"], gone.operation) == (
        "GET /ok",
        "item=3&q=%22x%22",
        "GET /gone",
    )
    assert recent(ok, gone)
    assert int(ok.tags["client.port"]) > 0


def test_nginx_error_log(nginx: Path, make: Make) -> None:
    lines = (nginx / "error.log").read_text().splitlines()
    found = events(make("nginx", timezone="UTC"), lines)
    [missing] = [event for event in found if event.level == "error"]
    assert "No such file or directory" in (missing.message or "")
    assert (missing.tags["client.address"], missing.tags["nginx.request"]) == (
        "127.0.0.1",
        "GET /gone HTTP/1.1",
    )
    assert all(event.tags["process.pid"] for event in found)
    assert recent(*found)
    same_by_auto(make, lines, found)


OWN_FORMAT = r"%a [%{%Y-%m-%d %T}t.%{usec_frac}t %{%z}t] \"%m %U%q %H\" %>s %D \"%{User-Agent}i\" %P"
APACHE = r"""
ServerRoot {folder}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
Mutex file:{folder} default
ServerName localhost
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
StartServers 1
ThreadsPerChild 2
ServerLimit 1
MaxRequestWorkers 2
MinSpareThreads 1
MaxSpareThreads 2
DocumentRoot {folder}/www
ErrorLog {folder}/error.log
LogLevel info
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{{Referer}}i\" \"%{{User-Agent}}i\"" combined
LogFormat "%h %l %u %t \"%r\" %>s %O" common
LogFormat "{own}" own
CustomLog {folder}/combined.log combined
CustomLog {folder}/common.log common
CustomLog {folder}/own.log own
<Directory {folder}/www/secret>
Require all denied
</Directory>
"""


@pytest.fixture(scope="module")
def apache() -> Any:
    """The folder of a server that was asked a few things."""
    command = program("apache2")
    modules = Path("/usr/lib/apache2/modules")
    if not (modules / "mod_mpm_event.so").exists():
        pytest.skip("apache2's modules are not where Debian has them")
    with server_folder("apache") as folder:
        (folder / "www/secret").mkdir(parents=True)
        (folder / "www/page").write_text("words")
        for path in (folder / "www").rglob("*"):
            path.chmod(0o755)
        (folder / "www").chmod(0o755)

        def start(port: int) -> Any:
            text = APACHE.format(folder=folder, port=port, modules=modules, own=OWN_FORMAT)
            (folder / "apache.conf").write_text(text)
            (folder / "apache.conf").chmod(0o644)
            return server([command, "-f", str(folder / "apache.conf"), "-DFOREGROUND"], folder)

        with on_some_port(start) as port:
            assert ask(port, "/page?a=b", headers={"User-Agent": 'say "x" \\'}) == 200
            assert ask(port, "/none") == 404
            assert ask(port, "/secret/x") == 403
            say(port, PROBE)
            for name in ("combined", "common", "own"):
                lines_of(folder / f"{name}.log", lambda lines: len(lines) >= 4)
        yield folder


@pytest.mark.parametrize(
    ("name", "options"), [("combined", {}), ("common", {}), ("own", {"log_format": OWN_FORMAT})]
)
def test_apache_access_logs(name: str, options: dict[str, str], apache: Path, make: Make) -> None:
    lines = (apache / f"{name}.log").read_text().splitlines()
    found = {event.status_code: event for event in events(make("apache", **options), lines)}
    assert found.keys() == {200, 404, 403, 400}
    page = found[200]
    assert (page.event_type, page.operation, page.tags["url.query"]) == ("span", "GET /page", "a=b")
    assert page.tags["client.address"] == "127.0.0.1"
    assert recent(*found.values())
    if name != "common":
        assert page.tags["user_agent.original"] == 'say "x" \\'
    assert (page.duration_ms is not None) == (name == "own")


def test_apache_error_log(apache: Path, make: Make) -> None:
    lines = (apache / "error.log").read_text().splitlines()
    found = events(make("apache"), lines)
    [denied] = [event for event in found if "AH01630" in (event.message or "")]
    assert (denied.level, denied.tags["apache.module"], denied.tags["client.address"]) == (
        "error",
        "authz_core",
        "127.0.0.1",
    )
    assert {event.level for event in found} <= {"info", "error"}
    assert all(event.tags["process.pid"] for event in found)
    assert recent(*found)
    same_by_auto(make, lines, found)


HAPROXY = """
global
  log stdout format raw local0
defaults
  log global
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend web
  bind fd@{web}
  option httplog
  http-request capture req.hdr(Host) len 40
  http-request return status 200 content-type text/plain string ok if {{ path /ok }}
  http-request deny deny_status 403 if {{ path /secret }}
  default_backend away
frontend raw
  bind fd@{raw}
  mode tcp
  option tcplog
  default_backend nowhere
backend away
backend nowhere
  mode tcp
"""


def test_haproxy(make: Make) -> None:
    command = program("haproxy")
    with ExitStack() as stack:
        folder = stack.enter_context(server_folder("haproxy"))
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        web, raw = (one.getsockname()[1] for one in sockets)
        numbers = [one.fileno() for one in sockets]
        (folder / "haproxy.cfg").write_text(HAPROXY.format(web=numbers[0], raw=numbers[1]))
        (folder / "haproxy.cfg").chmod(0o644)
        stack.enter_context(
            server([command, "-db", "-f", str(folder / "haproxy.cfg")], folder, pass_fds=numbers)
        )
        assert ask(web, "/ok?x=1") == 200
        assert ask(web, "/secret") == 403
        assert ask(web, "/else") == 503
        say(web, b"no request\r\n\r\n")
        say(raw, b"words")
        lines = lines_of(folder / "output", lambda lines: sum("127.0.0.1:" in line for line in lines) >= 5)
    found = events(make("haproxy"), [line for line in lines if "127.0.0.1:" in line])
    # HAProxy's threads log in the order in which they come to it.
    (tcp,) = [event for event in found if event.operation == "TCP raw"]
    requests = {event.status_code: event for event in found if event is not tcp}
    ok = requests[200]
    assert (ok.operation, ok.status_code, ok.tags["url.query"]) == ("GET /ok", 200, "x=1")
    assert ok.tags["haproxy.captured_request_headers"].startswith("127.0.0.1")
    assert requests.keys() == {200, 403, 503, 400}
    assert (tcp.operation, tcp.level) == ("TCP raw", "warning")
    assert all(event.event_type == "span" and event.duration_ms is not None for event in found)
    assert recent(*found)


def test_redis(make: Make) -> None:
    command = program("redis-server")
    with server_folder("redis") as folder:
        options = ["--port", "0", "--unixsocket", str(folder / "s"), "--logfile", str(folder / "log")]
        with server([command, *options, "--loglevel", "debug", "--save", "", "--dir", str(folder)], folder):
            lines_of(folder / "log", lambda lines: any("accept connections" in line for line in lines))
        lines = (folder / "log").read_text().splitlines()
    found = events(make("redis", timezone="UTC"), lines)
    [ready] = [event for event in found if "accept connections at" in (event.message or "")]
    [ended] = [event for event in found if "SIGTERM" in (event.message or "")]
    assert ended.tags["redis.role"] == "signal-handler"
    assert (ready.level, ready.tags["redis.role"]) == ("info", "master")
    assert {"info", "warning"} <= {event.level for event in found}
    assert [event.message for event in found if not event.tags] == [
        line for line in lines if not line[:1].isdigit()
    ], "its picture stays as it is"
    assert recent(*[event for event in found if event.tags])


def test_postgres(make: Make) -> None:
    postgres = program("postgres", "/usr/lib/postgresql/*/bin")
    psql = program("psql", "/usr/lib/postgresql/*/bin")
    prefix = "%m [%p] %q%u@%d/%a %e "
    with server_folder("pg") as folder:
        make_cluster(folder, "app")
        settings = {
            "log_line_prefix": prefix, "log_timezone": "UTC", "fsync": "off", "log_min_duration_statement": "0",
            "listen_addresses": "", "unix_socket_directories": str(folder), "lc_messages": "C",
        }  # fmt: skip
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with server([postgres, "-D", "data", *arguments], folder, output="log"):
            lines_of(folder / "log", lambda lines: any("ready to accept" in line for line in lines))
            text = "SELECT 1;\nSELECT * FROM missing;\nDO $$ BEGIN RAISE WARNING 'careful'; END $$;"
            run([psql, "-h", str(folder), "-U", "app", "-d", "postgres", "-q"], folder, text=text)
            lines_of(folder / "log", lambda lines: any("careful" in line for line in lines))
        lines = (folder / "log").read_text().splitlines()
    whole = [line for line in lines if not line.startswith("\t")]
    found = events(make("postgres", log_line_prefix=prefix), whole)
    assert recent(*found)
    assert all(event.tags["process.pid"] for event in found)
    [missing] = [event for event in found if event.level == "error"]
    assert missing.message == 'relation "missing" does not exist at character 15'
    assert missing.tags["postgres.sqlstate"] == "42P01"
    assert (missing.tags["postgres.user"], missing.tags["postgres.database"]) == ("app", "postgres")
    [warning] = [event for event in found if event.level == "warning"]
    assert warning.message == "careful"
    assert any(event.duration_ms is not None and "SELECT 1" in (event.message or "") for event in found)
    assert {event.tags.get("postgres.part") for event in found} >= {"STATEMENT", "CONTEXT"}


def test_something_listens_or_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as here:
        assert answers(here.getsockname()[1])
