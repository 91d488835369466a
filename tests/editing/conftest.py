"""A configuration in a folder of its own, with the plugins that are installed."""

from __future__ import annotations

import functools
from pathlib import Path

import attrs
import pytest

from yaat_core.config.editing.desk import Desk
from yaat_core.plugins import Plugins, load_plugins

CONFIG = """\
# who looks after it: ops
version: 1
state_dir: state
health: {listen: off}

sources:
  # the shop writes here
  app:
    type: file
    paths: ["app.log"]   # one line an order
    start_at: beginning
    # format: json

  web:
    type: file
    paths:
      # all of them
      - web*.log
      - 'more/*.log'

processors:
- type: scrub   # never take this out
  detectors: [secrets]

sinks: {local: {type: duckdb, path: e.duckdb}}
"""


@functools.cache
def plugins() -> Plugins:
    return load_plugins()


@attrs.frozen
class Place:
    """A folder with ``yaat.yaml``."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "yaat.yaml"

    @property
    def desk(self) -> Desk:
        return Desk(path=self.config, state_dir=self.folder / "state", plugins=plugins())

    def write(self, text: str) -> None:
        self.config.write_bytes(text.encode())

    def text(self) -> str:
        return self.config.read_bytes().decode()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.write(CONFIG)
    return made
