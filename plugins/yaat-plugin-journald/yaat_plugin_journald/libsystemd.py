"""libsystemd's journal functions (sd-journal(3)) through ctypes.

Quick functions are called with the interpreter's lock held (`PyDLL`): a call takes less than a microsecond, and giving the lock
back for each would make this thread wait for its turn a million times. Those that open, seek or look at folders give it back.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Sequence
from typing import Any, Final

from yaat_plugin_journald.entries import Collector
from yaat_plugin_journald.matching import Alternative

NAME: Final = "libsystemd.so.0"
LOCAL_ONLY, SYSTEM, CURRENT_USER, ALL_NAMESPACES, WITH_DEFAULT_NAMESPACE = 1, 4, 8, 32, 64
#: What `process` answers (sd_journal_get_fd(3)).
NOP, APPEND, INVALIDATE = 0, 1, 2
_PEEK: Final = 4096
_LONGEST_NAME: Final = 64


@functools.cache
def libraries() -> tuple[Any, Any, Any]:
    """libsystemd giving the lock back, libsystemd keeping it, and the C library.

    Raises:
        OSError: it is not there.
    """
    slow, quick, c = ctypes.CDLL(NAME), ctypes.PyDLL(NAME), ctypes.PyDLL(None)
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint64
    arguments = {
        "open": [pointer, ctypes.c_int],
        "open_directory": [pointer, text, ctypes.c_int],
        "open_namespace": [pointer, text, ctypes.c_int],
        "open_files": [pointer, pointer, ctypes.c_int],
        "close": [pointer],
        "set_data_threshold": [pointer, ctypes.c_size_t],
        "add_match": [pointer, text, ctypes.c_size_t],
        "add_disjunction": [pointer],
        "seek_head": [pointer],
        "seek_cursor": [pointer, text],
        "seek_realtime_usec": [pointer, number],
        "seek_monotonic_usec": [pointer, _Id128, number],
        "test_cursor": [pointer, text],
        "next": [pointer],
        "get_cursor": [pointer, pointer],
        "restart_data": [pointer],
        "enumerate_data": [pointer, pointer, pointer],
        "get_fd": [pointer],
        "process": [pointer],
    }
    for library in (slow, quick):
        for name, types in arguments.items():
            function = getattr(library, f"sd_journal_{name}")
            function.argtypes = types
            function.restype = None if name in ("close", "restart_data") else ctypes.c_int
    c.free.argtypes, c.free.restype = [pointer], None
    return slow, quick, c


@functools.cache
def _hot() -> tuple[Any, Any]:
    """`sd_journal_enumerate_data`, and bytes of a pointer and a length: of each field, so nothing is converted."""
    enumerate_data = ctypes.PyDLL(NAME).sd_journal_enumerate_data
    take = ctypes.PyDLL(None).PyBytes_FromStringAndSize
    take.restype = ctypes.py_object
    return enumerate_data, take


class _Id128(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_uint8 * 16)]


def available() -> bool:
    """Can the library be loaded?"""
    try:
        libraries()
    except (OSError, AttributeError):
        return False
    return True


def _checked(code: int, doing: str) -> int:
    if code < 0:
        raise OSError(-code, f"{doing}: {os.strerror(-code)}")
    return code


class Journal:
    """An open journal. Not for two threads at once. Every method raises OSError with what the library answered."""

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self._slow, self._quick, self._c = libraries()
        self._handle: int | None = handle.value
        self._data, self._length, self._text = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_void_p()
        self._slow.sd_journal_set_data_threshold(self._handle, 0)

    @classmethod
    def of_system(cls, namespace: str | None, flags: int) -> Journal:
        """This machine's, or those of a namespace (None: the default one)."""
        return cls._opened("open_namespace", namespace.encode() if namespace else None, flags)

    @classmethod
    def of_directory(cls, path: str, flags: int) -> Journal:
        """All in a folder, and in its folders that are named by a machine's id."""
        return cls._opened("open_directory", os.fsencode(path), flags)

    @classmethod
    def of_files(cls, paths: Sequence[str]) -> Journal:
        """These files."""
        array = (ctypes.c_char_p * (len(paths) + 1))(*map(os.fsencode, paths), None)
        return cls._opened("open_files", ctypes.cast(array, ctypes.c_void_p), 0)

    @classmethod
    def _opened(cls, function: str, *arguments: Any) -> Journal:
        handle = ctypes.c_void_p()
        code = getattr(libraries()[0], f"sd_journal_{function}")(ctypes.addressof(handle), *arguments)
        _checked(code, "opening the journal")
        return cls(handle)

    def close(self) -> None:
        """Safe twice."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._slow.sd_journal_close(handle)

    def match(self, alternatives: Sequence[Alternative]) -> None:
        """Ask for these only."""
        for number, alternative in enumerate(alternatives):
            if number:
                _checked(self._slow.sd_journal_add_disjunction(self._handle), "adding a match")
            for name, values in alternative.items():
                for value in values:
                    data = f"{name}={value}".encode()
                    _checked(self._slow.sd_journal_add_match(self._handle, data, len(data)), "adding a match")

    def seek_head(self) -> None:
        """Before the first entry."""
        _checked(self._slow.sd_journal_seek_head(self._handle), "seeking")

    def seek_cursor(self, cursor: str) -> None:
        """To the entry, or where it would be."""
        _checked(
            self._slow.sd_journal_seek_cursor(self._handle, cursor.encode("ascii")), "seeking to a cursor"
        )

    def seek_time(self, us: int) -> None:
        """To the first entry of this time or later."""
        _checked(self._slow.sd_journal_seek_realtime_usec(self._handle, us), "seeking to a time")

    def seek_boot(self, boot: str) -> None:
        """To the first entry of a boot."""
        identity = _Id128((ctypes.c_uint8 * 16)(*bytes.fromhex(boot)))
        _checked(self._slow.sd_journal_seek_monotonic_usec(self._handle, identity, 0), "seeking to a boot")

    def first(self) -> bool:
        """As `next`, after a seek: this may read much of the files."""
        return _checked(self._slow.sd_journal_next(self._handle), "reading the journal") > 0

    def next(self) -> bool:
        """Go on to the next entry; False at the end."""
        return _checked(self._quick.sd_journal_next(self._handle), "reading the journal") > 0

    def is_at(self, cursor: str) -> bool:
        """Is this the entry with the cursor?"""
        code = self._quick.sd_journal_test_cursor(self._handle, cursor.encode("ascii"))
        return _checked(code, "comparing cursors") > 0

    def cursor(self) -> bytes:
        """Of the present entry."""
        _checked(
            self._quick.sd_journal_get_cursor(self._handle, ctypes.addressof(self._text)), "reading a cursor"
        )
        found: bytes = ctypes.string_at(self._text)
        self._c.free(self._text.value)
        return found

    def collect(self, collector: Collector, most: int) -> None:
        """The fields of the present entry. Values are taken up to ``most`` bytes and a little."""
        handle, data, length = ctypes.c_void_p(self._handle), self._data, self._length
        at, size = ctypes.byref(data), ctypes.byref(length)
        enumerate_data, take = _hot()
        fields: list[bytes] = []
        append = fields.append
        self._quick.sd_journal_restart_data(self._handle)
        while (code := enumerate_data(handle, at, size)) > 0:
            if length.value > _PEEK and not self._is_to_be_read(collector, most):
                continue
            append(take(data, length))
        collector.fields(fields)
        if code < 0:
            collector.unreadable += 1

    def _is_to_be_read(self, collector: Collector, most: int) -> bool:
        """Of a long value: is its field wanted? It is cut to ``most`` and a little, which tells that it is too long."""
        start = ctypes.string_at(self._data, _LONGEST_NAME + 1)
        self._length.value = min(self._length.value, most + _LONGEST_NAME + 2)
        return collector.wants(start.partition(b"=")[0])

    def descriptor(self) -> int | None:
        """What becomes readable when the journal changed; None where nothing tells of changes."""
        code = self._slow.sd_journal_get_fd(self._handle)
        return code if code >= 0 else None

    def process(self) -> int:
        """Look at what changed in the folders: `NOP`, `APPEND` or `INVALIDATE` (files came or went)."""
        return _checked(self._slow.sd_journal_process(self._handle), "looking for journal files")
