from __future__ import annotations

import json
import os
import socket
import stat
import threading
import traceback
from pathlib import Path
from typing import Any

import httpx
import pytest

from yaat_core.actions import ACTIONS
from yaat_core.actions import agent as actions
from yaat_core.actions import queue as queue_actions
from yaat_core.actions.agent import Query
from yaat_core.actions.base import Nothing
from yaat_core.actions.checks import CHECKS, DIAGNOSE, Checks
from yaat_core.actions.queue import QueueList, QueuePurge, QueueShow
from yaat_core.control.client import AnswerCut, Client, NoAnswerInTime
from yaat_core.errors import AgentNotRunning, NotAllowed, QueryFailed, QueryRefused, UsageError
from yaat_core.status import Problem


def http(state_dir: Path, name: str = "control.sock") -> httpx.Client:
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(state_dir / name)), base_url="http://yaat")


@pytest.fixture
def client(serving: Any, state_dir: Path) -> Any:
    with Client(state_dir) as made:
        yield made


def test_status_comes_back_as_its_class(client: Client) -> None:
    status = client.call(actions.STATUS, Nothing())
    assert status.state == "running"
    assert status.accounting.by_sink["local"].queued == 5
    assert status.components[0].id == "sources.app"


def test_stats_have_every_series_and_no_infinity(client: Client) -> None:
    series = {one.name: one for one in client.call(actions.STATS, Nothing()).series}
    assert series["yaat_test_total"].value == 3
    assert series["yaat_test_total"].labels == {"component": "sources.app"}
    bound, count = series["yaat_test_seconds"].buckets[-1]
    assert (bound, count) == (None, 1)


def test_diagnose_judges(client: Client, serving: Any) -> None:
    assert client.call(DIAGNOSE, Checks()).ok
    serving.problems = (Problem(component="sinks.cloud", since="2026-01-01", what="refused", advice="key"),)
    found = client.call(DIAGNOSE, Checks())
    assert not found.ok
    assert found.health.problems[0].what == "refused"
    assert [(check.name, check.level, check.advice) for check in found.checks] == [
        ("sinks.cloud", "error", "key")
    ]
    assert client.call(CHECKS, Checks(reach=False)).checks == found.checks


def test_queue_actions(client: Client, serving: Any) -> None:
    assert client.call(queue_actions.QUEUE_LIST, QueueList()).records[0].last == 5
    assert client.call(queue_actions.QUEUE_LIST, QueueList(after=5)).records == []
    shown = client.call(queue_actions.QUEUE_SHOW, QueueShow(sequence=2, limit=2))
    assert [event["message"] for event in shown.events] == ["m0", "m1"]
    assert shown.checkpoints == {"sources.app": ["gen\\xff"]}
    assert client.call(queue_actions.QUEUE_VERIFY, Nothing()).damage[0].first == 3
    assert client.call(queue_actions.QUEUE_PURGE, QueuePurge(sink="local")).events == 5
    assert serving.waiting == 0


def test_errors_come_back_as_their_class(client: Client) -> None:
    with pytest.raises(UsageError, match=r"no sink `sinks\.nobody`") as caught:
        client.call(queue_actions.QUEUE_PURGE, QueuePurge(sink="nobody"))
    assert caught.value.fix == "known: sinks.local"
    with pytest.raises(UsageError, match="no record with sequence 9"):
        client.call(queue_actions.QUEUE_SHOW, QueueShow(sequence=9))
    with pytest.raises(QueryRefused), client.query(Query(sql="drop")):
        pass


def test_what_changes_reaches_the_agent(client: Client, serving: Any) -> None:
    client.call(actions.ACCEPT_LOSS, Nothing())
    client.call(actions.STOP, Nothing())
    assert serving.loss_accepted
    assert serving.stops == 1


