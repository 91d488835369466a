"""A batch taken apart into the texts that redaction looks at, each distinct one once, and put together again."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import tags
from yaat_core.event import LEVELS, EventBatch
from yaat_plugin_scrub.redaction import scattered, unshielded

#: Texts that differ from row to row: taken as they are.
PLAIN: Final = ("message", "stacktrace")
#: Texts that repeat: looked at once for each distinct one.
REPEATED: Final = ("operation", "service_name", "environment", "metric_name", "level", "organization_id")
#: Hex digits, unless somebody put something else there.
IDENTITIES: Final = ("trace_id", "span_id", "parent_span_id")
TAG_KEYS: Final = "tags' keys"
TAG_VALUES: Final = "tags' values"

_HEX: Final = np.zeros(256, bool)
_HEX[list(b"0123456789abcdefABCDEF-")] = True


@attrs.define(eq=False)
class Part:
    """One column: its texts, and for repeated ones which row has which (else None)."""

    texts: Any
    indices: Any = None
    changed: bool = False

    @classmethod
    def plain(cls, column: Any) -> Part:
        """Every row's own text."""
        return cls(column)

    @classmethod
    def repeated(cls, column: Any) -> Part:
        """Each distinct text once."""
        encoded = column.dictionary_encode()
        return cls(encoded.dictionary, encoded.indices)

    def put_column(self, column: Any) -> None:
        """Another text for each row."""
        if self.indices is None:
            self.put(column)
            return
        encoded = column.dictionary_encode()
        self.texts, self.indices, self.changed = encoded.dictionary, encoded.indices, True

    def put(self, texts: Any) -> None:
        """Other texts in their places."""
        self.texts, self.changed = texts, True

    def column(self) -> Any:
        """The texts row by row again."""
        return self.texts if self.indices is None else self.texts.take(self.indices)

    def counts(self) -> Any:
        """How many rows have each text."""
        if self.indices is None:
            return np.ones(len(self.texts), np.int64)
        present = self.indices.drop_null().to_numpy(zero_copy_only=False)
        return np.bincount(present, minlength=len(self.texts))

    def rows(self, which: Any) -> Any:
        """A mask of the rows that have one of these texts."""
        chosen = np.zeros(len(self.texts) + 1, bool)
        chosen[which] = True
        if self.indices is None:
            return chosen[:-1]
        return chosen[self.indices.fill_null(len(self.texts)).to_numpy(zero_copy_only=False)]


class Sheet:
    """The parts of one batch, made when they are asked for."""

    def __init__(self, batch: EventBatch) -> None:
        self._batch = batch
        self._parts: dict[str, Part] = {}
        self._keys, self._values, self.offsets = tags.parts(batch.column("tags"))

    def __len__(self) -> int:
        return len(self._batch)

    def part(self, name: str) -> Part:
        """A column of the schema, `TAG_KEYS` or `TAG_VALUES`."""
        if name not in self._parts:
            self._parts[name] = self._made(name)
        return self._parts[name]

    def worth_looking(self) -> list[str]:
        """The parts that hold any text, in which a secret (or a shield) could be."""
        columns = [*PLAIN, *REPEATED, *(name for name in IDENTITIES if self._is_odd(name))]
        filled = [name for name in columns if self._batch.column(name).null_count < len(self._batch)]
        return [*filled, TAG_KEYS, TAG_VALUES] if len(self._keys) else filled

    def _is_odd(self, name: str) -> bool:
        """An identity that a rule changed, or that is none."""
        changed = name in self._parts and self._parts[name].changed
        return changed or not _all_hex(self._batch.column(name))

    def owners(self) -> Any:
        """The row of each tag."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def whose_key_is(self, name: str) -> Any:
        """Positions among the flat tags."""
        part = self.part(TAG_KEYS)
        if not part.changed and name.encode() not in part.texts.view(pa.binary()).to_pylist():
            return np.zeros(0, np.int64)
        return np.flatnonzero(
            pc.equal(self._keys, pa.scalar(name, pa.string())).to_numpy(zero_copy_only=False)
        )

    def batch(self) -> EventBatch:
        """The batch with every change."""
        changed = {name: part.column() for name, part in self._parts.items() if part.changed}
        if "level" in changed:
            changed["level"] = self._level(changed["level"])
        keys, values = changed.pop(TAG_KEYS, None), changed.pop(TAG_VALUES, None)
        if values is not None and keys is None:
            changed["tags"] = tags.with_values(self._batch.column("tags"), values)
        elif keys is not None:
            changed["tags"] = self._retagged(keys, self._values if values is None else values)
        return self._batch.with_columns(changed) if changed else self._batch

    def _made(self, name: str) -> Part:
        if name == TAG_KEYS:
            return self._key_part()
        if name == TAG_VALUES:
            return Part.repeated(self._values)
        column = self._batch.column(name)
        return Part.plain(column) if name in PLAIN else Part.repeated(column)

    def _key_part(self) -> Part:
        names = tags.same_keys(self._keys, self.offsets)
        if names is None:
            return Part.repeated(self._keys)
        # A row's keys are distinct, so each place in a row is one text.
        places = np.tile(np.arange(len(names), dtype=np.int32), len(self))
        return Part(pa.array(names, pa.string()), pa.array(places))

    def _level(self, column: Any) -> Any:
        """A level that is no longer what it was, and none that there is, is empty."""
        column = unshielded(column)
        known = pc.is_in(column, value_set=pa.array(LEVELS))
        same = pc.equal(column, self._batch.column("level"))
        return pc.if_else(pc.or_(known, same), column, "")

    def _retagged(self, keys: Any, values: Any) -> Any:
        """Tags with other keys. Two that became the same in one row are told apart by a number."""
        codes = keys.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        pairs = self.owners() * (len(keys) + 1) + codes
        _, first = np.unique(pairs, return_index=True)
        again = np.setdiff1d(np.arange(len(keys)), first)
        if len(again):
            twice = keys.take(pa.array(again)).view(pa.binary()).to_pylist()
            names = [b"%s#%d" % (key, number) for number, key in enumerate(twice, 2)]
            keys = scattered(keys, again, pa.array(names, pa.binary()).view(pa.string()))
        offsets = pa.array(self.offsets, pa.int32())
        return pa.MapArray.from_arrays(offsets, keys, values, type=self._batch.column("tags").type)


def _all_hex(column: Any) -> bool:
    _, offsets, data = column.buffers()
    if data is None:
        return True
    start, stop = np.frombuffer(offsets, np.int32)[[column.offset, column.offset + len(column)]]
    return bool(_HEX[np.frombuffer(data, np.uint8)[start:stop]].all())
