"""Machines as their files and processes look, by what runs on them."""

from __future__ import annotations

from yaat_core.detection import Listener, Process
from yaat_core.testing import MadeMachine


def process(pid: int, *command: str, uid: int = 0, name: str = "", folder: str = "/") -> Process:
    return Process(
        pid=pid,
        uid=uid,
        name=name or command[0].partition(" ")[0].rpartition("/")[2].rstrip(":"),
        command=command,
        folder=folder,
    )


NGINX_CONF = """\
user www-data;
error_log /var/log/nginx/error.log warn;
events { worker_connections 768; }
http {
    log_format timed '$remote_addr [$time_iso8601] '
                     '"$request" $status ${request_time}';   # by hand
    log_format structured escape=json '{"time":"$time_iso8601","status":$status}';
    log_format quoted escape=none '"$request" $status';
    access_log /var/log/nginx/access.log;
    include /etc/nginx/sites-enabled/*;
}
stream { log_format timed '$protocol $status'; server { access_log /var/log/nginx/stream.log timed; } }
"""
NGINX_SITE = """\
server {
    server_name shop;
    access_log /var/log/nginx/shop.log timed buffer=32k flush=5s;
    access_log syslog:server=10.0.0.1 combined;
    location /api { access_log "/var/log/nginx/api.json" structured; error_log /dev/stderr; }
    location /q { access_log /var/log/nginx/$host.log quoted if=$loggable; }
    location /no { access_log off; }
    include /etc/nginx/sites-enabled/*;
}
"""
NGINX = MadeMachine(
    processes=[
        process(10, "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;"),
        process(11, "nginx: worker process", uid=33),
    ],
    listeners=[Listener(address="0.0.0.0", port=80, uid=0, pid=10)],
    files={"/etc/nginx/nginx.conf": NGINX_CONF, "/etc/nginx/sites-enabled/shop": NGINX_SITE},
)

APACHE = MadeMachine(
    processes=[process(20, "/usr/sbin/apache2", "-k", "start"), process(21, "/usr/sbin/apache2", "-k", "start", uid=33)],
    files={
        "/etc/apache2/envvars": 'export APACHE_LOG_DIR=/srv/logs$SUFFIX\nexport BAD="$(touch owned)"\n',
        "/etc/apache2/apache2.conf": 'ServerRoot "/etc/apache2"\nErrorLog ${APACHE_LOG_DIR}/error.log\n'
        "IncludeOptional sites-enabled/*.conf\n"
        'LogFormat "%v %h \\"%r\\" %>s %D" timed\nCustomLog ${APACHE_LOG_DIR}/all.log combined\n',
        "/etc/apache2/sites-enabled/shop.conf": "<VirtualHost *:80>\n  CustomLog ${APACHE_LOG_DIR}/shop.log \\\n    timed\n"
        '  CustomLog "|/usr/bin/rotatelogs x" combined\n  CustomLog logs/own.log "%h %t"\n</VirtualHost>\n',
    },
)  # fmt: skip

GUNICORN = MadeMachine(
    processes=[
        process(30, "/srv/v/bin/python", "/srv/v/bin/gunicorn", "shop.wsgi", "--access-logfile", "log/access.log",
                "--error-logfile=/srv/shop/error.log", uid=1000, folder="/srv/shop"),
        process(31, "/srv/v/bin/python", "/srv/v/bin/gunicorn", "shop.wsgi", uid=1000, folder="/srv/shop"),
        process(32, "/usr/bin/uwsgi", "--ini", "app.ini", uid=1001, folder="/srv/w"),
    ],
    files={"/srv/shop/manage.py": "", "/srv/w/app.ini": "[uwsgi]\nlogto = /srv/w/%n.log\nreq-logger = file:/srv/w/req.log\n"},
    open={30: ["/srv/shop/error.log", "/srv/shop/log/access.log", "/srv/shop/django.log"]},
)  # fmt: skip

NODE = MadeMachine(
    processes=[
        process(40, "PM2 v5.3.0: God Daemon (/srv/app/.pm2)", uid=1000, name="PM2 v5.3.0: God"),
        process(41, "node", "/srv/n/server.js", uid=1000, folder="/srv/n"),
    ],
    open={41: ["/srv/n/out.log"]},
    files={"/srv/n/server.js": ""},
)

POSTGRES = MadeMachine(
    processes=[
        process(50, "/usr/lib/postgresql/15/bin/postgres", "-D", "/var/lib/postgresql/15/main", "-c",
                "config_file=/etc/postgresql/15/main/postgresql.conf", uid=105),
        process(51, "postgres: 15/main: checkpointer ", uid=105),
    ],
    files={
        "/etc/postgresql/15/main/postgresql.conf": "log_line_prefix = '%m [%p] %q%u@%d '   # special\n"
        "#logging_collector = on\ninclude_dir = 'conf.d'\n",
        "/etc/postgresql/15/main/conf.d/log.conf": "logging_collector = on\nlog_destination = 'stderr,jsonlog'\n"
        "log_directory = 'pg[1]_log'\n",
        "/var/lib/postgresql/15/main/postgresql.auto.conf": "log_filename = 'pg-%a.log'\n",
    },
)  # fmt: skip

MYSQL = MadeMachine(
    processes=[process(60, "/usr/sbin/mysqld", uid=106)],
    files={
        "/etc/mysql/my.cnf": "!includedir /etc/mysql/conf.d/\n[client]\nport=3306\n",
        "/etc/mysql/conf.d/mysqld.cnf": "[mysqld]\nlog-error = /var/log/mysql/error.log\n",
    },
)

REDIS = MadeMachine(
    processes=[process(70, "/usr/bin/redis-server 127.0.0.1:6379", name="redis-server", uid=107)],
    files={
        "/etc/redis/redis.conf": "dir /var/lib/redis\nlogfile /var/log/redis/redis-server.log\nsave 3600 1\n"
    },
)

RABBIT = MadeMachine(
    processes=[process(80, "/usr/lib/erlang/erts/bin/beam.smp", "-rabbit", "x", name="beam.smp", uid=108)],
    files={"/etc/rabbitmq/rabbitmq.conf": "log.dir = /srv/rabbit\n"},
)

DOCKER = MadeMachine(files={"/run/docker.sock": ""})

SYSTEM = MadeMachine(
    processes=[process(90, "/usr/sbin/rsyslogd", "-n")],
    files={
        "/run/systemd/system/x": "",
        "/var/log/journal/m/system.journal": "",
        "/var/log/syslog": "",
        "/var/log/auth.log": "",
    },
)

OTHERS = MadeMachine(
    processes=[
        process(100, "/opt/shop/bin/Shop Server", uid=1000, name="Shop Server"),
        process(101, "leveldb", uid=1000),
        process(10, "nginx: master process nginx"),
    ],
    open={
        100: ["/opt/shop/shop.log", "/opt/shop/000012.log"],
        101: ["/srv/db/000003.log"],
        10: ["/x/access.log"],
    },
)
PORTS = MadeMachine(
    listeners=[
        Listener(address="127.0.0.1", port=5432, uid=105),
        Listener(address="127.0.0.1", port=6379, uid=107, pid=70),
        Listener(address="127.0.0.1", port=4000, uid=107),
    ]
)

MACHINES = {
    "nginx": NGINX, "apache": APACHE, "python": GUNICORN, "node": NODE, "postgresql": POSTGRES, "mysql": MYSQL,
    "redis": REDIS, "rabbitmq": RABBIT, "docker": DOCKER, "system": SYSTEM,
    "open logs": OTHERS, "ports": PORTS,
}  # fmt: skip