def test_a_query_streams_all_rows_in_one_thread(client: Client, serving: Any) -> None:
    with client.query(Query(sql="numbers 25000")) as answer:
        assert answer.schema.names == ["n", "text"]
        rows = [n for batch in answer for n in batch.column("n").to_pylist()]
    assert rows == list(range(25000))
    assert not answer.truncated
    asked = serving.answers[0]
    assert asked.closed.wait(5)
    assert len(asked.threads) == 1


def test_a_cut_answer_says_so(client: Client) -> None:
    with client.query(Query(sql="numbers 5000", limit=1500)) as answer:
        assert sum(batch.num_rows for batch in answer) == 1500
        assert answer.truncated


def test_a_query_that_fails_in_the_middle_raises(client: Client) -> None:
    with (
        client.query(Query(sql="broken 9000")) as answer,
        pytest.raises(QueryFailed, match="the disk went away"),
    ):
        list(answer)


def test_an_agent_that_dies_in_the_middle_is_no_complete_answer(state_dir: Path) -> None:
    import pyarrow as pa

    from yaat_core.control.client import Answer

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("n", pa.int64())])) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([pa.array([1])], ["n"]))
    whole = bytes(sink.getvalue())
    for body in (whole, whole[:-20]):
        answer = Answer(httpx.Response(200, stream=httpx.ByteStream(body)))
        with pytest.raises(AnswerCut):
            list(answer)


def test_leaving_early_closes_the_query(client: Client, serving: Any) -> None:
    with client.query(Query(sql="numbers 9000000", limit=9_000_000)) as answer:
        next(iter(answer))
    asked = serving.answers[0]
    assert asked.closed.wait(10)
    assert asked.given < 9_000_000


def test_ndjson_has_columns_rows_and_an_end(serving: Any, state_dir: Path) -> None:
    with http(state_dir, "read.sock") as one:
        lines = one.post("/v1/query", json={"sql": "numbers 2500"}).text.splitlines()
        failed = one.post("/v1/query", json={"sql": "broken 9000"}).text.splitlines()
    documents = [json.loads(line) for line in lines]
    assert documents[0] == {"columns": [{"name": "n", "type": "int64"}, {"name": "text", "type": "string"}]}
    assert [row[0] for document in documents[1:-1] for row in document["rows"]] == list(range(2500))
    assert documents[-1] == {"end": {"rows": 2500, "truncated": False}}
    assert json.loads(failed[-1])["error"]["code"] == "YAAT-E602"


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/v1/queue/list", b"{", "no JSON"),
        ("/v1/queue/list", b"[]", "Expected `object`"),
        ("/v1/queue/list", b'{"limit": "5"}', "Expected `int`, got `str` - at `$.limit`"),
        ("/v1/queue/list", b'{"limit": 0}', ">= 1"),
        ("/v1/queue/list", b'{"limt": 1}', "unknown argument 'limt'"),
        ("/v1/queue/show", b"{}", "sequence"),
        ("/v1/query", b'{"sql": ""}', "$.sql"),
        ("/v1/status", b'{"x": 1}', "unknown argument 'x'"),
        ("/v1/query", b'{"sql": "' + b"x" * (4 << 20) + b'"}', "larger than"),
    ],
)
def test_a_wrong_body_is_a_clear_400(
    serving: Any, state_dir: Path, path: str, body: bytes, says: str
) -> None:
    with http(state_dir) as one:
        answer = one.post(path, content=body)
    assert answer.status_code == 400
    assert says in answer.json()["what"]
    assert answer.json()["where"] == f"POST {path}"
    assert answer.json()["fix"]


