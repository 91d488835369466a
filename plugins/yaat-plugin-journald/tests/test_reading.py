"""What becomes of entries: from journal files made to order, through both readers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from support.journals import BEGAN, write_journal

from yaat_plugin_journald.checkpoint import KEY


async def test_an_entry_becomes_an_event_of_the_schema(reading: Any, made: Any) -> None:
    write_journal(reading.journals / "a.journal", made(8))
    events = await reading.once()
    assert [event.message for event in events] == [f"message {number}" for number in range(8)]
    assert [event.level for event in events] == ["critical"] * 3 + [
        "error",
        "warning",
        "info",
        "info",
        "debug",
    ]
    assert events[0].timestamp == datetime.fromtimestamp(BEGAN / 1e6, UTC)
    assert events[1].tags == {
        "_SYSTEMD_UNIT": "app1.service",
        "SYSLOG_IDENTIFIER": "app1",
        "_PID": "4321",
        "_HOSTNAME": "web1",
        "_TRANSPORT": "stdout",
    }
    assert all(event.service_name == "" for event in events)


async def test_the_senders_time_is_the_events_where_it_is_one(reading: Any) -> None:
    said = [BEGAN - 5_000_000, "nonsense", 10**19, 0]
    entries = [{"MESSAGE": "x", "_SOURCE_REALTIME_TIMESTAMP": str(value)} for value in said]
    write_journal(reading.journals / "a.journal", entries)
    times = [int(event.timestamp.timestamp() * 1_000_000) for event in await reading.once()]
    assert times == [BEGAN - 5_000_000, BEGAN + 1000, BEGAN + 2000, BEGAN + 3000]


async def test_binary_long_repeated_and_absent_fields(reading: Any) -> None:
    entries = [
        {"MESSAGE": b"a\nb\x1b[31m\xff\x00"},
        {"MESSAGE": "x" * 200_000, "X": "y" * 100_000},
        {"MESSAGE": ["one", "two"], "X": ["1", "2\n3"]},
        {"X": "no message"},
        {"MESSAGE": "", "X": ""},
    ]
    write_journal(reading.journals / "a.journal", entries)
    events = await reading.once(fields=("X",))
    assert [event.message for event in events] == [
        "a\nb\x1b[31m\ufffd\x00",
        "x" * 200_000,
        "one\ntwo",
        None,
        "",
    ]
    assert [event.tags for event in events] == [
        {},
        {"X": "y" * 100_000},
        {"X": '["1", "2\\n3"]'},
        {"X": "no message"},
        {"X": ""},
    ]


async def test_values_are_cut_and_fields_left_out_beyond_the_limits(reading: Any) -> None:
    many = {f"F{number}": "v" for number in range(50)}
    write_journal(reading.journals / "a.journal", [{"MESSAGE": "m" * 2_000_000}, {"MESSAGE": "few"}, many])
    events = await reading.once(fields=("*",), max_fields=20)
    assert len(events[0].message) == 2**20
    assert events[0].tags["log.truncated"] == "true"
    assert "log.truncated" not in events[1].tags
    assert len(events[2].tags) == 21
    assert events[2].tags["journald.fields_left_out"] == "true"
    assert reading.counted("cut_entries_total") == 1
    assert reading.counted("fields_left_out_total") >= 30


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"units": ("app1",)}, [1, 4, 7, 10]),
        ({"units": ("app1", "app2.service")}, [1, 2, 4, 5, 7, 8, 10, 11]),
        ({"units": ("app[01]*",)}, [0, 1, 3, 4, 6, 7, 9, 10]),
        ({"exclude_units": ("app1", "*2.service")}, [0, 3, 6, 9]),
        ({"identifiers": ("app0",)}, [0, 3, 6, 9]),
        ({"exclude_identifiers": ("app[01]",)}, [2, 5, 8, 11]),
        ({"priority": "err"}, [0, 1, 2, 3, 8, 9, 10, 11]),
        ({"priority": "info..warning"}, [4, 5, 6]),
        ({"transports": ("journal",)}, [0, 2, 4, 6, 8, 10]),
        ({"units": ("app1",), "transports": ("journal",), "priority": "0..4"}, [4, 10]),
        ({"matches": ({"_PID": "4321", "PRIORITY": "3"}, {"SYSLOG_IDENTIFIER": "app2"})}, [2, 3, 5, 8, 11]),
        ({"exclude_matches": ({"PRIORITY": "[0-5]", "_HOSTNAME": "web*"},)}, [6, 7]),
        ({"boot": "current"}, []),
        ({"units": ("app0",), "matches": ({"_SYSTEMD_UNIT": "app0.service", "PRIORITY": "1"},)}, [9]),
    ],
)
async def test_what_is_asked_for_comes(
    reading: Any, made: Any, options: dict[str, Any], kept: list[int]
) -> None:
    write_journal(reading.journals / "a.journal", made(12))
    assert await reading.messages(**options) == [f"message {number}" for number in kept]


async def test_what_systemd_says_of_a_unit_comes_with_it(reading: Any) -> None:
    entries = [
        {"MESSAGE": "started", "_PID": "1", "UNIT": "web.service", "_SYSTEMD_UNIT": "init.scope"},
        {"MESSAGE": "forged", "_PID": "99", "UNIT": "web.service", "_SYSTEMD_UNIT": "evil.service"},
        {
            "MESSAGE": "of a user",
            "_SYSTEMD_USER_UNIT": "backup.service",
            "_SYSTEMD_UNIT": "user@1000.service",
        },
    ]
    write_journal(reading.journals / "a.journal", entries)
    assert await reading.messages(units=("web",)) == ["started"]
    reading.stored = {}
    assert await reading.messages(user_units=("backup",)) == ["of a user"]


async def test_it_goes_on_after_the_last_entry(reading: Any, made: Any) -> None:
    write_journal(reading.journals / "a.journal", made(3))
    first = await reading.once()
    assert await reading.once() == []
    write_journal(reading.journals / "a.journal", made(2, 3), first=3)
    second = await reading.once()
    assert [event.message for event in second] == ["message 3", "message 4"]
    reading.stored = {}
    assert len({event.event_id for event in [*first, *second]}) == 5


async def test_filters_may_change_between_two_starts(reading: Any, made: Any) -> None:
    write_journal(reading.journals / "a.journal", made(6))
    assert len(await reading.messages(units=("app0",))) == 2
    write_journal(reading.journals / "a.journal", made(6, 6), first=6)
    assert await reading.messages(units=("app1",)) == ["message 4", "message 7", "message 10"]
    assert reading.source.problems() == []


@pytest.mark.parametrize(
    ("since", "kept"),
    [
        ("beginning", 10),
        (datetime.fromtimestamp(BEGAN / 1e6 + 0.004, UTC).isoformat(), 6),
        ("now", 0),
        ("1h", 0),
        ("100000h", 10),
    ],
)
async def test_since_decides_at_the_first_start_only(reading: Any, made: Any, since: str, kept: int) -> None:
    write_journal(reading.journals / "a.journal", made(10))
    assert len(await reading.messages(since=since)) == kept
    assert await reading.messages() == []


async def test_entries_between_two_starts_are_not_passed_over_by_now(reading: Any) -> None:
    assert await reading.messages(since="now") == []
    later = int(datetime.now(UTC).timestamp() * 1_000_000)
    write_journal(
        reading.journals / "a.journal", [{"__REALTIME_TIMESTAMP": str(later), "MESSAGE": "meanwhile"}]
    )
    assert await reading.messages(since="now") == ["meanwhile"]


async def test_service_names_come_from_units_when_that_is_asked_for(reading: Any, made: Any) -> None:
    write_journal(reading.journals / "a.journal", [*made(2), {"MESSAGE": "without"}])
    assert [event.service_name for event in await reading.once(service_from="unit")] == ["app0", "app1", ""]
    reading.stored = {}
    assert [e.service_name for e in await reading.once(service_from="identifier")] == ["app0", "app1", ""]


async def test_files_by_pattern(reading: Any, made: Any) -> None:
    write_journal(reading.journals / "a.journal", made(2))
    write_journal(reading.journals / "b.journal", made(2, 2), first=2)
    files = (str(reading.journals / "a*.journal"),)
    assert await reading.messages(files=files, journal_directory=None) == ["message 0", "message 1"]


def of_machine(number: int, count: int, first: int = 0) -> list[dict[str, str]]:
    """Entries of one of several machines, each with its own boot, interleaved in time."""
    place = {"_BOOT_ID": str(number) * 32, "_MACHINE_ID": str(number + 4) * 32, "_HOSTNAME": f"web{number}"}
    return [
        {
            "__REALTIME_TIMESTAMP": str(BEGAN + one * 2000 + number * 1000),
            **place,
            "MESSAGE": f"{number} {one}",
        }
        for one in range(first, first + count)
    ]


async def test_journals_of_several_machines_in_one_folder(reading: Any) -> None:
    """As systemd-journal-remote leaves them, files by their host; and as /var/log/journal has them, folders by their machine."""
    folder = reading.journals / ("7" * 32)
    folder.mkdir()
    (reading.journals / ("7" * 32 + ".web")).mkdir()
    write_journal(reading.journals / ("7" * 32 + ".web") / "system.journal", of_machine(9, 2))
    write_journal(reading.journals / "remote-web1.journal", of_machine(1, 3))
    write_journal(reading.journals / "remote-web2.journal", of_machine(2, 3))
    write_journal(folder / "system.journal", of_machine(3, 1))
    events = await reading.once()
    assert [event.message for event in events] == ["1 0", "2 0", "1 1", "3 0", "2 1", "1 2", "2 2"] or [
        event.message for event in events
    ] == ["1 0", "2 0", "3 0", "1 1", "2 1", "1 2", "2 2"]
    assert {event.tags["_HOSTNAME"] for event in events} == {"web1", "web2", "web3"}
    write_journal(reading.journals / "remote-web1.journal", of_machine(1, 2, 3))
    write_journal(reading.journals / "remote-web2.journal", of_machine(2, 2, 3))
    more = await reading.once()
    assert [event.message for event in more] == ["1 3", "2 3", "1 4", "2 4"]
    reading.stored = {}
    assert len({event.event_id for event in [*events, *more]}) == 11
    namespace = str(reading.journals / ("7" * 32 + ".web"))
    assert await reading.messages(journal_directory=namespace) == ["9 0", "9 1"]


async def test_what_the_agent_itself_logs_is_left_out(reading: Any, made: Any) -> None:
    own = {"MESSAGE": "mine", "_PID": str(os.getpid())}
    try:
        with open("/etc/machine-id") as file:
            machine = file.read().strip()
    except OSError:
        pytest.skip("this machine has no /etc/machine-id")
    with open("/proc/sys/kernel/random/boot_id") as file:
        own |= {"_BOOT_ID": file.read().strip().replace("-", ""), "_MACHINE_ID": machine}
    other = {**own, "MESSAGE": "another machine's", "_MACHINE_ID": "2" * 32}
    write_journal(reading.journals / "a.journal", [own, other])
    assert await reading.messages() == ["another machine's"]
    reading.stored = {}
    assert await reading.messages(exclude_self=False) == ["mine", "another machine's"]


async def test_a_position_that_is_garbage_is_told(reading: Any, made: Any) -> None:
    write_journal(reading.journals / "a.journal", made(2))
    for garbage in (b"\xff", b"{}", b'{"v":1,"first_seen_ms":1,"seen_us":0,"cursor":"s=1;rm -rf"}', b"[1]"):
        reading.stored = {KEY: garbage}
        assert len(await reading.messages()) == 2
        assert "position can't be used" in reading.source.problems()[-1].problem
