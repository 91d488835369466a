"""What each detector reads out of a machine's files and processes."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from support.machines import (
    APACHE,
    DOCKER,
    GUNICORN,
    MYSQL,
    NGINX,
    NODE,
    OTHERS,
    PORTS,
    POSTGRES,
    RABBIT,
    REDIS,
    SYSTEM,
    process,
)

from yaat_core.detection import Detection, Machine
from yaat_plugin_detect.detectors import DETECTORS


def find(name: str, machine: Machine) -> list[Detection]:
    return [found for one in DETECTORS if one.name == name for found in one.detect(machine)]


def logs(found: Detection) -> dict[str, Any]:
    return {log.path: log.format for log in found.logs}


def test_nginx_logs_of_all_files_with_their_formats() -> None:
    (found,) = find("nginx", NGINX)
    timed = {"type": "nginx", "log_format": '$remote_addr [$time_iso8601] "$request" $status ${request_time}'}
    assert logs(found) == {
        "/var/log/nginx/access.log": "nginx",
        "/var/log/nginx/shop.log": timed,
        "/var/log/nginx/api.json": "json",
        "/var/log/nginx/*.log": {
            "type": "nginx",
            "log_format": "log_format quoted escape=none '\"$request\" $status'",
        },
        "/var/log/nginx/stream.log": {"type": "nginx", "log_format": "$protocol $status"},
        "/var/log/nginx/error.log": "nginx",
    }
    assert found.what == "nginx, 2 processes"
    assert "listens on 0.0.0.0:80" in found.evidence
    assert any("syslog:server" in note.problem for note in found.notes)


def test_nginx_formats_are_those_that_the_parser_takes() -> None:
    from yaat_plugin_parse.log_format import Layout

    for log in find("nginx", NGINX)[0].logs:
        if isinstance(log.format, dict):
            Layout.of(log.format["log_format"])


def test_nginx_is_found_when_it_is_only_installed() -> None:
    (found,) = find("nginx", attrs.evolve(NGINX, processes=[], listeners=[]))
    assert "not running" in found.what
    assert "/var/log/nginx/shop.log" in logs(found)


def test_nginx_configuration_that_cannot_be_read_is_told_and_open_files_count() -> None:
    hidden = attrs.evolve(
        NGINX, unreadable=frozenset({"/etc/nginx/nginx.conf"}), open={10: ["/srv/access.log"]}
    )
    (found,) = find("nginx", hidden)
    assert logs(found) == {"/srv/access.log": "nginx"}
    assert "/etc/nginx/nginx.conf" in found.notes[0].problem


def test_apache_logs_with_variables_and_formats() -> None:
    (found,) = find("apache", APACHE)
    assert logs(found) == {
        "/srv/logs/error.log": "apache",
        "/srv/logs/all.log": "apache",
        "/srv/logs/shop.log": {"type": "apache", "log_format": '%v %h "%r" %>s %D'},
        "/etc/apache2/logs/own.log": {"type": "apache", "log_format": "%h %t"},
    }


def test_python_servers() -> None:
    gunicorn, uwsgi = find("python", GUNICORN)
    assert gunicorn.service == "shop"
    assert gunicorn.what == "Django under gunicorn, 2 processes"
    assert logs(gunicorn) == {
        "/srv/shop/log/access.log": "apache",
        "/srv/shop/error.log": "auto",
        "/srv/shop/django.log": "auto",
    }
    assert {log.uid for log in gunicorn.logs} == {1000}
    assert logs(uwsgi) == {"/srv/w/req.log": "auto"}


def test_a_gunicorn_format_of_its_own_is_left_to_auto() -> None:
    own = process(30, "gunicorn", "a", "--access-logfile", "/a.log", "--access-logformat", "%(h)s")
    (found,) = find("python", attrs.evolve(GUNICORN, processes=[own], open={}))
    assert logs(found) == {"/a.log": "auto"}


def test_node_and_pm2() -> None:
    pm2, node = find("node", NODE)
    assert logs(pm2) == {"/srv/app/.pm2/logs/*.log": "auto"}
    assert logs(node) == {"/srv/n/out.log": "auto"}


def test_postgres_settings_of_all_files() -> None:
    (found,) = find("postgresql", POSTGRES)
    assert logs(found) == {
        "/var/lib/postgresql/15/main/pg[[]1]_log/pg-*.log": {
            "type": "postgres",
            "log_line_prefix": "%m [%p] %q%u@%d ",
        },
        "/var/lib/postgresql/15/main/pg[[]1]_log/pg-*.json": "json",
    }
    assert {log.uid for log in found.logs} == {105}


def test_postgres_under_debian_logs_to_the_file_that_it_holds_open() -> None:
    path = "/var/log/postgresql/postgresql-15-main.log"
    conf = {"/etc/postgresql/15/main/postgresql.conf": "", path: ""}
    (running,) = find("postgresql", attrs.evolve(POSTGRES, files=conf, open={50: [path]}))
    (installed,) = find("postgresql", attrs.evolve(POSTGRES, files=conf, processes=[]))
    assert logs(running) == logs(installed) == {path: {"type": "postgres", "log_line_prefix": "%m [%p] "}}


@pytest.mark.parametrize(
    ("name", "machine", "wanted"),
    [
        ("mysql", MYSQL, {"/var/log/mysql/error.log": "mysql"}),
        ("redis", REDIS, {"/var/log/redis/redis-server.log": "redis"}),
        ("rabbitmq", RABBIT, {"/srv/rabbit/*.log": "auto"}),
    ],
)
def test_databases_and_brokers(name: str, machine: Machine, wanted: dict[str, Any]) -> None:
    (found,) = find(name, machine)
    assert logs(found) == wanted


def test_docker_socket() -> None:
    (found,) = find("docker", DOCKER)
    assert found.sources == {"docker": {"type": "docker"}}


def test_the_journal_is_left_alone_where_it_is_copied_into_files() -> None:
    syslog, journal = find("system", SYSTEM)
    assert logs(syslog) == {"/var/log/syslog": "syslog", "/var/log/auth.log": "syslog"}
    assert not journal.sources
    (alone,) = find("system", attrs.evolve(SYSTEM, processes=[]))
    assert alone.sources == {"journal": {"type": "journald"}}


def test_other_programs_by_their_open_logs_and_never_by_default() -> None:
    (found,) = find("open logs", OTHERS)
    assert found.service == "shop-server"
    assert logs(found) == {"/opt/shop/shop.log": "auto"}
    assert not found.by_default


def test_ports_whose_program_is_unseen() -> None:
    (found,) = find("ports", PORTS)
    assert found.what == "something at the port of PostgreSQL"
    assert "as root" in found.notes[0].advice
