"""One file for each mistake in ``testdata``, with the exact message beside it.

After a change of wording: ``YAAT_REWRITE=1 pytest tests/config/test_mistakes.py``, and read the diff.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from yaat_core import config
from yaat_core.codes import EXPLANATIONS
from yaat_core.config.problems import ConfigError
from yaat_core.plugins import Plugins

TESTDATA = Path(__file__).parent / "testdata"
NAMES = sorted(path.stem for path in TESTDATA.glob("*.yaml"))
CANARIES = ("sk-canary", "from-the-environment")


def refusal(name: str, plugins: Plugins, folder: Path) -> ConfigError:
    path = shutil.copy(TESTDATA / f"{name}.yaml", folder / f"{name}.yaml")
    with pytest.raises(ConfigError) as caught:
        config.load(Path(path), plugins, environ={"POLL": "from-the-environment"})
    return caught.value


@pytest.mark.parametrize("name", NAMES)
def test_the_message_is_the_one_beside_the_file(
    name: str, plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    got = refusal(name, plugins, tmp_path).render() + "\n"
    expected = TESTDATA / f"{name}.txt"
    if os.environ.get("YAAT_REWRITE"):
        expected.write_text(got, encoding="utf-8")
    assert got == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_has_a_place_a_known_code_and_no_secret(
    name: str, plugins: Plugins, tmp_path: Path
) -> None:
    error = refusal(name, plugins, tmp_path)
    document = json.loads(json.dumps(error.to_json()))
    assert document["problems"]
    for problem in document["problems"]:
        assert problem["code"] in EXPLANATIONS
        assert problem["line"] >= 1
        assert problem["column"] >= 1
        assert problem["file"].endswith(f"{name}.yaml")
        assert problem["what"]
        assert problem.get("nearest") or problem.get("fix") or "must" in problem["what"], problem
    told = json.dumps(document) + error.render()
    assert not [canary for canary in CANARIES if canary in told]


def test_all_six_of_six_mistakes_are_told_in_order(plugins: Plugins, tmp_path: Path) -> None:
    problems = refusal("six_mistakes", plugins, tmp_path).problems
    assert [(problem.line, problem.code) for problem in problems] == [
        (2, "YAAT-E102"),
        (7, "YAAT-E102"),
        (8, "YAAT-E101"),
        (9, "YAAT-E103"),
        (11, "YAAT-E109"),
        (13, "YAAT-E102"),
    ]
