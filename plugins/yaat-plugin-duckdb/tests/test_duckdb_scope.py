"""Queries with a scope: answered as if no other event existed. The judge is a database in which no other ever did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core import ids
from yaat_core.components import QueryRequest, QueryScope
from yaat_core.errors import QueryRefused, YaatError
from yaat_plugin_duckdb.scope import narrow

#: In every text of every hidden row.
CANARY = "canary"
HOSTILE = "o' OR '1'='1' -- \\ \" ; DROP TABLE yaat_events; /* ü"
SHOP = QueryScope(
    organization_id="acme", services=frozenset(["shop"]), environments=frozenset(["production"])
)
SCOPES = {
    "service": SHOP,
    # `pay` has rows whose message is no number: the queries' casts raise, on rows that may be seen.
    "services": QueryScope(organization_id="acme", services=frozenset(["shop", "pay"])),
    "organization": QueryScope(organization_id="acme"),
    "hostile": QueryScope(organization_id=HOSTILE, services=frozenset([HOSTILE])),
    "nobody": QueryScope(organization_id="nobody"),
}

#: One query a line: what may be asked, and what may not.
QUERIES = (Path(__file__).parent / "scope_queries.sql").read_text(encoding="utf-8")
REFUSED = (Path(__file__).parent / "scope_refused.sql").read_text(encoding="utf-8")


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@attrs.frozen
class Row:
    """What differs between the rows: whose they are, and a text that is a number or is not."""

    organization: str
    service: str
    environment: str
    message: str
    code: int
    duration: float

    def seen_by(self, scope: QueryScope) -> bool:
        return (
            self.organization == scope.organization_id
            and (not scope.services or self.service in scope.services)
            and (not scope.environments or self.environment in scope.environments)
        )


def _rows(file: int) -> list[Row]:
    """Rows of everybody, mixed. Those that nobody here sees hold what no other holds, in texts and at both ends of numbers."""
    rows = []
    for number in range(60):
        rows += [
            Row("acme", "shop", "production", str(100 + number), 200, 1.5),
            Row("other", f"shop-{CANARY}", f"production-{CANARY}", f"{CANARY} {number}", 599, 9e300),
            Row("acme-" + CANARY, "shop", "production", f"{CANARY}'s", 1, -9e300),
            Row("other", "shop", "production", "zzz-" + CANARY, 65_535, 1e200),
        ]
        if number % 6 == 0:
            rows += [
                Row("acme", "shop", "staging", f"staging {file}", 404, 7e5),
                Row("acme", "pay", "production", f"paid {number}", 500, 8e5),
                Row("acme", "vault", "production", "  ", 503, 9e5),
                Row(HOSTILE, HOSTILE, HOSTILE, "7", 201, 2.5),
            ]
    return rows


def _columns(rows: list[Row]) -> dict[str, Any]:
    kinds = ["log", "span", "metric"]
    return {
        "organization_id": [row.organization for row in rows],
        "service_name": [row.service for row in rows],
        "environment": [row.environment for row in rows],
        "event_type": [kinds[row.code % 3] for row in rows],
        "message": [row.message for row in rows],
        "operation": [row.message for row in rows],
        "stacktrace": [row.message for row in rows],
        "trace_id": [row.message[:2] for row in rows],
        "metric_name": [row.message for row in rows],
        "metric_value": [row.duration for row in rows],
        "duration_ms": [row.duration for row in rows],
        "status_code": [row.code for row in rows],
        "tags": [
            [("n", row.message), (f"k-{CANARY}" if CANARY in row.message else "k", row.message)]
            for row in rows
        ],
    }


@attrs.frozen
class World:
    """A database with the rows of everybody, and for each scope its twin: one that never held another row."""

    everything: Any
    twins: dict[str, Any]
    shop: int
    """Rows that `SHOP` sees."""


@pytest.fixture(scope="module", params=[1, 3], ids=["one-file", "files"])
def world(request: Any, make_bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    def filled(scope: QueryScope | None) -> Any:
        return _filled(make_bench, tmp_path_factory.mktemp("scope"), request.param, scope)

    made = World(filled(None), {name: filled(scope) for name, scope in SCOPES.items()}, 60 * request.param)
    yield made
    for bench in (made.everything, *made.twins.values()):
        bench.close()


@pytest.fixture(scope="module")
def everything(world: World) -> Any:
    return world.everything


def _filled(make_bench: Any, folder: Path, files: int, seen_by: QueryScope | None) -> Any:
    """A database of so many files; with ``seen_by`` as if the rows that this scope does not see had never been."""
    bench = make_bench(folder)
    writer = bench.open()
    sequence = 1
    for file in range(files):
        if file:
            writer.holder.store.rotate()  # there is none without rows
        rows = _rows(file)
        numbers = [number for number, row in enumerate(rows) if seen_by is None or row.seen_by(seen_by)]
        kept = [rows[number] for number in numbers]
        if kept:
            identities = ids.positional(
                1_767_225_600_000, b"agent", "sources.app", b"%d" % file, np.asarray(numbers)
            )
            times = [(1_767_225_600 + number) * 1_000_000 for number in numbers]
            given = {"event_id": identities, "timestamp": times, "received_at": times}
            bench.deliver(sequence, len(kept), **_columns(kept), **given)
            sequence += len(kept)
    return bench


def _answer(bench: Any, sql: str, scope: QueryScope) -> tuple[str, list[str]]:
    """What a query tells: its rows in any order, or that it failed and what kind of error it is."""
    try:
        rows = bench.ask(sql, scope=scope)
    except YaatError as error:
        assert CANARY not in error.render() or CANARY in sql, error.render()
        return type(error).__name__, [error.cause]
    told = sorted(map(repr, rows))
    if CANARY not in sql:
        assert not [row for row in told if CANARY in row]
    return "rows", told


@pytest.mark.parametrize(
    "scope",
    [
        "service",
        "services",
        "hostile",
        pytest.param("organization", marks=pytest.mark.faults),
        pytest.param("nobody", marks=pytest.mark.faults),
    ],
)
def test_as_if_no_other_event_existed(world: World, scope: str) -> None:
    for sql in lines(QUERIES):
        assert _answer(world.everything, sql, SCOPES[scope]) == _answer(
            world.twins[scope], sql, SCOPES[scope]
        ), sql


def test_the_queries_are_not_all_errors(world: World) -> None:
    """Else the comparison would mean little."""
    answers = [_answer(world.everything, sql, SHOP)[0] for sql in lines(QUERIES)]
    assert answers.count("rows") > 0.8 * len(answers)
    assert world.everything.ask("SELECT count(*) AS n FROM events", scope=SHOP) == [{"n": world.shop}]


@pytest.mark.parametrize("sql", lines(REFUSED))
def test_what_could_look_past_the_scope_is_refused(everything: Any, sql: str) -> None:
    with pytest.raises(QueryRefused):
        everything.ask(sql, scope=SHOP)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM events WHERE CAST(message AS INTEGER) > 0",
        "SELECT count(*) FROM events WHERE message LIKE 'canary%'",
        "SELECT count(*) FROM events WHERE CAST(message AS INTEGER) > 0 AND status_code > 600",
        "SELECT count(*) FROM events a, events b WHERE a.trace_id = b.trace_id AND CAST(b.message AS INTEGER) > 0",
        "SELECT count(*) FROM events a WHERE message IN (SELECT message FROM logs b WHERE b.trace_id = a.trace_id)",
        "WITH x AS MATERIALIZED (FROM events) SELECT count(*) FROM x JOIN logs USING (event_id) WHERE logs.message > 'c'",
        "SELECT * FROM events WHERE timestamp > '2026-01-01' ORDER BY timestamp DESC LIMIT 10",
        "SELECT service_name, max(status_code) FROM events GROUP BY 1",
    ],
)
def test_plans_do_not_depend_on_hidden_rows(world: World, sql: str) -> None:
    """What a plan leaves out raises no error: it must be the same, and keep its filters above the scope's."""
    plans = []
    for bench in (world.everything, world.twins["services"]):
        with bench.writer.cursor() as cursor:
            narrow(cursor, SCOPES["services"])
            ((_, text),) = cursor.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()
        plan = json.loads(text)
        plans.append([_shape(one) for one in plan])
        for path in _paths(plan):
            scans = [
                place
                for place, one in enumerate(path)
                if "SCAN" in one["name"].upper() and "Table" in str(one)
            ]
            barrier = [place for place, one in enumerate(path) if "LIMIT" in one["name"].upper()]
            for scan in scans:
                assert barrier, f"no barrier above a scan: {[one['name'] for one in path]}"
                below = str([one["extra_info"] for one in path[barrier[-1] : scan + 1]])
                assert not any(word in below for word in ("message", "status_code >", "timestamp >")) or (
                    "Projections" in below and "CAST" not in below
                ), below
    assert plans[0] == plans[1]


