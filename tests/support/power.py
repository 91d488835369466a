"""What a power cut leaves on the disk: a run that strace wrote down is played again up to some call, and what was
not synced until then is gone.

The model is POSIX with what ext4, xfs and btrfs add to it:

- a file's content is what its last fsync or fdatasync covered that had returned;
- a name made, changed or taken away counts once its folder was synced; a file that is synced keeps its name as well;
- else the old names are there: what was renamed has its old name, what was removed is back.

`Leaves.NOTHING` keeps nothing that was not synced; `Leaves.SOME` keeps a random part of it: each write, and
the names of each folder, are there or not.
"""

from __future__ import annotations

import enum
import os
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs

from support.strace import tracer

_TRACED = (
    "openat,open,creat,write,pwrite64,lseek,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,"
    "unlink,unlinkat,mkdir,mkdirat,link,linkat,close"
)
_LINE = re.compile(
    r"(?P<thread>\d+) +(?P<call>\w+)\((?P<arguments>.*?)(?:\) += (?P<result>-?\d+)| <unfinished)"
)
_RESUMED = re.compile(r"(?P<thread>\d+) +<\.\.\. (?P<call>\w+) resumed>.*\) += (?P<result>-?\d+)")
_FD = re.compile(r"(\d+)<([^>]*)>")
_TEXT = re.compile(r'(?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"([^"]*)"')


class Leaves(enum.Enum):
    """What a power cut leaves of that which was not synced."""

    NOTHING = enum.auto()
    SOME = enum.auto()


@attrs.define(eq=False)
class File:
    """A file's content now, and what is on the disk for certain."""

    content: bytearray = attrs.field(factory=bytearray)
    durable: bytes = b""
    pending: list[Callable[[bytearray], None]] = attrs.field(factory=list)

    def change(self, change: Callable[[bytearray], None]) -> None:
        change(self.content)
        self.pending.append(change)

    def after_cut(self, leaves: Leaves, chance: random.Random) -> bytes:
        found = bytearray(self.durable)
        if leaves is Leaves.SOME:
            for change in self.pending:
                if chance.random() < 0.5:
                    change(found)
        return bytes(found)


@attrs.define(eq=False)
class Folder:
    """Names now, and names on the disk."""

    names: dict[str, File | Folder] = attrs.field(factory=dict)
    durable: dict[str, File | Folder] = attrs.field(factory=dict)

    @classmethod
    def read(cls, path: Path) -> Folder:
        """What is on the disk already, safely."""
        folder = cls()
        for one in path.iterdir():
            if one.is_dir():
                folder.names[one.name] = cls.read(one)
            elif one.is_file():
                data = one.read_bytes()
                folder.names[one.name] = File(bytearray(data), data)
        folder.durable = dict(folder.names)
        return folder

    def write(self, into: Path, leaves: Leaves, chance: random.Random) -> None:
        """What is there after the cut."""
        into.mkdir(mode=0o700, exist_ok=True)
        names = self.names if leaves is Leaves.SOME and chance.random() < 0.5 else self.durable
        for name, one in names.items():
            if isinstance(one, Folder):
                one.write(into / name, leaves, chance)
            else:
                (into / name).write_bytes(one.after_cut(leaves, chance))
                (into / name).chmod(0o600)


@attrs.frozen
class Call:
    """A call as strace wrote it down: when it began, or (``finished``) when it had returned."""

    name: str
    arguments: str
    result: int
    finished: bool


def recording(log: Path) -> tuple[str, ...]:
    """A prefix for a command that writes down everything that `Disk` needs."""
    return (*tracer(log, f"trace={_TRACED}"), "-y", "-xx", "-s", str(16 * 2**20), "--seccomp-bpf")


