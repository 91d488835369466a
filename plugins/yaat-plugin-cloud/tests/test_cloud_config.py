"""Options: what is refused, with which words; and the endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.agents import yaat
from support.forwarding import config

from yaat_core.config.options import Secret
from yaat_plugin_cloud import endpoint
from yaat_plugin_cloud.config import CircuitBreakerConfig, RetryConfig, TlsConfig

KEY = "s3cr3t-key-0123456789"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://ingest.example.com", "https://ingest.example.com/v1/ingest"),
        ("https://ingest.example.com/", "https://ingest.example.com/v1/ingest"),
        ("https://ingest.example.com/v1/ingest", "https://ingest.example.com/v1/ingest"),
        ("https://example.com/yaat/", "https://example.com/yaat/v1/ingest"),
        ("https://example.com:443/v1/ingest/", "https://example.com/v1/ingest"),
        ("http://[::1]:8080", "http://[::1]:8080/v1/ingest"),
        ("http://localhost:8080", "http://localhost:8080/v1/ingest"),
    ],
)
def test_a_base_url_or_the_whole_one(text: str, url: str) -> None:
    assert endpoint.parse(text).url == url


@pytest.mark.parametrize(
    "text",
    [
        "", "example.com", "ftp://example.com", "https://", "https://user:pw@example.com", "https://a.example?x=1",
        "https://a.example/#x", "https://a.example/ x", "https://b\u00fccher.example", "https://a.example:99999", "https://[::1",
        "https://a.example\r\nX: y",
    ],
)  # fmt: skip
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        endpoint.parse(text)


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com", "localhost.example.com", "127.evil.example"])
def test_plain_http_to_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        config(f"http://{host}")
    assert config(f"http://{host}", allow_plain_http=True).endpoint


@pytest.mark.parametrize("text", ["", "two words", "line\n", "caf\u00e9", "x\x00"])
def test_a_key_that_fits_in_no_header(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        config("https://example.com", api_key=Secret(text))


@pytest.mark.parametrize(
    "options",
    [
        {"compression_level": 10}, {"compression": "zstd", "compression_level": 20}, {"in_flight": 0},
        {"max_batch_rows": 0},
    ],
)  # fmt: skip
def test_numbers_out_of_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be at"):
        config("https://example.com", **options)
    assert RetryConfig()
    assert TlsConfig()
    assert CircuitBreakerConfig()


def test_the_first_wait_is_not_the_longest() -> None:
    from yaat_core.config.options import Duration

    with pytest.raises(ValueError, match="initial"):
        config("https://example.com", retry=RetryConfig(initial=Duration(9), max_delay=Duration(1)))


def written(folder: Path, *lines: str) -> Path:
    file = folder / "yaat.yaml"
    (folder / "key").write_text(KEY + "\n")
    sink = "".join(f"    {line}\n" for line in lines)
    file.write_text(f"version: 1\nstate_dir: state\nsources: {{}}\nsinks:\n  cloud:\n    type: cloud\n{sink}")
    return file


def test_a_key_is_never_shown_and_never_written_into_the_file(tmp_path: Path) -> None:
    good = written(tmp_path, "endpoint: https://ingest.example.com", "api_key: ${file:key}")
    shown = yaat("config", "show", "--effective", "-c", str(good))
    assert shown.returncode == 0, shown.stderr
    assert "***" in shown.stdout
    literal = written(tmp_path, "endpoint: https://ingest.example.com", f"api_key: {KEY}")
    refused = yaat("validate", "--offline", "-c", str(literal))
    assert refused.returncode == 2
    assert "must not be written into a file" in refused.stderr + refused.stdout
    for done in (shown, refused):
        assert KEY not in done.stdout + done.stderr


WRONG = {
    "tls: {min_version: 1.3}": 'put it in quotes: "1.3"',
    "tls: {min_version: '1.1'}": "must be one of 1.2, 1.3",
    "max_batch_bytes: 6MB": "less than 5MB",
    "max_batch_bytes: 1000000": "add a unit",
    "in_fligth: 2": "did you mean `in_flight`",
    "compression: snappy": "must be one of gzip, zstd, none",
    "read_timeout: 0s": "must be more than 0",
    "retry: {initial: 5m}": "`initial` must not be above `max_delay`",
}


def test_what_is_wrong_is_told_with_its_mending(tmp_path: Path) -> None:
    file = written(tmp_path, "endpoint: https://ingest.example.com", "api_key: ${file:key}")
    sinks = "".join(
        f"  c{n}: {{type: cloud, endpoint: 'https://a.example', api_key: '${{file:key}}', {line}}}\n"
        for n, line in enumerate(WRONG)
    )
    file.write_text(file.read_text() + sinks)
    done = yaat("validate", "--offline", "-c", str(file))
    assert done.returncode == 2
    for words in WRONG.values():
        assert words in done.stderr + done.stdout, f"{words}\n{done.stderr}{done.stdout}"


def test_plain_http_is_told_where_it_stands(tmp_path: Path) -> None:
    file = written(tmp_path, "endpoint: http://10.1.2.3", "api_key: ${file:key}")
    done = yaat("validate", "--offline", "-c", str(file))
    assert done.returncode == 2
    assert "yaat.yaml:7" in done.stderr + done.stdout
    assert "allow_plain_http" in done.stderr + done.stdout


def test_a_secret_prints_nowhere() -> None:
    secret = Secret(KEY)
    told = f"{secret} {secret!r} {secret!s} {[secret]} {config('https://example.com', api_key=secret)}"
    assert KEY not in told
    assert secret == Secret(KEY)
    assert secret != Secret("x")
    assert secret.reveal() == KEY
