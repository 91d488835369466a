"""docs/permissions.md has what each source needs, in terms that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
MANIFESTS = sorted(ROOT.glob("plugins/yaat-plugin-*/*/manifest.toml"))
SOURCES = sorted(name for path in MANIFESTS for name in tomllib.loads(path.read_text()).get("sources", {}))
#: capabilities(7), those that an agent could want.
CAPABILITIES = {"CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_NET_BIND_SERVICE"}


def rows() -> dict[str, list[str]]:
    """By source: the cells of its row."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row for row in cells}


def test_there_are_sources() -> None:
    assert {"file", "hostmetrics", "statsd"} <= set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_each_source_has_a_row(name: str) -> None:
    row = rows()[name]
    assert len(row) == 5
    assert all((row[1], row[2], row[4])), "what it reads, which groups, which lines of a unit"


def test_capabilities_are_spelt_right() -> None:
    assert set(re.findall(r"CAP_\w+", PAGE)) == CAPABILITIES


def test_the_unit_has_only_directives_with_values() -> None:
    unit = PAGE.partition("```ini\n")[2].partition("```")[0]
    assert unit.startswith("[Service]\n")
    for line in unit.splitlines()[1:]:
        assert line.startswith("#") or re.fullmatch(r"[A-Z][A-Za-z]+=\S.*", line), line
