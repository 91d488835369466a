"""Personal data, and what only looks like it; words that chance made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_plugin_scrub import iban
from yaat_plugin_scrub.cards import luhn
from yaat_plugin_scrub.detectors import BY_NAME, SETS
from yaat_plugin_scrub.entropy import is_random

#: detector, text, the text afterwards
FOUND = [
    ("ipv4", "from 192.168.1.77 port 22", "from [ipv4] port 22"),
    ("ipv4", "10.0.0.1,10.0.0.2;10.0.0.3:80", "[ipv4],[ipv4];[ipv4]:80"),
    ("ipv4", "http://10.0.0.1/x?ip=10.0.0.2&a", "http://[ipv4]/x?ip=[ipv4]&a"),
    ("ipv4", '{"m":"a\\n10.0.0.1"}', '{"m":"a\\n[ipv4]"}'),
    ("ipv4", "\x1b[31m8.8.8.8\x1b[0m.", "\x1b[31m[ipv4]\x1b[0m."),
    ("ipv6", "from 2001:db8::1.", "from [ipv6]."),
    ("ipv6", "[2001:db8::1]:443 fe80::1%eth0", "[[ipv6]]:443 [ipv6]%eth0"),
    ("ipv6", "2001:db8:0:0:0:0:0:1 FE80::A1B2", "[ipv6] [ipv6]"),
    ("ipv6", "::ffff:192.0.2.1", "[ipv6]"),
    ("iban", "to DE89 3704 0044 0532 0130 00 EUR 12", "to [iban] EUR 12"),
    ("iban", "GB82WEST12345698765432, NO9386011117947", "[iban], [iban]"),
    ("iban", "AB12 DE89 3704 0044 0532 0130 00", "AB12 [iban]"),
    ("us_ssn", "ssn 123-45-6789.", "ssn [us_ssn]."),
    ("us_ssn", '{"ssn":"123456789"}', '{"ssn":"[us_ssn]"}'),
    ("us_ssn", "Social Security number: 123 45 6789", "Social Security number: [us_ssn]"),
    ("phone", "call +49 30 12345678 now", "call [phone] now"),
    ("phone", "+14155552671 and (212) 555-1234", "[phone] and [phone]"),
    ("phone", "1-212-555-1234, 212.555.1234", "[phone], [phone]"),
    ("phone", '{"phone":"030 1234567","x":1}', '{"phone":"[phone]","x":1}'),
    ("credit_card", "4111 1111 1111 1111 and 4111111111111111", "[credit_card] and [credit_card]"),
    ("credit_card", "6212 3456 7890 0000 003", "[credit_card]"),
    ("email", "a.b+c@mail.example.com", "[email]"),
    ("high_entropy", "key 4fD1xRkZ8mQ2pL7vT9wY3bN6.", "key [high_entropy]."),
    ("high_entropy", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "[high_entropy]"),
]
#: detector, and a text that it leaves alone
LEFT = [
    ("ipv4", "127.0.0.1 0.0.0.0 0.0.0.6 256.1.1.1 1.2.3 1.2.3.4.5 1.3.6.1.4.1.311.20"),
    ("ipv4", "Chrome/120.0.0.0 Safari/537.36 version 1.2.3.4, v1.2.3.4"),
    ("ipv6", "::1 :: std::fs a::b face::cafe 10:00:00 00:11:22:33:44:55 2026-01-05T10:00:00"),
    ("iban", "DE89370400440532013001 DE88370400440532013000 XX89370400440532013000 DE893704004405320130001"),
    (
        "us_ssn",
        "000-12-3456 666-12-3456 912-34-5678 123-00-6789 123-45-0000 123-45-6789-0 123456789 1123-45-6789",
    ),
    ("phone", "+0000 2026-01-05T10:00:00+0100 1736071200123 200-300-4000-5 192.168.100.1234 +12 345"),
    ("credit_card", "4111111111111112 4222222222222 1736071200123 4111111111111111111 x4111111111111111"),
    ("high_entropy", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("high_entropy", "550e8400-e29b-41d4-a716-446655440000 4fD1xRkZ8mQ2pL7vT9w"),
    ("high_entropy", "com.example.AbstractTransactionalJUnit4SpringContextTests"),
    ("high_entropy", "/usr/lib/python3.11/site-packages/numpy/core/Multiarray_umath"),
]


@pytest.mark.parametrize(("detector", "text", "after"), FOUND, ids=[f"{row[0]}-{row[1]}" for row in FOUND])
def test_found(bench: Any, detector: str, text: str, after: str) -> None:
    assert bench.messages(bench.scrub(detectors=(detector,)), text) == [after]
    assert bench.hits == {detector: 1}


@pytest.mark.parametrize(("detector", "text"), LEFT, ids=[f"{row[0]}-{row[1]}" for row in LEFT])
def test_left_alone(bench: Any, detector: str, text: str) -> None:
    assert bench.messages(bench.scrub(detectors=(detector,)), text) == [text]


def test_sets_hold_what_their_names_say(bench: Any) -> None:
    assert SETS["all"] == set(BY_NAME) == SETS["secrets"] | SETS["pii"] | {"high_entropy"}
    assert SETS["secrets"] & SETS["pii"] == {"credit_card"}
    for detector, text, after in FOUND:
        name = "pii" if detector in SETS["pii"] else "all"
        assert bench.messages(bench.scrub(detectors=(name,)), text) == [after]


def test_tags_named_after_a_number_are_replaced_whole(bench: Any) -> None:
    tags = {"user.ssn": "123456789", "contact.phone": "12 34", "phones": "12 34", "fax_number": "1"}
    event = bench.one(bench.scrub(detectors=("pii",)), tags=tags)
    assert event.tags == {
        "user.ssn": "[us_ssn]",
        "contact.phone": "[phone]",
        "phones": "12 34",
        "fax_number": "[phone]",
    }


def test_names_of_tags_and_of_services_are_looked_at(bench: Any) -> None:
    event = bench.one(
        bench.scrub(detectors=("pii",)),
        service_name="db-10.0.0.1",
        metric_name="rtt.to_a@b.io",
        tags={"peer 2001:db8::1": "x"},
    )
    assert (event.service_name, event.metric_name) == ("db-[ipv4]", "[email]")
    assert event.tags == {"peer [ipv6]": "x"}


DIGITS = st.text(st.sampled_from("0123456789"), min_size=18, max_size=18)


@settings(max_examples=40, deadline=None)
@given(DIGITS, st.booleans(), st.text(st.sampled_from(" ,;:\"'=()"), min_size=1, max_size=3))
def test_every_valid_account_number_is_found(bench: Any, digits: str, blocks: bool, around: str) -> None:
    check = next(c for c in range(2, 99) if iban.valid(f"DE{c:02}{digits}".encode()))
    number = f"DE{check:02}{digits}"
    written = " ".join(number[start : start + 4] for start in range(0, 22, 4)) if blocks else number
    (after,) = bench.messages(bench.scrub(detectors=("iban",)), f"x{around}{written}{around}y")
    assert after == f"x{around}[iban]{around}y"
    wrong = f"DE{(check + 1) % 97:02}{digits}"
    assert bench.messages(bench.scrub(detectors=("iban",)), wrong) == [wrong]


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("0123456789"), min_size=14, max_size=14))
def test_every_valid_card_number_is_found_and_no_other(bench: Any, digits: str) -> None:
    numbers = [f"4{digits}{check}" for check in range(10)]
    after = bench.messages(bench.scrub(detectors=("credit_card",)), *numbers)
    assert [text == "[credit_card]" for text in after] == [luhn(number.encode()) for number in numbers]
    assert after.count("[credit_card]") == 1


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=24, max_size=48))
def test_hexadecimal_is_never_taken_for_chance(data: bytes) -> None:
    assert not is_random(data.hex().encode())
    assert not is_random(data.hex().upper().encode())
