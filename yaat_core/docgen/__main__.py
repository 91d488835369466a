"""``python -m yaat_core.docgen [--check]``: exit code 1 when ``--check`` finds a document that is not up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from yaat_core import docgen
from yaat_core.errors import YaatError


def main(arguments: list[str]) -> int:
    """Write, or check, below the working directory."""
    root = Path.cwd()
    if arguments not in ([], ["--check"]) or not (root / "yaat_core").is_dir():
        print("usage: python -m yaat_core.docgen [--check], from the root of the repository", file=sys.stderr)
        return 2
    try:
        found = docgen.stale(root) if arguments else docgen.write(root)
    except YaatError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    for path in found:
        print(f"{path.relative_to(root)} {'is not up to date: run make fix' if arguments else 'written'}")
    return int(bool(arguments and found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