def _shape(node: Any) -> Any:
    return [node["name"], [_shape(child) for child in node["children"]]]


def _paths(nodes: list[Any], above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for node in nodes:
        path = (*above, node)
        if node["children"]:
            yield from _paths(node["children"], path)
        else:
            yield path


def test_an_unscoped_query_beside_it_sees_everything(world: World) -> None:
    """The temporary views and the empty default are those of one cursor."""
    everything = world.everything
    total = everything.count()
    answer = everything.writer.answers.ask(
        everything.writer.cursor, QueryRequest(sql="SELECT message FROM events", scope=SHOP)
    )
    assert everything.count() == total > world.shop
    assert sum(piece.num_rows for piece in answer) == world.shop
    answer.close()
    assert everything.ask("SELECT count(*) AS n FROM main.events") == [{"n": total}]


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_sql_can_not_hold_shows_nothing(everything: Any, name: str) -> None:
    for scope in (
        QueryScope(organization_id=name),
        attrs.evolve(SHOP, services=frozenset([name])),
        attrs.evolve(SHOP, environments=frozenset([name, "production"])),
    ):
        with pytest.raises(QueryRefused, match="scope"):
            everything.ask("SELECT * FROM events", scope=scope)


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(
        st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8),
        min_size=1,
        max_size=3,
    )
)
def test_any_name_is_only_a_name(world: World, names: list[str]) -> None:
    everything = world.everything
    known = {"acme", HOSTILE}
    scope = QueryScope(organization_id=names[0], services=frozenset(names[1:]))
    assert names[0] in known or everything.ask("SELECT 1 FROM events", scope=scope) == []
    among = attrs.evolve(SHOP, services=frozenset(["shop", *names]))
    assert everything.ask("SELECT count(*) AS n FROM events", scope=among) == [{"n": world.shop}]


