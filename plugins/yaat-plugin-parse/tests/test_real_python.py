"""Logs that Django and Python's logging write in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.servers import PATIENCE, ask, lines_of, server, server_folder

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels

Make = Callable[..., Processor]

SITE = """
import logging
import django
from django.conf import settings
from django.http import HttpResponse

VERBOSE = "{levelname} {asctime} {module} {process:d} {thread:d} {message}"
settings.configure(
    DEBUG=True, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="only for this test",
    INSTALLED_APPS=["django.contrib.staticfiles"], STATIC_URL="/static/",
    LOGGING={
        "version": 1, "disable_existing_loggers": False,
        "formatters": {"verbose": {"format": VERBOSE, "style": "{"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "verbose"},
                     "plain": {"class": "logging.StreamHandler"}},
        "loggers": {"shop": {"handlers": ["console"], "level": "DEBUG"},
                    "django.request": {"handlers": ["plain"], "propagate": False}},
    },
)

def cart(request):
    logging.getLogger("shop").warning("cart of %s is empty", "ann")
    return HttpResponse("ok")

def broken(request):
    raise RuntimeError("no stock")

from django.urls import path
urlpatterns = [path("cart", cart), path("broken", broken)]

if __name__ == "__main__":
    from wsgiref.simple_server import make_server
    from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
    from django.core.wsgi import get_wsgi_application
    application = get_wsgi_application()
    with WSGIServer(("127.0.0.1", 0), WSGIRequestHandler) as listening:
        listening.set_app(application)
        print("listens on", listening.server_port, flush=True)
        listening.serve_forever()
"""


def events(step: Processor, lines: list[str]) -> list[Event]:
    batch = EventBatch.from_events([Event(message=line) for line in lines], Labels(stream="s"))
    return list(step.process(batch)[0])


@pytest.mark.parametrize("format", ["django", "auto"])
def test_django(format: str, make: Make) -> None:
    pytest.importorskip("django", reason="Django is not installed")
    with server_folder("django") as folder:
        (folder / "site_of_the_test.py").write_text(SITE)
        (folder / "site_of_the_test.py").chmod(0o644)
        with server([sys.executable, "site_of_the_test.py"], folder, as_nobody=False):
            lines = lines_of(folder / "output", lambda lines: any("listens on" in line for line in lines))
            port = int(lines[-1].rpartition(" ")[2])
            assert (ask(port, "/cart?user=ann"), ask(port, "/none"), ask(port, "/broken")) == (200, 404, 500)
            lines = lines_of(folder / "output", lambda lines: any('" 500 ' in line for line in lines))
    found = events(make(format), lines)
    requests = {event.status_code: event for event in found if event.event_type == "span"}
    assert {status: event.operation for status, event in requests.items()} == {
        200: "GET /cart",
        404: "GET /none",
        500: "GET /broken",
    }
    assert requests[200].tags["url.query"] == "user=ann"
    [words] = [event for event in found if event.message == "cart of ann is empty"]
    assert (words.level, words.tags["logger"]) == ("warning", "site_of_the_test")
    told = {event.message: event for event in found if event.event_type == "log" and event.status_code}
    assert (told["Not Found: /none"].level, told["Not Found: /none"].status_code) == ("warning", 404)
    assert told["Internal Server Error: /broken"].level == "error"


LOGGING = """
import logging, sys
logging.basicConfig(stream=sys.stdout, level="DEBUG", format=sys.argv[1], datefmt=sys.argv[2] or None)
for name in ("shop", "shop.pay"):
    logging.getLogger(name).error("%s: no stock - of 7 | things", name)
    logging.getLogger(name).debug("")
"""


@pytest.mark.parametrize(
    ("log_format", "date_format"),
    [
        ("%(asctime)s %(process)d/%(threadName)s %(levelname)-8s %(name)-12s %(message)s", ""),
        (
            "%(asctime)s.%(msecs)03d|%(levelname)s|%(name)s|%(funcName)s:%(lineno)d|%(message)s",
            "%d.%m.%Y %H:%M:%S",
        ),
        ("<%(levelname)s> [%(name)s] %(message)s (%(created)f)", ""),
        ("%(levelname)8s %(asctime)s [%(name)s] %(message)s", "%I:%M:%S %p on %B %d, %Y"),
    ],
)
def test_any_format_string(log_format: str, date_format: str, tmp_path: Path, make: Make) -> None:
    written = subprocess.run(
        [sys.executable, "-c", LOGGING, log_format, date_format],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    ).stdout.splitlines()
    found = events(make("python", log_format=log_format, date_format=date_format), written)
    assert [(event.level, event.tags["logger"], event.message) for event in found] == [
        ("error", "shop", "shop: no stock - of 7 | things"),
        ("debug", "shop", ""),
        ("error", "shop.pay", "shop.pay: no stock - of 7 | things"),
        ("debug", "shop.pay", ""),
    ]
    if "asctime" in log_format:
        assert not any("timestamp.raw" in event.tags for event in found)
        assert found[0].timestamp.year >= 2025
        assert found[0].timestamp != found[0].received_at