def calls(log: Path) -> list[Call]:
    """Of each call that succeeded its beginning and its end, in the order in which strace saw them."""
    found: list[Call | None] = []
    open_calls: dict[str, int] = {}
    for line in log.read_text(errors="replace").splitlines():
        if match := _LINE.match(line):
            call = Call(match["call"], match["arguments"], int(match["result"] or 0), finished=False)
            if match["result"] is None:
                open_calls[match["thread"]] = len(found)
                found.append(call)
            elif call.result >= 0:
                found += [call, attrs.evolve(call, finished=True)]
        elif (match := _RESUMED.match(line)) and match["thread"] in open_calls:
            began = open_calls.pop(match["thread"])
            call = attrs.evolve(found[began], result=int(match["result"]), finished=True)
            found[began] = attrs.evolve(call, finished=False) if call.result >= 0 else None
            found.append(call if call.result >= 0 else None)
    return [call for call in found if call is not None]


class Disk:
    """The files under ``root``, as far as calls have been played; ``before`` has what was there at first."""

    def __init__(self, root: Path, before: Path | None = None) -> None:
        self.top = Folder.read(before) if before else Folder()
        self._root = f"{root}/"
        self._offsets: dict[int, int] = {}
        self._appending: set[int] = set()
        self._syncing: dict[str, tuple[File, bytes, int] | tuple[Folder, dict[str, File | Folder]]] = {}

    def play(self, call: Call) -> bool:
        """One more; True when it changed what the disk holds or keeps."""
        act = getattr(self, f"_{call.name}", None)
        return bool(act and act(call))

    def image(self, into: Path, leaves: Leaves, seed: int) -> None:
        """What is there when the power is cut now."""
        self.top.write(into, leaves, random.Random(seed))

    # --- calls; each looks at the beginning or at the end, whichever it counts from

    def _openat(self, call: Call) -> bool:
        if not call.finished:
            return False
        self._offsets[call.result] = 0
        self._appending.discard(call.result)
        if "O_APPEND" in call.arguments:
            self._appending.add(call.result)
        place = self._place(self._paths(call)[0])
        if place is None or not any(flag in call.arguments for flag in ("O_CREAT", "O_TRUNC")):
            return False
        folder, name = place
        there = folder.names.get(name)
        if there is None:
            folder.names[name] = File()
            return True
        if "O_TRUNC" in call.arguments and isinstance(there, File) and there.content:
            there.change(lambda content: content.clear())
            return True
        return False

    _open = _creat = _openat

    def _write(self, call: Call) -> bool:
        number, file = self._file(call)
        if call.finished or file is None:
            return False
        data = _data(call)[: call.result]
        at = len(file.content) if number in self._appending else self._offsets.get(number, 0)
        self._offsets[number] = at + len(data)
        file.change(lambda content: _put(content, at, data))
        return True

    def _pwrite64(self, call: Call) -> bool:
        _, file = self._file(call)
        if call.finished or file is None:
            return False
        data, at = _data(call)[: call.result], _last_number(call)
        file.change(lambda content: _put(content, at, data))
        return True

    def _lseek(self, call: Call) -> bool:
        if call.finished:
            self._offsets[int(call.arguments.partition("<")[0])] = call.result
        return False

    def _ftruncate(self, call: Call) -> bool:
        _, file = self._file(call)
        size = _last_number(call)
        if call.finished or file is None:
            return False
        file.change(lambda content: _resize(content, size))
        return True

    def _fallocate(self, call: Call) -> bool:
        _, file = self._file(call)
        _, mode, at, count = (part.strip() for part in call.arguments.rsplit(",", 3))
        if call.finished or file is None or mode != "0":
            return False
        size = int(at) + int(count)
        file.change(lambda content: _resize(content, max(size, len(content))))
        return True

    def _fsync(self, call: Call) -> bool:
        match = _FD.match(call.arguments)
        path = _path(match[2]) if match else ""
        one = self._find(path)
        if one is None:
            return False
        if not call.finished:
            covered = (
                (one, bytes(one.content), len(one.pending))
                if isinstance(one, File)
                else (one, dict(one.names))
            )
            self._syncing[path] = covered
            return False
        self._synced(path, *self._syncing.pop(path))
        return True

    _fdatasync = _fsync

    def _synced(self, path: str, one: File | Folder, *covered: object) -> None:
        if isinstance(one, Folder):
            one.durable = covered[0]  # type: ignore[assignment]
            return
        content, count = covered
        assert isinstance(content, bytes)
        assert isinstance(count, int)
        one.durable = content
        del one.pending[:count]
        self._keep_name(path, one)

    def _keep_name(self, path: str, file: File) -> None:
        """A file that is synced keeps its name, and so do the folders above it."""
        while place := self._place(path):
            folder, name = place
            for old in [key for key, one in folder.durable.items() if one is file]:
                del folder.durable[old]
            folder.durable[name] = folder.names[name]
            path = path.rpartition("/")[0]

    def _rename(self, call: Call) -> bool:
        if not call.finished:
            return False
        old, new = (self._place(path) for path in self._paths(call))
        if old is None or new is None:
            return False
        new[0].names[new[1]] = old[0].names.pop(old[1])
        return True

    _renameat = _renameat2 = _rename

    def _unlink(self, call: Call) -> bool:
        place = self._place(self._paths(call)[0])
        if not call.finished or place is None:
            return False
        return place[0].names.pop(place[1], None) is not None

    _unlinkat = _unlink

    def _mkdir(self, call: Call) -> bool:
        place = self._place(self._paths(call)[0])
        if not call.finished or place is None:
            return False
        place[0].names[place[1]] = Folder()
        return True

    _mkdirat = _mkdir

    def _link(self, call: Call) -> bool:
        if not call.finished:
            return False
        old, new = (self._place(path) for path in self._paths(call))
        if old is None or new is None:
            return False
        new[0].names[new[1]] = old[0].names[old[1]]
        return True

    _linkat = _link

    # --- finding

    def _paths(self, call: Call) -> list[str]:
        return [
            os.path.join(_path(folder), _path(text)) if folder else _path(text)
            for folder, text in _TEXT.findall(call.arguments)
        ]

    def _place(self, path: str) -> tuple[Folder, str] | None:
        """The folder that has the name, and the name; None when it is elsewhere."""
        if not path.startswith(self._root):
            return None
        *above, name = path[len(self._root) :].split("/")
        folder: File | Folder | None = self.top
        for part in above:
            folder = folder.names.get(part) if isinstance(folder, Folder) else None
        return (folder, name) if isinstance(folder, Folder) else None

    def _find(self, path: str) -> File | Folder | None:
        if f"{path}/" == self._root:
            return self.top
        place = self._place(path)
        return place[0].names.get(place[1]) if place else None

    def _file(self, call: Call) -> tuple[int, File | None]:
        match = _FD.match(call.arguments)
        if match is None:
            return -1, None
        one = self._find(_path(match[2]))
        return int(match[1]), one if isinstance(one, File) else None


