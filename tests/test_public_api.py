"""What plugin authors may use is listed, sorted, there, and documented."""

from __future__ import annotations

import importlib
import inspect

import pytest

import yaat_core

PUBLIC = ["yaat_core", "yaat_core.testing"]


def shelf(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, each by name: the order that ruff keeps."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.mark.parametrize("module", PUBLIC)
def test_all_is_sorted(module: str) -> None:
    names = importlib.import_module(module).__all__
    assert list(names) == sorted(names, key=shelf)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_name_resolves_and_says_what_it_is(module: str) -> None:
    loaded = importlib.import_module(module)
    for name in loaded.__all__:
        thing = getattr(loaded, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            own = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
            assert own, f"{module}.{name} has no docstring"
            assert not own.startswith(f"{name}("), f"{module}.{name}: attrs wrote its docstring, nobody did"


def test_all_is_complete() -> None:
    assert sorted(yaat_core._HOME) == sorted(yaat_core.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'yaat_core' has no attribute 'Sauce'"):
        _ = yaat_core.Sauce


def test_names_are_found_where_they_are_defined() -> None:
    for name, home in yaat_core._HOME.items():
        assert getattr(yaat_core, name) is getattr(importlib.import_module(home), name)
