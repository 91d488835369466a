"""The contract of `yaat_core.components.Queue`, as one function."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs

from yaat_core import ids
from yaat_core.components import (
    Checkpoints,
    LedgerEntry,
    Queue,
    QueueState,
    QueueWrite,
    Record,
    StoredCheckpoint,
)
from yaat_core.cursor import Cursor
from yaat_core.errors import StoreUnavailable, YaatError
from yaat_core.event import EventBatch

#: No bound that a test meets.
_ALL: Final = 1 << 40
_SOURCE: Final = "sources.app"


def check_queue(make_queue: Callable[[], Queue]) -> None:
    """Run the contract against a queue.

    ``make_queue()`` gives a queue that is not open, each time on the same directory, which is empty at
    first. The core may have several of them made, but opens one at a time.

    Raises:
        AssertionError: says which promise does not hold.
    """
    _Check(make_queue).run()


@attrs.define
class _Check:
    """One queue under test, and the oracle: the ids that were accepted, in order."""

    make_queue: Callable[[], Queue]
    queue: Queue = attrs.field(init=False)
    accepted: list[bytes] = attrs.field(factory=list)
    dropped: int = 0

    def run(self) -> None:
        self.starts_empty()
        try:
            for step in (
                self.refuses_a_second_opening,
                self.numbers_events_without_gaps,
                self.writes_all_or_nothing_of_a_write,
                self.takes_writes_without_events,
                self.keeps_a_large_write_in_order,
                self.forgets_checkpoints_that_are_none,
                self.reads_within_bounds,
                self.cuts_the_first_record,
                self.tells_headers,
                self.keeps_cursors,
                self.reads_while_it_writes,
                self.counts_what_was_read,
                self.verifies,
                self.deletes_whole_records,
                self.keeps_everything_through_a_restart,
                self.goes_on_behind_a_sink,
                self.closes_twice,
            ):
                step()
        finally:
            self.queue.close()

    # --- the promises

    def starts_empty(self) -> None:
        self.queue = self.make_queue()
        assert not list(self.queue.open()), "a new queue reports damage"
        state = self.queue.state()
        assert self.queue.fresh, "a new queue is not fresh"
        assert len(state.queue_id) == 16, "a queue id has 16 bytes"
        figures = (state.tail, state.deleted_upto, state.total_bytes, state.read, state.accepted)
        assert not any(figures), f"a new queue has figures: {state}"
        assert state.oldest_us is None, "an empty queue has no oldest record"
        assert not state.dropped, "a new queue has a drop ledger"
        assert not state.cursors, "a new queue has cursors"
        assert not self.read_all(), "a new queue has events"

    def refuses_a_second_opening(self) -> None:
        second = self.make_queue()
        try:
            second.open()
        except YaatError:
            self.append(1)
            return
        second.close()
        raise AssertionError("two queues have the same directory open")

    def numbers_events_without_gaps(self) -> None:
        for rows in (1, 3, 100):
            before = self.queue.state().tail
            appended = self.append(rows)
            assert appended == (before + 1, before + rows), f"append of {rows} after {before} got {appended}"
        self.same_as_accepted()

    def writes_all_or_nothing_of_a_write(self) -> None:
        self.append(5, checkpoints={b"offset": b"500"}, drops=[("scrub", "health", "r1", 2)])
        tail = self.queue.state().tail
        stored = self.queue.checkpoints(_SOURCE)
        assert stored[b"offset"] == StoredCheckpoint(b"500", tail), f"checkpoint is {stored[b'offset']}"
        assert not self.queue.checkpoints("sources.ap"), "a component sees another one's checkpoints"
        assert self.queue.checkpointed() in ((), [_SOURCE]), f"it names {self.queue.checkpointed()}"
        assert self.queue.state().dropped == {("scrub", "health", "r1"): 2}, "the drop ledger is not written"
        newest = self.read_all()[-1]
        assert newest.checkpoints == {_SOURCE: {b"offset": b"500"}}, "a record has not its checkpoints"
        assert newest.time_us == self.queue.state().tail, "a record has not its accept time"

    def takes_writes_without_events(self) -> None:
        before = self.queue.state()
        first, last = self.append(0, checkpoints={b"offset": b"600"}, drops=[("scrub", "health", "r1", 3)])
        assert (first, last) == (before.tail + 1, before.tail), f"a write without events got {first}, {last}"
        state = self.queue.state()
        assert state.tail == before.tail, "a write without events moved the tail"
        assert state.dropped[("scrub", "health", "r1")] == before.dropped[("scrub", "health", "r1")] + 3
        assert self.queue.checkpoints(_SOURCE)[b"offset"] == StoredCheckpoint(b"600", before.tail)
        self.append(0)

    def keeps_a_large_write_in_order(self) -> None:
        before = self.queue.state().tail
        self.append(20_000, checkpoints={b"offset": b"700"})
        pieces = [record for record in self.read_all() if record.first > before]
        assert pieces[-1].checkpoints == {_SOURCE: {b"offset": b"700"}}, (
            "the end of a write has its checkpoints"
        )
        assert not any(piece.checkpoints for piece in pieces[:-1]), (
            "a checkpoint covers all events of its write, so it comes with the last of them"
        )
        self.same_as_accepted()

    def forgets_checkpoints_that_are_none(self) -> None:
        self.append(1, checkpoints={b"gone": b"1"})
        self.append(1, checkpoints={b"gone": None})
        assert set(self.queue.checkpoints(_SOURCE)) == {b"offset"}, "a checkpoint of None stays"
        assert self.read_all()[-1].checkpoints == {_SOURCE: {b"gone": None}}, "a record shows deletions, too"

    def reads_within_bounds(self) -> None:
        everything = self.read_all()
        for bound in (1, 50, 150, 9_000):
            some = self.queue.read(0, max_rows=bound, max_bytes=_ALL)
            assert some, "a read gives at least one record"
            rows = sum(len(record.batch) for record in some[:-1])
            assert rows < bound, f"{rows} rows are read, {bound} are asked for, and one more record comes"
        assert len(self.queue.read(0, max_rows=_ALL, max_bytes=1)) == 1, "max_bytes is no bound"
        size = 2 * max(everything[0].bytes, everything[0].batch.nbytes)
        some = self.queue.read(0, max_rows=_ALL, max_bytes=size)
        assert sum(record.bytes for record in some) <= size or len(some) == 1, "more bytes than max_bytes"
        tail = self.queue.state().tail
        assert not self.queue.read(tail, max_rows=_ALL, max_bytes=_ALL), "there are events after the tail"

    def cuts_the_first_record(self) -> None:
        whole = next(record for record in self.read_all() if len(record.batch) == 100)
        after = whole.first + 39
        cut = self.queue.read(after, max_rows=1, max_bytes=_ALL)[0]
        assert (cut.first, cut.last, len(cut.batch)) == (after + 1, whole.last, 60), f"cut to {cut.first}"
        assert _ids(cut) == _ids(whole)[40:], "the wrong rows were cut"
        assert cut.checkpoints == whole.checkpoints, "a cut record lost its checkpoints"
        follows = self.queue.read(whole.last, max_rows=1, max_bytes=_ALL)[0]
        assert follows.first == whole.last + 1, "a record that is passed comes again"

    def tells_headers(self) -> None:
        records, infos = self.read_all(), self.queue.infos(0, limit=10_000)
        facts = [(record.first, record.last, record.time_us, record.bytes) for record in records]
        assert [(info.first, info.last, info.time_us, info.bytes) for info in infos] == facts
        total = 0
        for info in infos:
            total += info.bytes
            assert info.total_bytes == total, "total_bytes are the bytes up to and with a record"
        assert self.queue.state().total_bytes == total, (
            "total_bytes of the state are those of the newest record"
        )
        assert list(self.queue.infos(0, limit=2)) == list(infos[:2]), "limit is no bound"
        middle = infos[3]
        later = self.queue.infos(middle.last - 1, limit=10_000)
        assert list(later) == list(infos[3:]), "a record that ends after `after` is missing"

    def keeps_cursors(self) -> None:
        tail = self.queue.state().tail
        cursor = Cursor.attach(0, 1_000).settle(1, 3, "delivered").settle(6, 7, "dropped")
        cursor = attrs.evolve(cursor, inflight=(4, 5), detached_at_us=7)
        self.queue.put_cursors({"sinks.a": cursor, "sinks.b": Cursor.attach(tail, 2_000)})
        assert self.queue.state().cursors == {"sinks.a": cursor, "sinks.b": Cursor.attach(tail, 2_000)}
        self.queue.put_cursors({"sinks.b": None}, sync=True)
        assert self.queue.state().cursors == {"sinks.a": cursor}, "a cursor of None stays"

    def reads_while_it_writes(self) -> None:
        stop, problems = threading.Event(), list[str]()

        def look() -> None:
            while not stop.is_set():
                problems.extend(_inconsistent(self.queue.state()))
                records = self.queue.read(0, max_rows=_ALL, max_bytes=_ALL)
                if [record.first for record in records[1:]] != [record.last + 1 for record in records[:-1]]:
                    problems.append("a reader met a hole")

        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            for _ in range(20):
                self.append(10, drops=[("filter", "level", "", 1)])
        finally:
            stop.set()
            for reader in readers:
                reader.join()
        assert not problems, problems[0]
        self.same_as_accepted()

    def counts_what_was_read(self) -> None:
        state = self.queue.state()
        assert state.accepted == len(self.accepted) == state.tail, f"accepted {state.accepted}"
        assert sum(state.dropped.values()) == self.dropped, f"dropped {state.dropped}"
        assert not _inconsistent(state), _inconsistent(state)

    def verifies(self) -> None:
        before = self.queue.state()
        assert not list(self.queue.verify()), f"an intact queue has damage: {self.queue.verify()}"
        assert self.queue.state() == before, "verify changes the queue"

    def deletes_whole_records(self) -> None:
        infos = self.queue.infos(0, limit=10_000)
        target = next(info for info in infos if info.last - info.first == 99)
        before = infos[infos.index(target) - 1]
        self.queue.delete_upto(target.last - 1)
        state = self.queue.state()
        assert state.deleted_upto == before.last, f"deleted up to {state.deleted_upto}, not {before.last}"
        assert state.deleted_bytes == before.total_bytes, f"deleted bytes are {state.deleted_bytes}"
        assert state.oldest_us == target.time_us, "the oldest record is another one now"
        assert self.queue.infos(0, limit=1)[0] == target, "a record that should stay is gone"
        assert self.read_all()[0].first == target.first, "a record that should stay is gone"
        self.queue.delete_upto(1)
        assert self.queue.state() == state, "deleting again changes something"
        assert not list(self.queue.verify()), "what was deleted is no damage"

    def keeps_everything_through_a_restart(self) -> None:
        state, infos = self.queue.state(), self.queue.infos(0, limit=10_000)
        stored = self.queue.checkpoints(_SOURCE)
        self.restart()
        assert not self.queue.fresh, "a queue with events is fresh"
        assert self.queue.state() == state, f"{self.queue.state()} is not {state}"
        assert list(self.queue.infos(0, limit=10_000)) == list(infos), "records changed"
        assert self.queue.checkpoints(_SOURCE) == stored, "checkpoints changed"
        kept = [identity for record in self.read_all() for identity in _ids(record)]
        assert kept == self.accepted[state.deleted_upto :], "events changed"
        self.append(2)
        self.queue.delete_upto(_ALL)
        drained = self.queue.state()
        assert drained.deleted_upto == drained.tail, "something stays when everything is deleted"
        assert drained.deleted_bytes == drained.total_bytes, "an empty queue has bytes"
        assert drained.oldest_us is None, "an empty queue has an oldest record"
        assert self.append(1) == (drained.tail + 1, drained.tail + 1), "sequences begin again"

    def goes_on_behind_a_sink(self) -> None:
        before = self.queue.state()
        theirs = {
            b"offset": StoredCheckpoint(b"900", before.tail + 50),
            b"other": StoredCheckpoint(b"1", before.tail + 1),
        }
        self.queue.adopt(queue_id=None, tail=before.tail + 50, checkpoints={_SOURCE: theirs})
        state = self.queue.state()
        assert state.tail == before.tail + 50, f"tail is {state.tail}"
        assert state.read - before.read == state.accepted - before.accepted == 50, "the hole is not counted"
        assert self.queue.checkpoints(_SOURCE) == theirs, "the later checkpoints are not kept"
        older = {b"offset": StoredCheckpoint(b"1", 1)}
        self.queue.adopt(queue_id=bytes(16), tail=3, checkpoints={_SOURCE: older})
        assert self.queue.state() == state, "a sink that is behind, or of another queue, changed the queue"
        assert self.queue.checkpoints(_SOURCE) == theirs, "an older checkpoint won"
        assert not list(self.queue.verify()), "an adopted hole is no damage"
        rows = self.queue.state().tail
        assert self.append(1) == (rows + 1, rows + 1), "the next sequence is not behind the sink's"
        self.restart()
        assert self.queue.read(before.tail, max_rows=1, max_bytes=1)[0].first == rows + 1, "no hole is seen"

    def closes_twice(self) -> None:
        self.queue.close()
        self.queue.close()
        self.make_queue().close()
        try:
            self.queue.append(QueueWrite(batch=EventBatch.empty()))
        except StoreUnavailable:
            return
        raise AssertionError("a closed queue takes a write")

    # --- means

    def append(
        self,
        rows: int,
        *,
        checkpoints: Checkpoints | None = None,
        drops: Sequence[tuple[str, str, str, int]] = (),
    ) -> tuple[int, int]:
        """Append ``rows`` new events; the accept time is the sequence of the last one."""
        batch = EventBatch.build(rows, {"event_id": ids.random(rows), "message": "check"})
        ledger = [
            LedgerEntry(component=component, reason=reason, rule=rule, count=count)
            for component, reason, rule, count in drops
        ]
        lost = sum(entry.count for entry in ledger)
        written: Mapping[str, Checkpoints] = {_SOURCE: checkpoints} if checkpoints else {}
        write = QueueWrite(
            batch=batch,
            checkpoints=written,
            drops=ledger,
            read=rows + lost,
            time_us=self.queue.state().tail + rows,
        )
        appended = self.queue.append(write)
        self.accepted += batch.column("event_id").to_pylist()
        self.dropped += lost
        return appended.first, appended.last

    def read_all(self) -> list[Record]:
        """Every record, in several reads."""
        found: list[Record] = []
        while more := self.queue.read(found[-1].last if found else 0, max_rows=5_000, max_bytes=_ALL):
            found += more
        return found

    def same_as_accepted(self) -> None:
        """What is read is what was accepted: nothing lost, nothing twice, in order."""
        stored = [identity for record in self.read_all() for identity in _ids(record)]
        assert stored == self.accepted, f"{len(stored)} events read, {len(self.accepted)} were accepted"
        assert len(set(stored)) == len(stored), f"{uuid.UUID(bytes=stored[0])} and others come twice"

    def restart(self) -> None:
        self.queue.close()
        self.queue = self.make_queue()
        assert not list(self.queue.open()), "a queue that was closed reports damage"


def _ids(record: Record) -> list[bytes]:
    found: list[bytes] = record.batch.column("event_id").to_pylist()
    assert len(found) == record.last - record.first + 1, f"record {record.first} has {len(found)} rows"
    return found


def _inconsistent(state: QueueState) -> list[str]:
    dropped = sum(state.dropped.values())
    if state.read != state.accepted + dropped:
        return [f"read {state.read} is not accepted {state.accepted} and dropped {dropped}"]
    if state.accepted != state.tail:
        return [f"accepted {state.accepted} is not the last sequence {state.tail}"]
    return []
