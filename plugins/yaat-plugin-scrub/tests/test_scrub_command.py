"""`yaat scrub test`, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SECRET = "hunter2-and-a-long-tail"
LINES = [
    f"login password={SECRET} ok",
    "nothing here",
    f"GET /healthz token={SECRET}",
    "order-17 \x1b[31mfrom bob@example.com",
    b"\xff\xfe broken".decode("latin-1"),
]


def yaat(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "yaat_core.cli", "scrub", "test", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("sample") / "app.log"
    path.write_bytes(b"".join(line.encode("latin-1") + b"\n" for line in LINES))
    return str(path)


def test_before_and_after_with_kinds_and_counts(sample: str) -> None:
    done = yaat("--detectors", "secrets,email", "--rule", r"order=order-\d+", sample)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        "line 1  password",
        "  - login password=hu…il ok",
        "  + login password=[password] ok",
    ]
    assert "line 4  order, email" in lines
    assert "  + [order] \\x1b[31mfrom [email]" in lines
    assert lines[-1] == "3 of 5 lines change, 0 are dropped"
    by_rule = lines[lines.index("rule order: 1") :]
    assert by_rule[:3] == [
        "rule order: 1",
        "  - … \\x1b[31mfrom [email]",
        "  + [order] \\x1b[31mfrom [email]",
    ]
    assert "detector password: 2" in by_rule
    assert by_rule[-2].startswith("found nothing: private_key, jwt, ")
    assert SECRET not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout


def test_secrets_are_shown_on_request_only(sample: str) -> None:
    assert SECRET in yaat("--detectors", "secrets", "--show", sample).stdout


def test_json_from_stdin() -> None:
    done = yaat("--json", "--detectors", "secrets", "--limit", "1", stdin="\n".join(LINES[:3]))
    document = json.loads(done.stdout)
    rules = {one["rule"]: one for one in document.pop("rules")}
    assert rules["password"] == {
        "rule": "password",
        "type": "detector",
        "texts": 2,
        "example": {
            "line": 1,
            "before": "login password=hu…il ok",
            "after": "login password=[password] ok",
        },
    }
    assert rules["jwt"] == {"rule": "jwt", "type": "detector", "texts": 0, "example": None}
    assert document == {
        "lines": 3,
        "changed": 2,
        "dropped": 0,
        "counts": {"password": 2},
        "changes": [
            {
                "line": 1,
                "kinds": ["password"],
                "dropped": False,
                "before": "login password=hu…il ok",
                "after": "login password=[password] ok",
            }
        ],
    }


def test_the_configured_scrubs(sample: str, tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(
        """\
version: 1
state_dir: state
sources: {}
processors:
  - type: scrub
    detectors: [email]
    rules: [{name: health, pattern: "GET /healthz", drop: true}]
  - {type: scrub, name: second}
""",
        encoding="utf-8",
    )
    done = yaat("-c", str(config), "--json", sample)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["counts"] == {"password": 1, "health": 1, "email": 1}
    assert (answer["changed"], answer["dropped"]) == (2, 1)
    dropped = next(change for change in answer["changes"] if change["dropped"])
    assert dropped["after"] is None
    assert SECRET not in done.stdout


def test_lines_may_be_parsed_so_that_tags_are_tried(tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(
        """\
sources: {}
processors:
  - type: scrub
    detectors: [secrets]
    masks:
      - {name: mail, fields: [tags.user.email], action: keep_last}
      - {name: gone, fields: [tags.user.id], action: remove}
    rules: [{name: order, pattern: "order-\\\\d+"}]
""",
        encoding="utf-8",
    )
    line = {"msg": f"hello token={SECRET}", "user": {"email": SECRET, "id": SECRET, "order-7": "x"}}
    done = yaat("-c", str(config), "--format", "json", "--json", stdin=json.dumps(line))
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout
    answer = json.loads(done.stdout)
    assert answer["counts"] == {"mail": 1, "gone": 1, "order": 1, "password": 1}
    event = json.loads(answer["changes"][0]["after"])
    assert event["message"] == "hello token=[password]"
    assert event["tags"] == {"user.email": "***tail", "user.[order]": "x"}
    assert [one["type"] for one in answer["rules"]][:3] == ["mask", "mask", "rule"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--detectors", "secret"], "did you mean `secrets`"),
        (["--rule", "x"], "NAME=PATTERN"),
        (["--rule", "x=(?<=a)b"], "lookbehind"),
        (["no-such-file"], "no-such-file"),
        (["--format", "jsn"], "did you mean `json`"),
        (["--format", "regex"], "needs options"),
    ],
)
def test_mistakes_end_with_two(arguments: list[str], said: str) -> None:
    done = yaat(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


SOURCE = """\
state_dir: state
sources:
  app: {type: file, paths: [app.json], format: json, start_at: end}
  other: {type: file, paths: [app.json]}
processors:
  - {type: filter, name: noise, drop: "message = 'noise'"}
  - type: scrub
    detectors: [secrets]
    masks: [{name: mail, fields: [tags.user.email], action: remove}]
    sources: [app]
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    lines = [
        {"msg": f"hello token={SECRET}", "user": {"email": f"{SECRET}@example.com"}},
        {"msg": "noise", "user": {"email": "x"}},
        {"msg": "nothing here"},
    ]
    (tmp_path / "app.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    path = tmp_path / "yaat.yaml"
    path.write_text(SOURCE)
    return path


def test_sample_lines_of_a_source_are_shown_as_they_would_be_only(place: Path) -> None:
    done = yaat("-c", str(place), "--json", "--source", "app")
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["lines"] == 2, "what a processor before the redaction drops does not come to it"
    assert answer["counts"] == {"mail": 1, "password": 1}
    (change,) = answer["changes"]
    assert change["before"] is None
    assert "hello token=[password]" in change["after"]
    assert all(one["example"] is None or one["example"]["before"] is None for one in answer["rules"])
    human = yaat("-c", str(place), "--source", "app").stdout
    assert "  + " in human
    assert "  - " not in human
    assert not (place.parent / "state").exists(), "nothing is kept"


def test_rules_are_tried_on_a_source_before_those_that_are_configured(place: Path) -> None:
    done = yaat(
        "-c", str(place), "--json", "--source", "app", "--detectors", "iban", "--rule", "word=nothing"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"] == {"word": 1, "mail": 1, "password": 1}
    assert SECRET not in done.stdout, "what is redacted anyway stays redacted"
    bare = yaat("-c", str(place), "--json", "--source", "other", "--rule", "word=nothing")
    assert json.loads(bare.stdout)["counts"]["word"] == 1


def test_a_file_by_option_is_the_same_as_by_argument(sample: str) -> None:
    named = yaat("--detectors", "secrets", "--file", sample, "--json")
    assert json.loads(named.stdout) == json.loads(yaat("--detectors", "secrets", sample, "--json").stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "ap"], "there is no source"),
        (["--source", "other"], "for the source other"),
        (["--source", "app", "--show"], "never shown as they were"),
        (["--source", "app", "--format", "json"], "own format"),
        (["--source", "app", "app.json"], "exclude each other"),
    ],
)
def test_mistakes_with_sources_end_with_two(place: Path, arguments: list[str], said: str) -> None:
    given = [str(place.parent / one) if one == "app.json" else one for one in arguments]
    done = yaat("-c", str(place), *given)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout
