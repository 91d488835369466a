"""Who the agent is: the unit that systemd made it the main process of, else only its process."""

from __future__ import annotations

import pytest

from yaat_plugin_journald.own import Own, _unit


@pytest.mark.parametrize(
    ("cgroup", "unit", "user"),
    [
        ("0::/system.slice/yaat.service\n", "yaat.service", False),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/yaat.service\n", "yaat.service", True),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", "", False),
        ("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", "", False),
        ("12:cpu:/other.service\n1:name=systemd:/system.slice/yaat.service\n", "yaat.service", False),
        ("0::/\n", "", False),
        ("nonsense", "", False),
    ],
)
def test_the_unit_is_found_in_the_control_group(cgroup: str, unit: str, user: bool) -> None:
    assert _unit(cgroup) == (unit, user)


def test_only_entries_of_this_machine_are_its_own() -> None:
    own = Own(machine="a" * 32, boot="b" * 32, pid=7, unit="yaat.service")
    assert own.maps() == (
        {"_MACHINE_ID": "a" * 32, "_BOOT_ID": "b" * 32, "_PID": "7"},
        {"_MACHINE_ID": "a" * 32, "_SYSTEMD_UNIT": "yaat.service"},
    )
    assert Own(machine="", boot="b" * 32, pid=7).maps() == ()


def test_a_process_that_systemd_did_not_start_does_not_speak_for_its_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SYSTEMD_EXEC_PID", "1")
    assert Own.found().unit == ""
