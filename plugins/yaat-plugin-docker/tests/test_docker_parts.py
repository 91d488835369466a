"""Frames, times, cursors, labels, addresses: whatever comes, in whatever pieces."""

from __future__ import annotations

import errno
import json
import os
import random
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core.testing import RecordingOutlet, make_context
from yaat_kit.choosing import Choice
from yaat_kit.multiline import SingleLines
from yaat_plugin_docker import address, adlogs, times
from yaat_plugin_docker.container import Container, Selection, from_inspection, split_image
from yaat_plugin_docker.cursor import Checkpoint, Cursor, Skip, key_of
from yaat_plugin_docker.desk import FORGET, Desk, Tally
from yaat_plugin_docker.frames import Frames, NotFrames, Unpacker
from yaat_plugin_docker.labels import wishes
from yaat_plugin_docker.own import own_ids
from yaat_plugin_docker.source import DockerSource
from yaat_plugin_docker.stream import LogStream

# --- times ---


@given(st.integers(0, 4_000_000_000 * 10**9))
def test_times_of_both_lengths(moment: int) -> None:
    seconds, rest = divmod(moment, 10**9)
    short = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    long = f"{short[:-1]}.{rest:09}Z"
    assert times.parse(long) == moment
    assert times.parse(short) == seconds * 10**9
    for text, wanted in ((long, moment), (short, seconds * 10**9)):
        letters = np.frombuffer((text * 3).encode(), np.uint8).reshape(3, -1)
        assert times.parse_columns(letters).tolist() == [wanted] * 3


@given(st.integers(0, 4_000_000_000), st.integers(-12 * 60, 14 * 60))
def test_times_of_other_zones(seconds: int, minutes: int) -> None:
    zone = timezone(timedelta(minutes=minutes))
    assert times.parse(datetime.fromtimestamp(seconds, zone).isoformat()) == seconds * 10**9


@pytest.mark.parametrize(
    "text", ["", "yesterday", "0001-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01"]
)
def test_what_is_no_time(text: str) -> None:
    assert times.parse(text) is None


# --- frames ---

Message = tuple[int, int, bytes, bool]
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.integers(10**9, 2 * 10**18),
        st.binary(max_size=40).map(lambda text: text.replace(b"\n", b" ").replace(b"\r", b" ")),
        st.booleans(),
    ),
    max_size=20,
)


