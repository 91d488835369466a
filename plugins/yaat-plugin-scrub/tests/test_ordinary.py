"""Ordinary lines stay as they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

LINES = r"""
2026-01-05T10:00:00.123456Z INFO [main] order 4711 shipped to warehouse 12 in 384 ms
Jan  5 10:00:00 web-1 sshd[1234]: Accepted publickey for bob from 10.0.0.1 port 51234 ssh2: RSA SHA256:4fD1xRkZ8m
Jan  5 10:00:01 web-1 sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/apt update
Jan  5 10:00:02 web-1 systemd[1]: Started getty@tty1.service - Getty on tty1.
Jan  5 10:00:02 web-1 systemd[1]: user@1000.service: Deactivated successfully.
10.0.0.1 - - [05/Jan/2026:10:00:00 +0000] "GET /static/logo@2x.png HTTP/1.1" 200 5316 "-" "Mozilla/5.0 (X11; Linux x86_64)"
10.0.0.1 - bob [05/Jan/2026:10:00:00 +0000] "GET /orders/550e8400-e29b-41d4-a716-446655440000?page=2&sort=asc HTTP/2.0" 200 31
request 550e8400-e29b-41d4-a716-446655440000 took 12 ms
uuid 12345678-1234-1234-1234-123456789012
commit 9fceb02d0ae598e95dc970b74767f19372d61af8 by bob
sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 pulled
md5 d41d8cd98f00b204e9800998ecf8427e
timestamp=1736071200123 offset=4111111111111112 lag=0
epoch 1736071200123456789 ns
id 7351928461029384756 created
temperature 0.4111111111111111 and 36.6
order 1234567890123456 is no card number
phone list 4000-1234-5678-9011
token expired for user 42
Invalid token: expired
Token: invalid
error: missing token, login required
password changed for user bob
the password is required
password: null
{"password":null,"token":"","secret":false}
{"tokens":150,"prompt_tokens":120,"max_tokens":4096,"token_type":"access"}
passwordless login enabled; bypass=0; compass: north; secretary: none
pass: 12, fail: 3, skip: 1
test_pass=3 first_pass=9
password=[redacted] token=*** secret=<hidden>
password=[password] token=[jwt] Authorization: Bearer [bearer_token]
std::secret::Token::Ident at src/token::parse.rs
Unexpected end of token stream near line 3
keyboard=us monkey=1 key=42 primary_key=id foreign_key: user_id sort_key=a partition key: p1
author=bob authority=ca authors: 3
authorization failed for user 7
Authorization: denied
basic authentication is on, bearer of bad news
cookie accepted; cookies: 3; cookie banner shown
http://localhost:8080/metrics scraped in 3 ms
GET http://example.com:80/a/b?c=d@e HTTP/1.1
https://example.com/@scope/package/-/package-1.0.0.tgz
npm install @angular/core@17.0.1 lodash@4.17.21
git@github.com:org/repo.git cloned, remote ssh://git@example.com:22/x
java.lang.IllegalStateException: Foo@1a2b3c4d is closed
at com.example.auth.TokenFilter.doFilter(TokenFilter.java:42)
Traceback (most recent call last): File "/app/token.py", line 3, in get_secret
user bob @ office, 3 @ 4.50 each
nginx@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
path=/var/lib/secrets/token/file.txt dir=/etc/ssl/private key ok
-----BEGIN CERTIFICATE----- MIIB -----END CERTIFICATE-----
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 public
task-queue-worker-0123456789abcdef started, risk-assessment-0123456789abcdefgh done
eyJ is how JSON begins in base64
SELECT id, name FROM users WHERE token_id = 5 AND updated > now()
memory 4096 4096 8192 8192 16384
2026-01-05 10:00:00 2026-01-05 10:00:01
ASIA region latency 30 ms, AKIA station
mem=512MB;cpu=4;disk=20GB
""".strip().splitlines()


@pytest.mark.parametrize("line", LINES, ids=[line[:40] for line in LINES])
def test_an_ordinary_line_stays(bench: Any, line: str) -> None:
    assert bench.messages(bench.scrub(), line) == [line]
    assert not bench.hits


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=20, max_size=20),
    st.lists(st.uuids(), min_size=20, max_size=20),
)
def test_numbers_and_identities_are_rarely_taken_for_secrets(
    bench: Any, numbers: list[int], ids: list[Any]
) -> None:
    lines = [
        f"span {number:016x} of {id} at {number % 10**13}" for number, id in zip(numbers, ids, strict=True)
    ]
    after = bench.messages(bench.scrub(), *lines)
    assert sum(a != b for a, b in zip(lines, after, strict=True)) <= 3