def test_an_unforeseen_error_has_an_id_and_no_traceback(
    serving: Any, state_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with http(state_dir) as one:
        answer = one.post("/v1/query", json={"sql": "crash"})
    assert answer.status_code == 500
    assert answer.json()["code"] == "YAAT-E000"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    number = answer.json()["what"].rpartition(" ")[2]
    assert number in caplog.text
    assert "a secret inside" in caplog.text


def test_the_read_socket_serves_only_what_reads(serving: Any, state_dir: Path) -> None:
    with http(state_dir, "read.sock") as reader, http(state_dir) as controller:
        for action in ACTIONS.values():
            allowed = reader.post(action.path, content=b"{")
            assert (allowed.status_code == 404) == (action.danger != "read"), action.name
            assert controller.post(action.path, content=b"{").status_code == 400, action.name
        assert reader.get("/v1/queue/list", params={"limit": "1"}).json()["records"][0]["first"] == 1
        assert controller.get("/v1/stop").status_code == 405
    assert serving.stops == 0


def test_every_action_is_in_the_openapi_document(serving: Any, state_dir: Path) -> None:
    with http(state_dir) as one:
        document = one.get("/v1/openapi.json").json()
    assert set(document["paths"]) == {action.path for action in ACTIONS.values()}
    for action in ACTIONS.values():
        post = document["paths"][action.path]["post"]
        assert post["summary"] == action.summary
        name = post["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert set(document["components"]["schemas"][name]["properties"]) == {
            field.name for field in action.arguments.__attrs_attrs__
        }
    references = set(_references(document))
    assert references <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def _references(node: Any) -> Any:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from _references(one)


def test_modes_and_removal(serving: Any, state_dir: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in state_dir.glob("*.sock")}
    assert modes == {"control.sock": 0o600, "read.sock": 0o660}
    assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700


def test_nobody_there(state_dir: Path) -> None:
    with Client(state_dir) as client, pytest.raises(AgentNotRunning) as missing:
        client.call(actions.STATUS, Nothing())
    assert missing.value.exit_code == 3
    state_dir.mkdir()
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(state_dir / "read.sock"))
    left.close()  # a socket file that nobody listens on
    with Client(state_dir) as client, pytest.raises(AgentNotRunning):
        client.call(actions.STATUS, Nothing())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_refused(serving: Any, state_dir: Path) -> None:
    """The sockets' modes are asked: a child gives its rights away and calls."""
    for folder in (state_dir.parent, state_dir):
        folder.chmod(0o755)
    with Client(state_dir) as client:
        client.call(actions.STATUS, Nothing())  # what is imported late is imported now
    child = os.fork()
    if child == 0:
        os._exit(_as_nobody(state_dir))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 4


def _as_nobody(state_dir: Path) -> int:
    try:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with Client(state_dir) as client:
            client.call(actions.STATUS, Nothing())
    except NotAllowed as error:
        return error.exit_code
    except BaseException:  # noqa: BLE001 - a forked child must not go on with the tests
        traceback.print_exc()
    return 99


def test_an_agent_that_is_killed_in_the_middle(state_dir: Path) -> None:
    """A chunked answer that breaks off: with the connection closed, and within a chunk."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("n", pa.int64())])) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([pa.array(range(100))], ["n"]))
    body = bytes(sink.getvalue())[:-8]
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    state_dir.mkdir()
    for chunk in (b"%x\r\n%s\r\n" % (len(body), body), b"%x\r\n%s" % (len(body), body[:-50])):
        (state_dir / "read.sock").unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(state_dir / "read.sock"))
            listener.listen()
            thread = threading.Thread(target=_answer_once, args=(listener, head + chunk))
            thread.start()
            with (
                Client(state_dir) as client,
                pytest.raises(AnswerCut),
                client.query(Query(sql="x")) as answer,
            ):
                list(answer)
            thread.join(5)


def _answer_once(listener: socket.socket, data: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(100_000)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)


def test_an_agent_that_does_not_answer_is_a_timeout(state_dir: Path) -> None:
    state_dir.mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(state_dir / "read.sock"))
        listener.listen()
        with Client(state_dir, patience=0.2) as client, pytest.raises(NoAnswerInTime) as caught:
            client.call(actions.STATUS, Nothing())
    assert caught.value.exit_code == 124