def _written(moment: int, *, short: bool) -> bytes:
    seconds, rest = divmod(moment, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return (text if short else f"{text}.{rest:09}").encode() + b"Z "


def _framed(messages: list[Message], *, short: bool = False) -> bytes:
    payloads = [
        (stream, _written(moment, short=short) + text + (b"\n" if whole else b""))
        for stream, moment, text, whole in messages
    ]
    return b"".join(struct.pack(">BxxxI", stream, len(payload)) + payload for stream, payload in payloads)


def _rows(frames: Frames) -> list[Message]:
    columns = (frames.stream.tolist(), frames.time.tolist(), frames.text.to_pylist(), frames.whole.tolist())
    return list(zip(*columns, strict=True))


@given(MESSAGES, st.integers(1, 60))
@settings(max_examples=60)
def test_frames_in_any_pieces(messages: list[Message], size: int) -> None:
    data, unpacker, found = _framed(messages), Unpacker(terminal=False), []
    for start in range(0, len(data), size):
        found += _rows(unpacker.feed(data[start : start + size]))
    assert found == messages


def test_times_of_whole_seconds_and_of_other_widths_together() -> None:
    messages: list[Message] = [(1, 5 * 10**9, b"a", True), (2, 6 * 10**9, b"b", True)]
    data = _framed(messages[:1], short=True) + _framed(messages[1:])
    assert _rows(Unpacker(terminal=False).feed(data)) == messages


@pytest.mark.parametrize(
    "data",
    [
        b"\x07\x00\x00\x00\x00\x00\x00\x05hello",
        b"\x01\x00\x00\x00\xff\xff\xff\xff",
        b"\x01\x00\x00\x00\x00\x00\x00\x06hello\n",
    ],
)
def test_what_is_no_log(data: bytes) -> None:
    with pytest.raises(NotFrames):
        Unpacker(terminal=False).feed(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_log_or_refused(data: bytes) -> None:
    for terminal in (False, True):
        unpacker = Unpacker(terminal=terminal)
        try:
            unpacker.feed(data)
            unpacker.finish()
        except NotFrames:
            pass


@pytest.mark.parametrize("division", [16_384, 8_192, 4_095])
def test_a_divided_line_of_a_terminal_is_whole(division: int) -> None:
    time, text = _written(10**9, short=False), b"x" * (2 * division + 100)
    pieces = [text[start : start + division] for start in range(0, len(text), division)]
    data = time + time.join(pieces) + b"\r\n"
    [row] = _rows(Unpacker(terminal=True).feed(data))
    assert row == (1, 10**9, text, True)


# --- cursors: lines that share a time ---


def _frames(rows: list[tuple[int, bool]]) -> Frames:
    return Frames(
        np.ones(len(rows), np.uint8),
        np.array([moment for moment, _ in rows], np.int64),
        pa.array([str(number).encode() for number in range(len(rows))], pa.binary()),
        np.array([whole for _, whole in rows], bool),
    )


def _since(frames: Frames, since: int) -> Frames:
    return frames.take(np.flatnonzero(frames.time >= since))


@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=40),
    st.lists(st.integers(0, 40), max_size=6),
)
@settings(max_examples=150)
def test_restarts_anywhere_lose_and_repeat_nothing(steps: list[tuple[int, bool]], cuts: list[int]) -> None:
    """The log grows in time or stands; lines are divided; a restart goes on from the checkpoint alone."""
    moments = np.cumsum([step for step, _ in steps]) + 1
    whole = [whole for _, whole in steps[:-1]] + [True]
    log = _frames(list(zip(moments.tolist(), whole, strict=True)))
    wanted, line = [], ""
    for number, ends in enumerate(whole):
        line += str(number)
        if ends:
            wanted.append(line)
            line = ""
    stored, got = Checkpoint(created=1, time=0, count=0, ordinal=0), []
    for cut in [*cuts, len(log)]:
        stream = LogStream(SingleLines(), stored.cursor, 1 << 20)
        since = min(stored.time, stored.since or stored.time)
        stream.begin(since)
        _, pieces = stream.feed(_since(log.take(np.arange(min(cut, len(log)))), since))
        for piece in pieces:
            got += piece.joined.message.to_pylist()
            stream.deliver(piece)
        # What is stored comes back as it was stored.
        if stream.delivered.ordinal > stored.ordinal:
            stored = Checkpoint.decode(stream.checkpoint(1).encode())
    assert got == wanted


def test_a_log_that_lost_its_beginning_is_noticed() -> None:
    skip = Skip(time=5, count=3)
    assert skip.passed(np.array([5, 6])) == 1
    assert (skip.active, skip.count) == (False, 2)


def test_a_damaged_checkpoint_is_refused() -> None:
    for value in (b"", b"[]", b"{}", b'{"created": "x"}', b"\xff"):
        with pytest.raises(ValueError, match="not a checkpoint"):
            Checkpoint.decode(value)


def test_a_line_without_end_takes_bounded_memory() -> None:
    stream = LogStream(SingleLines(), Cursor(), 1000)
    stream.begin(0)
    for number in range(50):
        part = Frames(
            np.ones(1, np.uint8),
            np.array([number + 1]),
            pa.array([b"x" * 900], pa.binary()),
            np.array([False]),
        )
        assert stream.feed(part) == (1, [])
        assert stream._pending is not None
        assert len(stream._pending.text) <= 1000
    [piece] = stream.flush(unfinished=True)
    assert piece.joined.message.to_pylist() == ["x" * 1000]
    assert piece.joined.cut.tolist() == [50 * 900 - 1000]


# --- containers, labels, addresses ---


