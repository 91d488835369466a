"""Secrets as they turn up in logs: none is left, wherever in an event it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from yaat_core.event import Event, EventBatch
from yaat_core.wire import to_json_lines

S = "hunter2CANARY"
HEX40 = "0123456789abcdef0123456789abcdef01234567"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
YAAT_KEY = "yaat_k3q7m2xw4p_" + "Ff5iz0M4oJwlbEeZ6XhHqTnPGJ1aV9dKuRyC7sO8WQ2aB3dE9"
PEM_LINES = [
    "MIIEpAIBAAKCAQEAwJ1CANARYcanary0123456789abcdefghijklmnopqrstuv/+=",
    "Zm9vYmFyCANARYbaz0Zm9vYmFyYmF6=",
]
PEM = "\n".join(["-----BEGIN RSA PRIVATE KEY-----", *PEM_LINES, "-----END RSA PRIVATE KEY-----"])

#: (the text, what must be gone, the kind that is shown)
CANARIES = [
    ("password=" + S, S, "password"),
    ("PASSWORD=" + S, S, "password"),
    ("db_password: " + S, S, "password"),
    ("DB_PASSWORD='" + S + " with spaces'", "with spaces", "password"),
    ('passwd="' + S + '"', S, "password"),
    ("pwd=" + S, S, "password"),
    ("passphrase = " + S, S, "password"),
    ("secret=" + S, S, "password"),
    ("client_secret=" + S + "&grant_type=x", S, "password"),
    ("api_key=" + S, S, "password"),
    ("apikey: " + S, S, "password"),
    ("X-Api-Key: " + S, S, "password"),
    ("api-key => '" + S + "'", S, "password"),
    ("access_key=" + S, S, "password"),
    ("private_key=" + S, S, "password"),
    ("token=" + S, S, "password"),
    ("csrfToken=" + S, S, "password"),
    ("x-auth-token: Bearer " + S, S, "password"),
    ('{"password":"' + S + '"}', S, "password"),
    ('{"user":"bob","Password" : "hun\\"' + S + '"}', S, "password"),
    (json.dumps({"msg": json.dumps({"password": S, "a": 1})}), S, "password"),
    (json.dumps(json.dumps(json.dumps({"token": S}))), S, "password"),
    ("{'password': '" + S + "'}", S, "password"),
    ("{'password': b'" + S + "'}", S, "password"),
    ("user[password]=" + S, S, "password"),
    ("params: password%3D" + S + " end", S, "password"),
    ("GET /login?user=bob&password=" + S + " HTTP/1.1", S, "password"),
    ("jdbc:postgresql://db/x?user=bob&password=" + S, S, "password"),
    ("<password>" + S + "</password>", S, "password"),
    ('<ns:apiKey type="x">' + S + "</ns:apiKey>", S, "password"),
    ("mysql --user bob --password " + S + " shop", S, "password"),
    ("ALTER USER bob WITH PASSWORD '" + S + "'", S, "password"),
    ("CREATE USER bob IDENTIFIED BY '" + S + "'", S, "password"),
    ('""password"":""' + S + '""', S, "password"),
    ('password="' + S + " cut off by a line that is too lo", "cut off", "password"),
    ("SMTP_PASS=" + S, S, "password"),
    ("secret: {bcrypt}" + S, S, "password"),
    ("AccountKey=" + S + "==;EndpointSuffix=core", S, "password"),
    ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "aws_key"),
    ("session ASIAIOSFODNN7EXAMPLE.", "ASIAIOSFODNN7EXAMPLE", "aws_key"),
    ("aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI", "aws_key"),
    (
        '"AWS_SECRET_ACCESS_KEY": "' + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" + '"',
        "wJalrXUtnFEMI",
        "aws_key",
    ),
    ("push with ghp_" + HEX40[:36], HEX40[:36], "github_token"),
    ("GHS_" + HEX40[:36].upper(), HEX40[:36].upper(), "github_token"),
    ("github_pat_" + HEX40 + "_" + HEX40, HEX40, "github_token"),
    (JWT, JWT, "jwt"),
    ("expired: " + JWT + ", retry", "dozjgNryP4J3", "jwt"),
    ("cut " + JWT[:60], JWT[20:60], "jwt"),
    ("Authorization: Bearer " + S, S, "bearer_token"),
    ("authorization: bearer " + S, S, "bearer_token"),
    ("AUTHORIZATION: BEARER " + S.upper(), S.upper(), "bearer_token"),
    ('curl -H "Authorization: Bearer ' + S + '" http://x', S, "bearer_token"),
    ('{"Authorization":"Bearer ' + S + '"}', S, "bearer_token"),
    ("{'authorization': ['Basic dXNlcjpwYXNzd29yZA==']}", "dXNlcjpwYXNzd29yZA", "bearer_token"),
    ("Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA", "bearer_token"),
    ("Authorization: " + HEX40, HEX40, "bearer_token"),
    ('Authorization: Digest username="bob", response="' + HEX40 + '"', HEX40, "bearer_token"),
    ("sent bearer " + HEX40 + " to api", HEX40, "bearer_token"),
    ("Cookie: sid=" + S + "; theme=dark", S, "cookie"),
    ("set-cookie: session=" + S + "; HttpOnly; Secure", S, "cookie"),
    ("postgres://bob:" + S + "@db:5432/shop", S, "url_credentials"),
    ("redis://:" + S + "@cache:6379/0", S, "url_credentials"),
    ("HTTPS://BOB:" + S.upper() + "@EXAMPLE.COM/", S.upper(), "url_credentials"),
    ("amqp://bob:p@ss" + S + "@mq", S, "url_credentials"),
    ("amqp://bob:p/ss" + S + "@mq", S, "url_credentials"),
    ("mongodb+srv://bob:" + S + "@a,b/x", S, "url_credentials"),
    ("git clone https://" + HEX40 + "@git.example.com/x.git", HEX40, "url_credentials"),
    (PEM, PEM_LINES[0], "private_key"),
    ("key " + PEM + " and after", PEM_LINES[1], "private_key"),
    (PEM.replace("\n", "\\n"), PEM_LINES[0], "private_key"),
    (json.dumps({"pem": PEM}), PEM_LINES[1], "private_key"),
    ("\n".join(PEM.split("\n")[:2]), PEM_LINES[0], "private_key"),
    ("\n".join(PEM.split("\n")[1:]), PEM_LINES[0], "private_key"),
    (PEM.replace("RSA ", "OPENSSH "), PEM_LINES[0], "private_key"),
    (PEM.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"), PEM_LINES[0], "private_key"),
    ("paid with 4111111111111111", "4111111111111111", "credit_card"),
    ("card 4111 1111 1111 1111 12/27 cvv 123", "4111 1111 1111 1111", "credit_card"),
    ("pan=5500-0055-5555-5559.", "5500-0055-5555-5559", "credit_card"),
    ('{"card":"378282246310005"}', "378282246310005", "credit_card"),
    ("3530111333300000, 6011111111111117", "6011111111111117", "credit_card"),
    ("made " + YAAT_KEY, YAAT_KEY[16:], "yaat_key"),
    ("key: '" + YAAT_KEY + "', expires", YAAT_KEY[16:], "yaat_key"),
    ("cut " + YAAT_KEY[:40], YAAT_KEY[16:40], "yaat_key"),
    ("Authorization: Bearer " + YAAT_KEY, YAAT_KEY[16:], "yaat_key"),
    ("GET /v1/query?sql=SELECT+1&k=" + YAAT_KEY + " 200", YAAT_KEY[16:], "yaat_key"),
    ("slack xox" + "b-123456789012-" + S, S, "generic_token"),
    ("https://hooks." + "slack.com/services/T00000000/B00000000/" + S, S, "generic_token"),
    ("stripe sk_" + "live_" + HEX40[:24], HEX40[:24], "generic_token"),
    ("rk_" + "test_" + HEX40[:24], HEX40[:24], "generic_token"),
    ("maps?key=AIza" + HEX40[:35], HEX40[:35], "generic_token"),
    ("glpat-" + HEX40[:20], HEX40[:20], "generic_token"),
    ("openai sk-proj-" + HEX40, HEX40, "generic_token"),
    ("bob.smith+shop@mail.example.com", "bob.smith", "email"),
    ("user=bob%40example.com", "bob%40", "email"),
    ("jürgen@exämple.de wrote", "jürgen", "email"),
    ("BOB@EXAMPLE.COM", "BOB@", "email"),
]
PLACES = {
    "message": lambda text: {"message": text},
    "in the middle": lambda text: {"message": f"2026-01-05 10:00:00 INFO [web] {text} (done)"},
    "stacktrace": lambda text: {"stacktrace": f"Traceback (most recent call last):\n  x\nValueError: {text}"},
    "operation": lambda text: {"operation": text},
    "metric name": lambda text: {"metric_name": text},
    "service": lambda text: {"service_name": text},
    "environment": lambda text: {"environment": text},
    "trace id": lambda text: {"trace_id": text},
    "tag": lambda text: {"tags": {"a": "b", "note": text, "z": "y"}},
    "tag's key": lambda text: {"tags": {"a": "b", text: "c", "z": "y"}},
}


def test_there_are_enough() -> None:
    assert len({text for text, _, _ in CANARIES}) >= 60


@pytest.mark.parametrize(
    ("text", "secret", "kind"), CANARIES, ids=[repr(text)[:40] for text, _, _ in CANARIES]
)
def test_canary_is_gone_and_its_kind_is_shown(bench: Any, text: str, secret: str, kind: str) -> None:
    assert secret in text
    (after,) = bench.messages(bench.scrub(), text)
    assert secret not in after
    assert f"[{kind}]" in after
    assert bench.hits[kind] == 1


@pytest.mark.parametrize("place", PLACES)
def test_no_place_of_an_event_keeps_a_canary(bench: Any, place: str) -> None:
    batch = EventBatch.from_events([Event(**PLACES[place](text)) for text, _, _ in CANARIES])
    after, drops = bench.scrub().process(batch)
    assert not drops
    lines = to_json_lines(after).decode().splitlines()
    left = [
        secret
        for (_, secret, _), line in zip(CANARIES, lines, strict=True)
        if json.dumps(secret)[1:-1] in line
    ]
    assert not left


def test_every_canary_as_json_in_a_message(bench: Any) -> None:
    texts = [json.dumps({"level": "info", "msg": text, "n": 1}) for text, _, _ in CANARIES]
    left = [
        secret
        for (_, secret, _), after in zip(CANARIES, bench.messages(bench.scrub(), *texts), strict=True)
        if json.dumps(secret)[1:-1] in after
    ]
    assert not left


def test_a_second_pass_finds_nothing_more(bench: Any) -> None:
    once = bench.messages(bench.scrub(), *(text for text, _, _ in CANARIES))
    assert bench.messages(bench.scrub(), *once) == once
    assert not bench.hits


def test_hints_of_a_detector_are_met_by_all_that_it_finds(bench: Any) -> None:
    """Each detector alone finds what it finds among all."""
    for text, secret, kind in CANARIES:
        (after,) = bench.messages(bench.scrub(detectors=(kind,)), text)
        assert secret not in after, (kind, text)


AROUND = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SECRET = st.text(st.sampled_from("abcdefghjkmnpqrstuvwxyzABCDEFGH23456789"), min_size=12, max_size=30)
FORMS = [
    " password={}",
    ' "password": "{}"',
    " 'api_key': '{}'",
    ' \\"secret\\":\\"{}\\"',
    " token: {} ",
    " Authorization: Bearer {} ",
    " postgres://bob:{}@db/x",
    " AKIAIOSFODNN7EXAMPLE aws_secret_access_key={}",
    " -----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY----- ",
    " {}@example.com ",
]


@settings(max_examples=100, deadline=None)
@given(before=AROUND, after=AROUND, secret=SECRET, form=st.sampled_from(FORMS))
def test_no_surroundings_save_a_secret(bench: Any, before: str, after: str, secret: str, form: str) -> None:
    assume(secret not in before + after)
    text = before + form.format(secret) + " " + after
    (left,) = bench.messages(bench.scrub(), text)
    assert secret not in left


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(AROUND, st.sampled_from([text for text, _, _ in CANARIES]), AROUND), min_size=1, max_size=20
    )
)
def test_whole_batches_are_as_row_by_row(bench: Any, rows: list[tuple[str, str, str]]) -> None:
    texts = ["".join(row) for row in rows]
    scrub = bench.scrub()
    assert bench.messages(scrub, *texts) == [bench.messages(scrub, text)[0] for text in texts]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_any_text_stays_text(bench: Any, texts: list[str]) -> None:
    batch = EventBatch.from_events(
        [Event(message=text, stacktrace=text, tags={text: text, "x": text}) for text in texts]
    )
    after, _ = bench.scrub().process(batch)
    after.columns.validate(full=True)
    assert len(after) == len(batch)
