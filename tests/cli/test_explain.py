"""`yaat explain`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def test_explain(yaat: Any) -> None:
    assert yaat("explain", "YAAT-E501").text.startswith("YAAT-E501")
    assert yaat("explain", "e501", "--json").document["code"] == "YAAT-E501"
    done = yaat("explain", "YAAT-E999")
    assert done.code == 2
    assert "no error has the code" in done.err


def test_every_error_of_this_part_is_explained() -> None:
    from yaat_core.cli.ending import Fault
    from yaat_core.codes import EXPLANATIONS
    from yaat_core.control.answers import TooManyQueries
    from yaat_core.control.client import AnswerCut, NoAnswerInTime
    from yaat_core.control.sockets import SocketPathTooLong

    for kind in (Fault, AnswerCut, NoAnswerInTime, SocketPathTooLong, TooManyQueries):
        assert kind.code in EXPLANATIONS


def test_every_code_that_the_source_names_is_explained(yaat: Any) -> None:
    root = Path(__file__).resolve().parents[2]
    files = [*root.glob("yaat_core/**/*.py"), *root.glob("plugins/*/yaat_*/**/*.py")]
    named = {code for file in files for code in re.findall(r"\bYAAT-[EW]\d{3}\b", file.read_text("utf-8"))}
    assert len(named) >= 40
    for code in sorted(named):
        done = yaat("explain", code, "--json")
        assert done.code == 0, f"{code} is not explained"
        title, _, rest = done.document["text"].partition("\n")
        assert title.endswith("."), code
        assert "To mend it:" in rest, code


def test_every_error_class_has_a_code_that_is_explained() -> None:
    from yaat_core.codes import EXPLANATIONS
    from yaat_core.errors import YaatError

    def below(kind: type[YaatError]) -> Iterator[type[YaatError]]:
        yield kind
        for one in kind.__subclasses__():
            yield from below(one)

    assert {kind.code for kind in below(YaatError) if kind.__module__.startswith("yaat_")} <= set(
        EXPLANATIONS
    )