def cuts(log: Path, root: Path, before: Path | None = None) -> Iterator[tuple[int, Disk]]:
    """Every moment after a call that changed something: its number, and the disk, which goes on changing."""
    disk = Disk(root, before)
    number = 0
    for call in calls(log):
        if disk.play(call):
            number += 1
            yield number, disk


def same(disk: Disk, root: Path, ignored: Sequence[str] = ()) -> bool:
    """Does the model, with all that was not synced, agree with the real files?"""

    def listed(folder: Folder, path: Path) -> Iterator[tuple[Path, bytes]]:
        for name, one in folder.names.items():
            if isinstance(one, Folder):
                yield from listed(one, path / name)
            else:
                yield path / name, bytes(one.content)

    real = {
        path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.name not in ignored
    }
    return {path: data for path, data in listed(disk.top, root) if path.name not in ignored} == real


def _path(text: str) -> str:
    return os.fsdecode(_bytes(text))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _data(call: Call) -> bytes:
    return _bytes(call.arguments.partition('"')[2].partition('"')[0])


def _last_number(call: Call) -> int:
    return int(call.arguments.rpartition(",")[2])


def _put(content: bytearray, at: int, data: bytes) -> None:
    _resize(content, max(len(content), at))
    content[at : at + len(data)] = data


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    content.extend(bytes(size - len(content)))
