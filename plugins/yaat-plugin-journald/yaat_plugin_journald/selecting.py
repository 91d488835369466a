"""Which entries are left out after reading: globs, exclusions, and what the agent itself logs."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from yaat_plugin_journald.config import JournaldConfig
from yaat_plugin_journald.entries import Entries, Field
from yaat_plugin_journald.matching import is_glob, unit_name
from yaat_plugin_journald.own import Own

_UNIT_FIELDS = ("_SYSTEMD_UNIT", "UNIT", "OBJECT_SYSTEMD_UNIT", "COREDUMP_UNIT")
_USER_UNIT_FIELDS = ("_SYSTEMD_USER_UNIT", "USER_UNIT", "OBJECT_SYSTEMD_USER_UNIT", "COREDUMP_USER_UNIT")


@attrs.frozen
class _Rule:
    """Every field has a value that its pattern matches whole."""

    patterns: Mapping[str, re.Pattern[bytes]]

    def mask(self, entries: Entries) -> npt.NDArray[np.bool_]:
        found = np.ones(len(entries), bool)
        for name, pattern in self.patterns.items():
            found &= _hits(len(entries), entries.fields.get(name), pattern)
        return found


@attrs.frozen
class Selection:
    """Of what was read: an entry stays when one of ``only`` matches (or there is none), and none of ``never``."""

    only: Sequence[_Rule]
    never: Sequence[_Rule]

    @classmethod
    def of(cls, config: JournaldConfig, own: Own) -> Selection:
        """As the options say, and without what the agent logs."""
        only = [
            *_unit_rules(config.units, _UNIT_FIELDS),
            *_unit_rules(config.user_units, _USER_UNIT_FIELDS),
        ]
        if not any(map(is_glob, [*config.units, *config.user_units])):
            only = []
        never = [
            *_unit_rules(config.exclude_units, ("_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT")),
            *(_rule({"SYSLOG_IDENTIFIER": one}) for one in config.exclude_identifiers),
            *(_rule(one) for one in config.exclude_matches),
        ]
        if config.exclude_self:
            never += [_exactly(one) for one in own.maps()]
        return cls(only, never)

    def fields(self) -> frozenset[str]:
        """The fields that have to be read for it."""
        return frozenset(name for rule in [*self.only, *self.never] for name in rule.patterns)

    def mask(self, entries: Entries) -> npt.NDArray[np.bool_] | None:
        """True for those that stay; None: all."""
        if not self.only and not self.never:
            return None
        kept = np.ones(len(entries), bool)
        if self.only:
            kept = np.logical_or.reduce([rule.mask(entries) for rule in self.only])
        for rule in self.never:
            kept &= ~rule.mask(entries)
        return None if kept.all() else kept


def _unit_rules(units: Sequence[str], fields: Sequence[str]) -> list[_Rule]:
    return [_rule({name: unit_name(unit)}) for unit in units for name in fields]


def _rule(globs: Mapping[str, str]) -> _Rule:
    return _Rule({name: _compiled(fnmatch.translate(value)) for name, value in globs.items()})


def _exactly(values: Mapping[str, str]) -> _Rule:
    return _Rule({name: _compiled(re.escape(value)) for name, value in values.items()})


def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())


def _hits(rows: int, field: Field | None, pattern: re.Pattern[bytes]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[Any] = np.zeros(rows, bool)
    if field is None:
        return found
    good = {value for value in set(field.values) if pattern.fullmatch(value)}
    if good:
        taken = [row for row, value in zip(field.rows, field.values, strict=True) if value in good]
        found[taken] = True
    return found
