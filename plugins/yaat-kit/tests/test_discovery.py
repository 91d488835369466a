"""Globs, and that a quiet folder is not listed again."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from yaat_kit.following.discovery import Finder, exclusion, matches
from yaat_kit.following.identity import original_path

TREE = [
    "app.log",
    "app.txt",
    ".hidden.log",
    "sub/a.log",
    "sub/deep/b.log",
    "sub/.git/c.log",
    "su[b/d.log",
    "x1.log",
]


@pytest.fixture
def tree(tmp_path):
    for name in TREE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def found(folder: Path, *patterns: str, exclude=()):
    finder = Finder([str(folder / pattern) for pattern in patterns], exclude, on_error=unexpected)
    return sorted(os.path.relpath(path, folder) for path in finder.find())


def unexpected(path, error):
    raise error


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.log", ["app.log", "x1.log"]),
        ("app.*", ["app.log", "app.txt"]),
        ("app.log", ["app.log"]),
        ("nothing.log", []),
        ("nowhere/*.log", []),
        ("x?.log", ["x1.log"]),
        ("x[0-9].log", ["x1.log"]),
        ("x[!0-9].log", []),
        (".*.log", [".hidden.log"]),
        ("*/*.log", ["su[b/d.log", "sub/a.log"]),
        ("su[[]b/*", ["su[b/d.log"]),
        ("**/*.log", ["app.log", "su[b/d.log", "sub/a.log", "sub/deep/b.log", "x1.log"]),
        ("sub/**", ["sub/a.log", "sub/deep/b.log"]),
        ("**/deep/**/b.log", ["sub/deep/b.log"]),
        ("sub/../app.log", ["app.log"]),
    ],
)
def test_patterns(tree, pattern, expected):
    assert found(tree, pattern) == expected
    absolute = str(tree / pattern)
    assert all(matches(absolute, str(tree / name)) for name in expected)
    assert not matches(absolute, str(tree / "other" / "name"))


def test_several_patterns_find_a_file_once(tree):
    assert found(tree, "*.log", "app.*") == ["app.log", "app.txt", "x1.log"]


def test_exclusions_by_name_and_by_path(tree):
    assert found(tree, "**/*.log", exclude=["x*", str(tree / "sub/**")]) == ["app.log", "su[b/d.log"]
    excluded = exclusion(["*.gz", "/var/log/*/debug.log", "**/old/*"])
    assert excluded("/a/b.gz")
    assert excluded("/var/log/x/debug.log")
    assert not excluded("/var/log/x/y/debug.log")
    assert excluded("/srv/old/a.log")


def test_links_to_folders_are_followed_by_name_but_not_at_any_depth(tree):
    (tree / "loop").symlink_to(tree)
    assert found(tree, "loop/app.log") == ["loop/app.log"]
    assert found(tree, "*/app.log") == ["loop/app.log"]
    assert found(tree, "**/app.log") == ["app.log"]


def test_a_quiet_folder_is_not_listed_again_until_it_changes(tree, monkeypatch):
    for folder in [tree, *(path for path in tree.rglob("*") if path.is_dir())]:
        os.utime(folder, (1, 1))
    listed: list[str] = []
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or real(path))
    now = [0.0]
    finder = Finder([str(tree / "*.log")], on_error=unexpected, clock=lambda: now[0])
    assert finder.find() == finder.find()
    assert listed == [str(tree)]
    (tree / "new.log").write_text("")
    assert str(tree / "new.log") in finder.find()
    assert len(listed) == 2
    now[0] = 31.0
    finder.find()
    assert len(listed) == 3, "a listing is not trusted for ever"


def test_a_folder_that_changed_just_now_is_listed_again(tmp_path):
    finder = Finder([str(tmp_path / "*")], on_error=unexpected)
    for number in range(50):
        (tmp_path / str(number)).write_text("")
        assert len(finder.find()) == number + 1


def test_a_deep_tree(tmp_path):
    folder = tmp_path
    for _ in range(300):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "x.log").write_text("")
    assert len(found(tmp_path, "**/x.log")) == 1


@pytest.mark.parametrize(
    ("path", "original"),
    [
        ("/l/app.log.1", "/l/app.log"),
        ("/l/app.log.12", "/l/app.log"),
        ("/l/app.log-20260105", "/l/app.log"),
        ("/l/app.log-2026-01-05_10:00", "/l/app.log"),
        ("/l/app-2026-01-05.log", "/l/app.log"),
        ("/l/app.1.log", "/l/app.log"),
        ("/l/app.log.bak", "/l/app.log"),
        ("/l/app.log~", "/l/app.log"),
        ("/l/app.log", None),
        ("/l/app", None),
        ("/l/web2.log", None),
        ("/l/.1", None),
    ],
)
def test_names_of_rotated_copies(path, original):
    assert original_path(path) == original


def test_matching_agrees_with_finding_for_odd_names(tmp_path):
    for name in ["a+b.log", "a(b.log", "a^b.log", "a\\b.log", "ä.log", "a b.log"]:
        (tmp_path / name).write_text("")
        assert found(tmp_path, name.replace("[", "[[]")) == [name]
        assert matches(str(tmp_path / "a*.log"), str(tmp_path / name)) == bool(re.match("a", name))