# --- queries of any shape -----------------------------------------------------------------------

_COLUMNS = ["message", "service_name", "organization_id", "operation", "tags['n']", "trace_id", "level"]
_NUMBERS = [
    "status_code",
    "CAST(message AS INTEGER)",
    "length(message)",
    "CAST(tags['n'] AS SMALLINT)",
    "CAST(duration_ms AS INTEGER)",
    "ascii(operation)",
]
_text = st.sampled_from(_COLUMNS)
_number = st.sampled_from(_NUMBERS)
_test = st.one_of(
    st.builds("{} > '{}'".format, _text, st.sampled_from(["", "a", "canary", "z", "1"])),
    st.builds(
        "{} {} {}".format,
        _number,
        st.sampled_from([">", "<", "=", "<>"]),
        st.sampled_from([0, 5, 150, 404, 600]),
    ),
    st.builds("{} LIKE '{}%'".format, _text, st.sampled_from(["c", "s", "1", "z"])),
    st.builds(
        "{} IN (SELECT {} FROM {})".format, _text, _text, st.sampled_from(["events", "logs", "main.spans"])
    ),
    st.builds(
        "EXISTS (SELECT 1 FROM events AS x WHERE x.trace_id = t.trace_id AND x.{} > 'b')".format, _text
    ),
)
_where = st.recursive(
    _test,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
        st.builds("CASE WHEN {} THEN {} ELSE {} END".format, inner, inner, inner),
    ),
    max_leaves=5,
)
_table = st.sampled_from(["events", "logs", "spans", "main.events", "metrics"])
_from = st.one_of(
    st.builds("{} AS t".format, _table),
    st.builds("(SELECT * FROM {} AS t WHERE {}) AS t".format, _table, _where),
    st.builds(
        "(SELECT t.* FROM {} AS t JOIN {} AS u ON t.{} = u.{}) AS t".format, _table, _table, _text, _text
    ),
    st.builds("(SELECT * FROM {} UNION ALL SELECT * FROM {}) AS t".format, _table, _table),
    st.builds("(SELECT * FROM {} AS t ORDER BY event_id LIMIT 20) AS t".format, _table),
)
_what = st.one_of(
    st.just("count(*)"),
    st.builds("min({}), max({}), count(DISTINCT {})".format, _text, _text, _text),
    st.builds("max({})".format, _number),
    st.builds("t.event_id, {}".format, _number),
    st.builds("list({} ORDER BY {}, event_id)".format, _text, _text),
)
_query = st.one_of(
    st.builds("SELECT {} FROM {} WHERE {}".format, _what, _from, _where),
    st.builds(
        "WITH events AS (SELECT * FROM {} WHERE {}) SELECT {} FROM events AS t WHERE {}".format,
        _from,
        _where,
        _what,
        _where,
    ),
    st.builds(
        "WITH c AS MATERIALIZED (SELECT * FROM {}) SELECT {} FROM c AS t WHERE {}".format,
        _from,
        _what,
        _where,
    ),
)


@settings(max_examples=60, deadline=None)
@given(sql=_query, scope=st.sampled_from(sorted(SCOPES)))
def test_queries_of_any_shape(world: World, sql: str, scope: str) -> None:
    assert _answer(world.everything, sql, SCOPES[scope]) == _answer(world.twins[scope], sql, SCOPES[scope])