def container(**labels: str) -> Container:
    document = {
        "Id": "ab" * 32,
        "Name": "/web",
        "Created": "2026-01-01T00:00:00.5Z",
        "Image": "sha256:00",
        "State": {"Running": True, "StartedAt": "2026-01-01T00:00:01Z", "FinishedAt": "0001-01-01T00:00:00Z"},
        "Config": {"Image": "shop/web:1.2", "Tty": False, "Env": ["A=1", "B"], "Labels": labels},
        "HostConfig": {"LogConfig": {"Type": "json-file"}},
        "RestartCount": 2,
    }
    found = from_inspection(document)
    assert found is not None
    return found


@pytest.mark.parametrize("document", [None, [], {}, {"Id": "../../etc"}, {"Id": 5}, {"Id": "a" * 65}])
def test_what_is_no_container(document: object) -> None:
    assert from_inspection(document) is None


def test_names_of_services_in_their_order() -> None:
    asked = {"com.docker.compose.service": "compose"}
    assert wishes(container()).service_name == "web"
    assert wishes(container(**asked)).service_name == "compose"
    asked["com.datadoghq.tags.service"] = "tags"
    assert wishes(container(**asked)).service_name == "tags"
    asked[adlogs.LABEL] = '[{"source": "nginx", "service": "ad"}]'
    assert (wishes(container(**asked)).service_name, wishes(container(**asked)).format) == ("ad", "nginx")
    asked["yaat.logs.service"] = "own"
    assert wishes(container(**asked)).service_name == "own"


@pytest.mark.parametrize("pattern", ["(", r"(?=x)", None, 5])
def test_a_mask_that_cannot_be_applied_keeps_the_container_from_being_read(pattern: object) -> None:
    rule = {"type": "mask_sequences", "name": "key", "pattern": pattern, "replace_placeholder": "x"}
    asked = wishes(container(**{adlogs.LABEL: json.dumps([{"log_processing_rules": [rule]}])}))
    assert "can't be applied" in asked.refused


def test_what_of_datadogs_label_is_not_honoured_is_told() -> None:
    rules = [
        {"type": "exclude_truncated", "name": "long"},
        {"type": "exclude_at_match", "name": "look", "pattern": "(?!x)"},
        {"type": "multi_line", "name": "date", "pattern": r"\d{4}-"},
    ]
    label = json.dumps([{"auto_multi_line_detection": True, "log_processing_rules": rules}, {}])
    asked = wishes(container(**{adlogs.LABEL: label}))
    told = " ".join(asked.complaints)
    for word in ("exclude_truncated", "lookahead", "auto_multi_line_detection", "2 entries"):
        assert word in told
    assert asked.multiline is not None
    assert not asked.refused


def test_rules_on_columns() -> None:
    rules = [adlogs.Rule("include_at_match", "a", "GET"), adlogs.Rule("exclude_at_match", "b", "health")]
    texts = pa.array(["GET /", "GET /health", "POST /"])
    assert adlogs.wanted(rules, texts).to_pylist() == [True, False, False]


@pytest.mark.parametrize(
    ("image", "name", "tag"),
    [
        ("nginx", "nginx", ""),
        ("nginx:1.2", "nginx", "1.2"),
        ("localhost:5000/a/b", "localhost:5000/a/b", ""),
        ("localhost:5000/a/b:c", "localhost:5000/a/b", "c"),
        ("a/b:c@sha256:00", "a/b", "c"),
        ("sha256:00", "sha256:00", ""),
    ],
)
def test_images(image: str, name: str, tag: str) -> None:
    assert split_image(image) == (name, tag)


