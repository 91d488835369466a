"""`Secret`: an option that is read like a text and never shown."""

from __future__ import annotations

import pytest

from yaat_core.config.nodes import MASK
from yaat_core.config.options import Secret, configuration, option
from yaat_core.config.parsing import parse
from yaat_core.config.problems import Misfits
from yaat_core.config.showing import written
from yaat_core.config.structure import Structurer


@configuration
class KeyConfig:
    """Has a key."""

    key: Secret = option(help="The key.")


def structured(text: str) -> KeyConfig:
    root = parse(text, "a file").root
    assert root is not None
    return Structurer().build(root, KeyConfig)


def test_a_text_becomes_a_secret_that_shows_nothing() -> None:
    config = structured("key: hunter2")
    assert config.key.reveal() == "hunter2"
    assert "hunter2" not in f"{config} {config!r} {config.key!s} {written(config)}"
    assert written(config) == {"key": MASK}


def test_a_number_is_no_secret_text_and_is_not_told() -> None:
    with pytest.raises(Misfits) as caught:
        structured("key: 12345")
    [misfit] = caught.value.found
    assert "a secret text" in misfit.what


def test_secrets_are_compared_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
