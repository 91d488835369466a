"""The hooks of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core.hookspecs import hookimpl
from yaat_plugin_leveldb.config import LevelDBConfig

if TYPE_CHECKING:
    from yaat_core.components import Context, Queue
    from yaat_core.registry import Register


@hookimpl
def register_components(register: Register) -> None:
    """Provide the queue type `leveldb`."""
    register.queue("leveldb", LevelDBConfig, _make)


def _make(config: LevelDBConfig, context: Context) -> Queue:
    from yaat_plugin_leveldb.queue import LevelDBQueue

    return LevelDBQueue(config, context)