def test_selection_by_id_and_label() -> None:
    labels = Choice(include=("team=*",))
    selection = Selection(Choice(), Choice(exclude=("*/pause:*",)), labels, Choice(exclude=("4f5a",)))
    assert selection.takes("4e", "web", "web:1", {"team": "shop"})
    assert not selection.takes("4e", "web", "web:1", {})
    assert not selection.takes("4e", "web", "k8s/pause:3", {"team": "shop"})
    assert not selection.takes("4f5a77", "web", "web:1", {"team": "shop"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/run/docker.sock", "unix:///run/docker.sock"),
        ("unix:///run/user/1000/podman/podman.sock", "unix:///run/user/1000/podman/podman.sock"),
        ("tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375"),
        ("tcp://localhost", "tcp://localhost:2375"),
        ("tcp://[::1]:1", "tcp://[::1]:1"),
    ],
)
def test_addresses(text: str, shown: str) -> None:
    assert str(address.parse(text)) == shown


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("tcp://10.0.0.1:2375", "rights of root"),
        ("ssh://host", "ssh -L"),
        ("https://host", "not supported"),
        ("x", "must be"),
    ],
)
def test_addresses_that_are_refused(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        address.parse(text)


def test_docker_host_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")
    assert str(address.find(None)) == "unix:///run/other.sock"
    assert str(address.find("/mine")) == "unix:///mine"
    monkeypatch.setenv("DOCKER_HOST", "ssh://far")
    with pytest.raises(ValueError, match="DOCKER_HOST"):
        address.find(None)


def test_the_agents_own_container(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    one, two = "1a" * 32, "2b" * 32
    (tmp_path / "proc/self/cgroup").write_text(f"0::/system.slice/docker-{one}.scope\n")
    (tmp_path / "proc/self/mountinfo").write_text(
        f"1 2 0:1 /docker/containers/{two}/hostname /etc/hostname rw - ext4 /dev/sda rw\n"
        f"1 2 0:1 / /var/lib/docker/overlay2/{'3c' * 32}/merged rw - overlay overlay rw\n"
    )
    assert own_ids(tmp_path) == {one, two}
    assert not own_ids(tmp_path / "nowhere")


# --- checkpoints of what is gone; engines that do not answer ---


async def test_checkpoints_of_removed_containers_go_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    old, here = "0" * 64, "1" * 64
    value = Checkpoint(created=1, time=1, count=1, ordinal=1, at=int(time.time())).encode()
    stored = {key_of(id, number): value for id in (old, here) for number in (1, 2)}
    outlet = RecordingOutlet(stored)
    context = make_context(tmp_path, "sources.containers")
    desk = Desk(outlet, Tally(context), context.log)
    await desk.forget(frozenset({here}))
    assert not outlet.sent
    present = time.time()
    monkeypatch.setattr(time, "time", lambda: present + FORGET + 60)
    await desk.forget(frozenset({here}))
    assert set(outlet.stored()) == {key_of(here, 1), key_of(here, 2)}


MakeSource = Callable[..., DockerSource]


async def test_an_engine_that_is_not_there(make_source: MakeSource, tmp_path: Path) -> None:
    [finding] = await make_source(f"unix://{tmp_path}/docker.sock").check()
    assert "there is no engine's socket" in finding.problem
    assert "podman.socket" in finding.advice


async def test_a_socket_that_is_something_else(make_source: MakeSource, tmp_path: Path) -> None:
    async def babble(stream: trio.SocketStream) -> None:
        await stream.send_all(random.Random(1).randbytes(200))

    listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await listening.bind(str(tmp_path / "docker.sock"))
    listening.listen()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, babble, [trio.SocketListener(listening)])
        [finding] = await make_source(f"unix://{tmp_path}/docker.sock").check()
        nursery.cancel_scope.cancel()
    assert str(tmp_path) in finding.problem


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give it up")
async def test_a_socket_without_permission(make_source: MakeSource, tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await listening.bind(str(path))
    listening.listen()
    path.chmod(0o600)
    for folder in [tmp_path, *tmp_path.parents]:
        if (
            folder.stat().st_mode & 0o005 != 0o005
            and folder.owner() == "root"
            and str(folder).startswith("/tmp/")
        ):
            folder.chmod(0o755)
    source = make_source(f"unix://{path}")
    os.seteuid(65534)
    try:
        [finding] = await source.check()
    finally:
        os.seteuid(0)
        listening.close()
    assert finding.problem == f"no permission for the engine's socket unix://{path}"
    assert "docker" in finding.advice
    assert os.strerror(errno.EACCES) not in finding.problem
