"""Organizations, keys, quotas, usage in a real database: SQLite and PostgreSQL."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yaat_core.components import QueryScope
from yaat_core.errors import NotAllowed, StoreDamaged, StoreUnavailable, UsageError
from yaat_plugin_gateway.access import token
from yaat_plugin_gateway.state.keys import UnknownKey
from yaat_plugin_gateway.state.location import located, shown
from yaat_plugin_gateway.state.records import Organization, Quota, Rates, Used, Wanted
from yaat_plugin_gateway.state.store import State, open_state
from yaat_plugin_gateway.state.usage import Gathered

MakeState = Callable[[], State]
NOW = 1_764_547_200_000_000
HOUR = 3_600_000_000

SHOP = Wanted(
    name="the shop's agents",
    rights=frozenset({"ingest"}),
    services=frozenset({"shop", "ünïcode"}),
    environments=frozenset({"production"}),
    expires_us=NOW + 100 * HOUR,
    rotate_us=NOW + 50 * HOUR,
    rates=Rates(events_per_second=1_000),
)


def test_a_fresh_state_has_an_organization_and_no_key(open_again: MakeState) -> None:
    first = open_again()
    assert first.fresh
    assert [one.id for one in first.organizations.all()] == ["default"]
    assert first.keys.all() == []
    assert not open_again().fresh


def test_a_key_is_kept_as_it_was_made(open_again: MakeState) -> None:
    key, fresh = open_again().keys.create("default", SHOP, NOW)
    assert open_again().keys.one("default", key.id) == key
    assert key.hash == token.digest(fresh.token)
    assert key.wanted == SHOP
    assert key.standing(NOW) == "active"
    assert key.caller().scope == QueryScope(
        organization_id="default", services=SHOP.services, environments=SHOP.environments
    )


def test_the_key_itself_is_nowhere_in_the_database(state: State, where: str, request: Any) -> None:
    _, fresh = state.keys.create("default", SHOP, NOW)
    state.close()
    secret = fresh.token.rpartition("_")[2]
    if "://" in where:
        database = where.partition("@/")[2].partition("?")[0]
        rows = request.getfixturevalue("postgres").sql("SELECT * FROM api_keys", database)
        assert fresh.id in rows
        assert secret not in rows
        return
    files = [path.read_bytes() for path in Path(where).parent.iterdir() if path.is_file()]
    assert any(fresh.id.encode() in data for data in files)
    assert not [data for data in files if secret.encode() in data]


def test_rotation_overlaps(state: State) -> None:
    old, _ = state.keys.create("default", SHOP, NOW)
    new, fresh = state.keys.rotate("default", old.id, SHOP, NOW + HOUR, NOW)
    assert new.id == fresh.id != old.id
    after = state.keys.one(None, old.id)
    assert after.replaced_by == new.id
    assert after.standing(NOW) == "replaced"
    assert after.standing(NOW + HOUR) == "expired"
    assert state.keys.one(None, new.id).standing(NOW + HOUR) == "active"
    with pytest.raises(UsageError, match=f"replaced to {new.prefix}"):
        state.keys.rotate("default", old.id, SHOP, NOW + HOUR, NOW)


def test_rotation_never_makes_the_old_key_last_longer(state: State) -> None:
    old, _ = state.keys.create("default", SHOP, NOW)
    state.keys.rotate("default", old.id, SHOP, NOW + 1_000 * HOUR, NOW)
    assert state.keys.one(None, old.id).wanted.expires_us == SHOP.expires_us


def test_revoked_is_for_good(state: State) -> None:
    key, _ = state.keys.create("default", SHOP, NOW)
    assert state.keys.revoke("default", key.id, NOW).standing(NOW) == "revoked"
    assert state.keys.revoke("default", key.id, NOW + HOUR).revoked_us == NOW
    with pytest.raises(UsageError, match="revoked"):
        state.keys.rotate("default", key.id, SHOP, NOW + HOUR, NOW)


def test_another_organizations_key_is_unknown(state: State) -> None:
    state.organizations.create(Organization(id="acme", name="Acme", created_us=NOW))
    key, _ = state.keys.create("acme", SHOP, NOW)
    for act in (
        lambda: state.keys.one("default", key.id),
        lambda: state.keys.revoke("default", key.id, NOW),
        lambda: state.keys.rotate("default", key.id, SHOP, NOW, NOW),
    ):
        with pytest.raises(UnknownKey):
            act()
    assert state.keys.all("default") == []
    assert state.keys.one("acme", key.id).standing(NOW) == "active"


def test_what_is_not_there_is_told(state: State) -> None:
    for act in (
        lambda: state.keys.create("nobody", SHOP, NOW),
        lambda: state.organizations.one("nobody"),
        lambda: state.usage.set_quota("nobody", Quota(event_type="log", period="day", events=1)),
    ):
        with pytest.raises(UsageError, match="no organization 'nobody'"):
            act()
    with pytest.raises(UsageError, match="already"):
        state.organizations.create(Organization(id="default", name="x", created_us=NOW))


def test_keys_that_should_be_rotated(state: State) -> None:
    due, _ = state.keys.create("default", SHOP, NOW)
    revoked, _ = state.keys.create("default", SHOP, NOW)
    state.keys.revoke(None, revoked.id, NOW)
    assert state.keys.due(NOW) == []
    assert [key.id for key in state.keys.due(NOW + 51 * HOUR)] == [due.id]
    assert state.keys.due(NOW + 200 * HOUR) == [], "an expired key needs no rotation"


def test_changes_are_seen_by_another_process(open_again: MakeState) -> None:
    here, there = open_again(), open_again()
    before = here.keys.changes(None).revision
    key, _ = there.keys.create("default", SHOP, NOW)
    there.keys.revoke(None, key.id, NOW)
    changes = here.keys.changes(before)
    assert [one.standing(NOW) for one in changes.keys] == ["revoked"]
    assert here.keys.changes(changes.revision).keys == ()
    there.usage.set_quota("default", Quota(event_type="log", period="day", events=1))
    assert here.keys.changes(changes.revision).revision > changes.revision


def test_quotas(state: State) -> None:
    assert state.usage.quotas("default") == []
    quota = Quota(event_type="span", period="month", events=10**12, bytes=5)
    state.usage.set_quota("default", Quota(event_type="span", period="month", events=1))
    state.usage.set_quota("default", quota)
    assert state.usage.quotas("default") == [quota]
    state.usage.set_quota("default", Quota(event_type="span", period="month"))
    assert state.usage.quotas("default") == []


def test_usage_adds_up_by_day_key_and_type(state: State) -> None:
    def used(day: str, key: str, events: int) -> Used:
        return Used(
            organization_id="default", key_id=key, day=day, event_type="log", events=events, bytes=events * 10
        )

    for _ in range(3):
        state.usage.write(Gathered(used=[used("2026-12-01", "b", 2), used("2026-12-01", "a", 1)]))
    state.usage.write(Gathered(used=[used("2026-11-30", "a", 50)]))
    assert state.usage.between("default", "2026-12-01", "2026-12-31") == [
        used("2026-12-01", "a", 3),
        used("2026-12-01", "b", 6),
    ]
    assert state.usage.totals("default", "2026-12") == {("2026-12-01", "log"): (9, 90)}
    assert state.usage.totals("default", "2026-11") == {("2026-11-30", "log"): (50, 500)}


def test_services_and_last_use(state: State) -> None:
    key, _ = state.keys.create("default", SHOP, NOW)
    state.usage.write(
        Gathered(
            last_used_us={key.id: NOW + 5},
            seen_us={("default", "shop", "production"): NOW, ("default", "web", "test"): NOW},
        )
    )
    state.usage.write(Gathered(seen_us={("default", "shop", "production"): NOW + HOUR}))
    assert state.keys.one(None, key.id).last_used_us == NOW + 5
    everything = state.organizations.services(QueryScope(organization_id="default"))
    assert [(one.service_name, one.first_seen_us, one.last_seen_us) for one in everything] == [
        ("shop", NOW, NOW + HOUR),
        ("web", NOW, NOW),
    ]
    scope = QueryScope(organization_id="default", services=frozenset({"web"}))
    assert [one.service_name for one in state.organizations.services(scope)] == ["web"]
    assert not state.organizations.services(QueryScope(organization_id="acme"))


def test_many_threads_write_at_once(open_again: MakeState) -> None:
    states = [open_again() for _ in range(4)]
    failed: list[BaseException] = []

    def work(state: State, number: int) -> None:
        try:
            for _ in range(10):
                used = Used(
                    organization_id="default",
                    key_id="k",
                    day="2026-12-01",
                    event_type="log",
                    events=1,
                    bytes=1,
                )
                state.usage.write(Gathered(used=[used]))
                state.keys.create("default", SHOP, NOW + number)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(state, number)) for number, state in enumerate(states)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failed
    assert states[0].usage.totals("default", "2026-12") == {("2026-12-01", "log"): (40, 40)}
    revisions = states[0].keys.changes(None).revision
    assert revisions == 40 == len(states[0].keys.all())


def test_processes_that_open_a_fresh_state_at_once(where: str, open_again: MakeState) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from yaat_plugin_gateway.state.location import located\n"
        "from yaat_plugin_gateway.state.store import open_state\n"
        "print(open_state(located(sys.argv[1], Path()), 1).fresh)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, where], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [one.communicate(timeout=60)[0].strip() for one in running]
    assert [one.returncode for one in running] == [0, 0, 0]
    assert sorted(said) == ["False", "False", "True"]
    assert len(open_again().organizations.all()) == 1


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    state = open_state(located("new/gateway.sqlite", tmp_path), NOW)
    state.keys.create("default", SHOP, NOW)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    state.close()
    assert "gateway.sqlite" in modes
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_symbolic_link_is_not_followed_into_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "gateway.sqlite").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable):
        open_state(located("gateway.sqlite", tmp_path), NOW)
    assert not (tmp_path / "elsewhere").exists()


def test_another_user_may_not_open_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_state(located("mine/gateway.db", tmp_path), NOW).close()
    mine = os.geteuid() == 0
    (tmp_path / "mine").chmod(0o755)
    (tmp_path / "mine" / "gateway.db").chmod(0o600 if mine else 0)
    if mine:
        os.seteuid(65534)
    try:
        for name in ("mine/gateway.db", "mine/another.db") if mine else ("mine/gateway.db",):
            with pytest.raises(NotAllowed, match="can't be opened: Permission denied"):
                open_state(located(name, tmp_path), NOW)
    finally:
        if mine:
            os.seteuid(0)


def test_what_is_no_database_is_told_and_left(tmp_path: Path) -> None:
    (tmp_path / "gateway.sqlite").write_text("this is my diary\n" * 100)
    with pytest.raises(StoreDamaged, match="not a database"):
        open_state(located("gateway.sqlite", tmp_path), NOW)
    assert (tmp_path / "gateway.sqlite").read_text() == "this is my diary\n" * 100


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("gateway.sqlite", "/var/lib/x/gateway.sqlite"),
        ("/elsewhere/g.sqlite", "/elsewhere/g.sqlite"),
        ("sqlite:///g.sqlite", "/var/lib/x/g.sqlite"),
        ("sqlite:////elsewhere/g.sqlite", "/elsewhere/g.sqlite"),
        ("postgres://bob:hunter2@db:5433/yaat", "postgresql+psycopg://bob:***@db:5433/yaat"),
        ("postgresql+psycopg://bob:hunter2@db/yaat", "postgresql+psycopg://bob:***@db/yaat"),
    ],
)
def test_where_it_may_be(text: str, name: str) -> None:
    assert shown(located(text, Path("/var/lib/x"))) == name


@pytest.mark.parametrize(
    "text", ["mysql://bob:hunter2@db/x", "://hunter2", "sqlite://", "sqlite:///:memory:"]
)
def test_where_it_may_not_be(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        located(text, Path("/var/lib/x"))
    assert "hunter2" not in refused.value.render()


def test_nobody_listens(tmp_path: Path) -> None:
    url = located(f"postgresql://bob:hunter2@/x?host={tmp_path}", tmp_path)
    with pytest.raises(StoreUnavailable) as refused:
        open_state(url, NOW)
    assert "hunter2" not in refused.value.render()
