"""How the process of a command ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import atexit
from yaat_core.cli.ending import AllClosed, leave
atexit.register(print, "late")
print("told")
leave(SystemExit({wish}))
"""


@pytest.mark.parametrize(("wish", "late"), [("AllClosed(5)", False), ("5", True)])
def test_what_was_printed_is_there_and_the_code_is_kept(wish: str, late: bool) -> None:
    done = subprocess.run([sys.executable, "-c", CODE.format(wish=wish)], capture_output=True, text=True)
    assert done.returncode == 5
    assert done.stdout == ("told\nlate\n" if late else "told\n")
    assert done.stderr == ""
