"""Files of the first agent as people have them, written for these tests."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from yaat_core.config.editing.page import Page
from yaat_core.config.migrating import Migrated, migrate
from yaat_core.plugins import Plugins, load_plugins

KEY = "yaat_9f8e7d6c5b4a39281706"

#: Everything that the first agent knows, switched on.
EVERYTHING = f"""\
# our shop
organization_id: "org_17"
api_key: "{KEY}"
api_endpoint: "https://yaat.example/api/v1/ingest"
service_name: shop
environment: staging
tags:
  team: payments
  build: 42
logs:
  - path: /var/log/shop/app.log
    format: django
  - {{path: /var/log/nginx/access.log, format: nginx}}
  - {{path: /var/log/apache2/access.log, format: apache}}
  - {{path: /var/log/shop/events.json, format: json}}
  - {{path: /var/lib/docker/containers/4f5a2b/4f5a2b-json.log, format: docker}}
  - {{path: nginx.service, format: journald}}
  - {{path: /var/log/shop/app.log, format: ""}}
buffer_size: 2000
flush_interval: "1m30s"
delivery:
  batch_size: 250
  compress: false
  max_batch_bytes: 500000
  queue_retention: 36h
  dead_letter_retention: 336h
metrics:
  enabled: yes
  interval: 20s
  tags: {{tier: front}}
  statsd:
    enabled: true
    listen_addr: ":8125"
    namespace: shop
    tags: {{via: statsd}}
scrubbing:
  enabled: true
  rules:
    - name: Hide tokens
      description: of our partners
      pattern: "(?i)(token=)(?P<rest>[a-z0-9]+)"
      replacement: "$1[GONE] ${{rest}}x $$5"
      fields: [message, tags.*, Tags.auth, raw_payload]
    - {{name: probes, pattern: "GET /healthz", drop: true}}
    - {{name: probes, pattern: "card=\\\\d+"}}
    - {{name: broken, pattern: "(open"}}
proxy: {{enabled: true, listen_port: 19000, upstream_url: "http://127.0.0.1:8000"}}
analytics:
  enabled: true
  database_path: /var/lib/yaat/analytics.db
  retention_days: 30
  max_size_gb: 2.5
  batch_size: 100
  write_timeout: 5s
colour: blue
"""

#: Nothing leaves the machine.
LOCAL_ONLY = """\
service_name: desk
api_key: ""
api_endpoint: "https://yaat.example/api/v1/ingest"
logs:
  - path: app.log
    format: django
scrubbing:
  enabled: true
  rules:
    - {name: orders, pattern: 'order-\\d+', replacement: '[ORDER]'}
analytics:
  enabled: true
"""

#: As short as it may be, for a service on the same machine's backend.
SHORT = """\
organization_id: org_1
api_key: abc
api_endpoint: http://10.0.0.5:8000/api/v1/ingest
service_name: api
"""


@functools.cache
def plugins() -> Plugins:
    return load_plugins()


def migrated(text: str, folder: Path, **more: Any) -> Migrated:
    return migrate(text, "old.yaml", plugins(), folder=folder, **more)


def value(found: Migrated) -> Any:
    return Page.of(found.text).value


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    return migrated(EVERYTHING, tmp_path_factory.mktemp("everything"))
