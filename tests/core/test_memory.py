"""What keeps the memory of an agent small, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

CODE = """
import json
from pathlib import Path
from yaat_core.memory import before_imports, forget_code
before_imports()
import pyarrow as pa, pyarrow.compute as pc

def files():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

def work():
    texts = pa.array(["a=1", "b=22", None])
    return pc.replace_substring_regex(texts, "[0-9]+", "n").to_pylist()

before, answer = files(), work()
forget_code()
after = files()
print(json.dumps({"before": before, "after": after, "same": work() == answer, "answer": answer}))
"""


def child(code: str) -> Any:
    return json.loads(subprocess.check_output([sys.executable, "-c", code]))


def test_code_of_the_start_is_let_go_and_comes_back_when_it_is_needed() -> None:
    told = child(CODE)
    assert told["after"] < told["before"]
    assert told["same"]
    assert told["answer"] == ["a=n", "b=n", None]
