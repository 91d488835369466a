"""`yaat detect` and an agent without `sources`, as somebody at a terminal sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner
from support.agents import yaat as yaat_process
from support.host_root import HostRoot

from yaat_core.cli.main import cli
from yaat_core.errors import YaatError

STATE = 'state_dir: state\nhealth: {listen: "off"}\n'


@attrs.frozen
class Done:
    """What a command said."""

    returncode: int
    stdout: str
    stderr: str


def yaat(*arguments: str, **environ: str) -> Done:
    """A command in this process, which is quicker."""
    done = CliRunner().invoke(cli, arguments, env=environ)
    if isinstance(done.exception, YaatError):
        return Done(done.exception.exit_code, done.stdout, done.exception.render())
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return Done(done.exit_code, done.stdout, done.stderr)


def yaat_json(*arguments: str, **environ: str) -> Any:
    """Its document."""
    done = yaat(*arguments, "--json", **environ)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "yaat.yaml"
    path.write_text(STATE)
    return path


@pytest.fixture
def shop(root: HostRoot) -> HostRoot:
    """nginx with an odd site, installed; and a journal."""
    root.write(
        "/etc/nginx/nginx.conf",
        "error_log /var/log/nginx/error.log; http { log_format own '$remote_addr ${status} $time_local';\n"
        "access_log /var/log/nginx/access.log; access_log /var/log/nginx/own.log own;\n"
        'access_log "/var/log/\x1b[2J\u202egpj.log"; }',
    )
    for name in ("access", "own", "error"):
        root.write(f"/var/log/nginx/{name}.log")
    root.write("/var/log/other.log")
    return root


def test_findings_and_configuration_in_80_columns(shop: HostRoot, config: Path) -> None:
    done = yaat("detect", "-c", str(config), NO_COLOR="1", **shop.environ)
    assert done.returncode == 0, done.stderr
    assert "nginx, installed, not running" in done.stdout
    assert "found by  configuration /etc/nginx/nginx.conf" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    root = str(shop.path)
    long = [
        line for line in done.stdout.splitlines() if len(line) > 80 and root not in line and '"' not in line
    ]
    assert not long


def test_json_is_one_document(shop: HostRoot, config: Path) -> None:
    document = yaat_json("detect", "-c", str(config), **shop.environ)
    assert {"host", "cloud", "findings", "failures", "configuration"} <= document.keys()
    (nginx,) = document["findings"]
    assert {one["name"]: one["status"] for one in nginx["sources"]} == {
        "nginx": "default",
        "nginx-own": "default",
    }
    (trouble,) = nginx["problems"]
    assert "its path is not plain" in trouble["problem"]
    assert document["host"]["environment"] in ("container", "vm", "bare")
    assert document["cloud"] is None


def test_the_configuration_that_is_printed_is_what_is_read_by_default(shop: HostRoot, config: Path) -> None:
    printed = yaat_json("detect", "-c", str(config), **shop.environ)["configuration"]
    assert "$${status}" in printed
    written = config.with_name("written.yaml")
    written.write_text(STATE + printed)
    assert _sources(written, shop) == _sources(config, shop)
    valid = yaat("validate", "--offline", "-c", str(written), **shop.environ)
    assert valid.returncode == 0, valid.stdout + valid.stderr


def test_an_empty_file_reads_what_is_found_and_the_other_logs(shop: HostRoot, config: Path) -> None:
    config.write_text("")
    sources = _sources(config, shop)
    assert sources["nginx"]["paths"] == [
        f"{shop.path}/var/log/nginx/{name}.log" for name in ("access", "error")
    ]
    assert sources["nginx-own"]["format"]["log_format"] == "$remote_addr ${status} $time_local"
    assert {"logs", "host"} <= sources.keys()
    assert set(sources["nginx"]["paths"]) <= set(sources["logs"]["exclude"])


def _sources(config: Path, root: HostRoot) -> Any:
    return yaat_json("config", "show", "--effective", "-c", str(config), **root.environ)["sources"]


def test_no_file_is_read_by_two_sources(shop: HostRoot, config: Path) -> None:
    for name in ("nginx/access", "nginx/error", "other"):
        shop.write(f"/var/log/{name}.log", f"{name} says something\n")
    done = yaat_process("run", "--once", "-c", str(config), timeout=120, **shop.environ)
    assert done.returncode == 0, done.stderr
    sql = "SELECT message, service_name FROM events WHERE event_type = 'log' ORDER BY message"
    rows = yaat_json("query", "-c", str(config), sql, **shop.environ)
    assert [row["message"] for row in rows] == [
        "nginx/access says something",
        "nginx/error says something",
        "other says something",
    ]
    assert [row["service_name"] == "nginx" for row in rows] == [True, True, False]


def test_what_is_configured_is_marked_and_only_the_rest_is_printed(shop: HostRoot, config: Path) -> None:
    config.write_text(
        f"{STATE}sources:\n  nginx: {{type: file, paths: [{shop.path}/var/log/nginx/own*.log]}}\n"
    )
    document = yaat_json("detect", "-c", str(config), **shop.environ)
    status = {one["name"]: (one["status"], one["about"]) for one in document["findings"][0]["sources"]}
    assert status == {"nginx": ("new", ""), "nginx-own": ("configured", "nginx")}
    assert "  nginx-2:" in document["configuration"], "a name that is taken is not given twice"
    assert "own.log" not in document["configuration"]
    human = yaat("detect", "-c", str(config), NO_COLOR="1", **shop.environ).stdout
    assert "read already by the source nginx" in human
    assert "add to `sources`" in human


def test_a_source_whose_plugin_is_not_installed_is_told(root: HostRoot, config: Path) -> None:
    root.write("/run/docker.sock")
    environ = {**root.environ, "YAAT_LOAD_PLUGINS": "detect,file,parse,scrub,leveldb,duckdb"}
    document = yaat_json("detect", "-c", str(config), **environ)
    assert [one["status"] for one in document["findings"][0]["sources"]] == ["missing_plugin"]
    assert "docker" not in document["configuration"]
    assert "yaat-plugin-docker" in yaat("detect", "-c", str(config), **environ).stdout
    assert yaat("validate", "--offline", "-c", str(config), **environ).returncode == 0


def test_an_unknown_program_is_proposed_and_not_read_by_default(
    root: HostRoot, config: Path, tmp_path: Path
) -> None:
    log = tmp_path / "own.log"
    root.show(tmp_path / "own.log")
    code = f"import sys; f = open({str(log)!r}, 'a'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        ["sleep-as-shop", "-c", code],
        executable=sys.executable,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"open\n"
        root.runs(process.pid)
        document = yaat_json("detect", "-c", str(config), **root.environ)
        default = _sources(config, root)
        process.communicate(b"")
    assert [one["status"] for finding in document["findings"] for one in finding["sources"]] == ["new"]
    assert "own.log" in document["configuration"]
    assert "own.log" not in json.dumps(default)


def test_an_empty_machine(root: HostRoot, config: Path) -> None:
    done = yaat("detect", "-c", str(config), **root.environ)
    assert done.returncode == 0
    assert "Nothing was found" in done.stdout


def test_an_address_that_is_none_is_refused(root: HostRoot, config: Path) -> None:
    done = yaat("detect", "--cloud", "--cloud-address", "here", "-c", str(config), **root.environ)
    assert done.returncode == 2
    assert "--cloud-address" in done.stderr


def test_the_cloud_is_asked_only_when_wanted(root: HostRoot, config: Path) -> None:
    # nobody listens there; what matters is that it is named as asked, and that this ends
    given = ["--cloud", "--cloud-address", "http://127.0.0.1:9"]
    document = yaat_json("detect", *given, "-c", str(config), **root.environ)
    assert (document["cloud_asked"], document["cloud"]) == (True, None)
    assert yaat_json("detect", "-c", str(config), **root.environ)["cloud_asked"] is False


def test_a_plugin_adds_a_detector(root: HostRoot, config: Path, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/shop.py").write_text(
        "from yaat_core import hookimpl\n"
        "from yaat_core.detection import Detection, Detector, Log\n"
        "def find(machine):\n"
        "    if machine.exists('/etc/shop.ini'):\n"
        "        logs = [Log(path='/srv/shop.txt', format='raw')]\n"
        "        yield Detection(service='shop', what='the shop', evidence=['its ini'], logs=logs)\n"
        "def fail(machine):\n"
        "    raise RuntimeError('\\x1b[31mno')\n"
        "@hookimpl\n"
        "def detectors():\n"
        "    return [Detector(name='fail', detect=fail), Detector(name='shop', detect=find)]\n"
    )
    root.write("/etc/shop.ini")
    root.write("/srv/shop.txt", "sold\n")
    environ = {**root.environ, "YAAT_PLUGINS_DIR": str(tmp_path / "plugins")}
    done = yaat("detect", "-c", str(config), NO_COLOR="1", **environ)
    assert "the shop" in done.stdout
    assert "the detector fail failed: RuntimeError: \\x1b[31mno" in done.stdout.replace("\n  ", " ")
    assert yaat_process("run", "--once", "-c", str(config), timeout=120, **environ).returncode == 0
    rows = yaat_json(
        "query", "-c", str(config), "SELECT service_name FROM events WHERE message = 'sold'", **environ
    )
    assert rows == [{"service_name": "shop"}]


def test_help_and_import_look_for_nothing() -> None:
    code = "import yaat_core, yaat_plugin_detect.plugin, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"import json; {code}"], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(json.loads(done.stdout))
    assert "yaat_plugin_detect.detectors" not in loaded
    assert "httpx" not in loaded
