"""Where something stands in a configuration, as a person writes it: ``sources.app.paths[0]``, ``processors.scrub.rules``.

A name with dots in it is found as it is where one is there, or is put in quotes: ``sources."my.app".paths``. A processor is
addressed by its name (its type when it has none).
"""

from __future__ import annotations

import re
from typing import Any, Final

from yaat_core.config.nodes import KeyPath, place
from yaat_core.errors import UsageError
from yaat_core.guessing import guess

_PART: Final = re.compile(r"""\.?(?:"([^"]+)"|'([^']+)'|\[(\d+)\]|([^.\["']+))""")
PROCESSORS: Final = "processors"


def parts(written: str) -> KeyPath:
    """The written form taken apart.

    Raises:
        UsageError: it is no path.
    """
    found: list[str | int] = []
    place = 0
    while place < len(written):
        match = _PART.match(written, place)
        if match is None or (place == 0 and written.startswith(".")):
            raise UsageError(
                f"`{written}` is no path of a key",
                fix='write it like sources.app.paths, processors.scrub.detectors[0] or sources."my.app".type',
            )
        double, single, index, plain = match.groups()
        found.append(int(index) if index is not None else double or single or plain)
        place = match.end()
    if not found:
        raise UsageError("the path of a key is empty", fix="write it like sources.app.paths")
    return tuple(found)


def resolved(path: KeyPath, value: Any) -> KeyPath:
    """The path in a document: processors by their place, names with dots in one part. What is not there stays as it is.

    Raises:
        UsageError: it names a processor that is not there, or goes through a value that has no parts.
    """
    whole: list[str | int] = []
    rest = list(path)
    while rest:
        if isinstance(value, list):
            index = _index(value, rest[0], whole)
            whole.append(index)
            value = value[index] if index < len(value) else None
            rest = rest[1:]
        elif isinstance(value, dict):
            name, rest = _named(value, rest)
            whole.append(name)
            value = value.get(name) if isinstance(name, str) else None
        elif value is None:
            return (*whole, *rest)
        else:
            raise UsageError(
                f"`{place(tuple(whole))}` is {_shown(value)}, so it has no `{rest[0]}`",
                fix="set it as a whole, or unset it first",
            )
    return tuple(whole)


def processor_name(item: Any) -> str:
    """The name of an item of `processors`."""
    if not isinstance(item, dict):
        return ""
    return str(item.get("name") or item.get("type") or "")


def _named(value: dict[str, Any], rest: list[str | int]) -> tuple[str | int, list[str | int]]:
    """The longest name with dots that is there, else the first part."""
    for count in range(len(rest), 1, -1):
        if all(isinstance(one, str) for one in rest[:count]):
            name = ".".join(str(one) for one in rest[:count])
            if name in value:
                return name, rest[count:]
    return rest[0], rest[1:]


def _index(value: list[Any], part: str | int, whole: list[str | int]) -> int:
    if isinstance(part, int):
        if part > len(value):
            raise UsageError(f"`{place(tuple(whole))}` has {len(value)} items: [{part}] would leave a gap")
        return part
    names = [processor_name(one) for one in value] if whole == [PROCESSORS] else []
    if part in names:
        return names.index(part)
    if whole != [PROCESSORS]:
        raise UsageError(
            f"`{place(tuple(whole))}` is a list: address an item by its number",
            fix=f"{place(tuple(whole))}[0]",
        )
    raise UsageError(f"there is no processor `{part}`", fix=guess(str(part), filter(None, names)))


def _shown(value: Any) -> str:
    return "a text" if isinstance(value, str) else "true or false" if isinstance(value, bool) else "a number"
