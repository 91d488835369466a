"""What the journal is asked for: alternatives of fields and values, which both readers understand.

One alternative is a mapping of field to values: an entry matches when each field has one of its values. Several are joined by
OR. None at all: everything. What can't be said so (globs, exclusions) is looked at after reading (`selecting`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Final

from yaat_plugin_journald.priorities import priorities_of

if TYPE_CHECKING:
    from yaat_plugin_journald.config import JournaldConfig

Alternative = Mapping[str, Sequence[str]]

_SUFFIXES: Final = frozenset(
    ["service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope"]
)


def is_glob(text: str) -> bool:
    """Does it hold a wildcard?"""
    return any(letter in text for letter in "*?[")


def unit_name(text: str) -> str:
    """``nginx`` is ``nginx.service``; a glob stays as it is."""
    if is_glob(text) or text.rpartition(".")[2] in _SUFFIXES:
        return text
    return f"{text}.service"


class Nothing(ValueError):
    """The options exclude each other: no entry can match."""


def alternatives(config: JournaldConfig, boot: str) -> Sequence[Alternative]:
    """What to ask for; empty: for everything.

    Raises:
        Nothing: no entry could match.
    """
    parts: list[Sequence[Alternative]] = []
    if units := _unit_part(config):
        parts.append(units)
    if config.identifiers:
        parts.append([{"SYSLOG_IDENTIFIER": config.identifiers}])
    if config.transports:
        parts.append([{"_TRANSPORT": config.transports}])
    if config.priority is not None and len(wanted := priorities_of(config.priority)) < 8:
        parts.append([{"PRIORITY": tuple(map(str, wanted))}])
    if config.matches:
        parts.append([{name: (value,) for name, value in one.items()} for one in config.matches])
    if config.boot == "current":
        parts.append([{"_BOOT_ID": (boot,)}])
    if not parts:
        return ()
    joined = [one for chosen in product(*parts) if (one := _all_of(chosen)) is not None]
    if not joined:
        raise Nothing("the options exclude each other: no entry of the journal can match all of them")
    return joined


def _unit_part(config: JournaldConfig) -> list[Alternative]:
    """As `journalctl -u` and `--user-unit`; nothing when a glob makes it a matter of looking after reading."""
    names = [*config.units, *config.user_units]
    if any(map(is_glob, names)):
        return []
    units, users = tuple(map(unit_name, config.units)), tuple(map(unit_name, config.user_units))
    found: list[Alternative] = []
    if units:
        found += [
            {"_SYSTEMD_UNIT": units},
            {"_PID": ("1",), "UNIT": units},
            {"_UID": ("0",), "OBJECT_SYSTEMD_UNIT": units},
            {"MESSAGE_ID": (COREDUMP,), "_UID": ("0",), "COREDUMP_UNIT": units},
        ]
    if slices := tuple(one for one in units if one.endswith(".slice")):
        found.append({"_SYSTEMD_SLICE": slices})
    if users:
        found += [
            {"_SYSTEMD_USER_UNIT": users},
            {"_COMM": ("systemd",), "USER_UNIT": users},
            {"_UID": ("0",), "OBJECT_SYSTEMD_USER_UNIT": users},
            {"MESSAGE_ID": (COREDUMP,), "_UID": ("0",), "COREDUMP_USER_UNIT": users},
        ]
    return found


#: MESSAGE_ID of a core dump (sd-messages.h).
COREDUMP: Final = "fc2e22bc6ee647b6b90729ab34a250b1"


def _all_of(chosen: Sequence[Alternative]) -> Alternative | None:
    """Several at once: a field that is in two of them must have a value of both; None when it can't."""
    joined: dict[str, Sequence[str]] = {}
    for one in chosen:
        for name, values in one.items():
            both = values if name not in joined else tuple(value for value in joined[name] if value in values)
            if not both:
                return None
            joined[name] = both
    return joined
