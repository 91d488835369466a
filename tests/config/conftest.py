"""Plugins of these tests: classes declared here, so that nothing depends on what is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pluggy
import pytest

from yaat_core import config, hookspecs
from yaat_core.components import Context, Done, Drop, Outcome, Outlet, Position, Processor, Sink, Source
from yaat_core.config.model import Configuration
from yaat_core.config.options import Duration, Size, configuration, option
from yaat_core.config.problems import ConfigError
from yaat_core.event import EventBatch
from yaat_core.hookspecs import hookimpl
from yaat_core.plugins import Plugins, PluginState, register
from yaat_core.registry import Register, Registry
from yaat_core.testing._memory_queue import MemoryQueue

TESTDATA = Path(__file__).parent / "testdata"


@configuration
class TailConfig:
    """Lines of files."""

    paths: tuple[str, ...] = option(help="Globs of files to read.", example=["/var/log/app/*.log"])
    exclude: tuple[str, ...] = option((), help="Globs to leave out.")
    poll: Duration = option("1s", help="How often to look for new files.")
    line_limit: Size = option("1MiB", help="Longest line.")
    start_at: Literal["beginning", "end"] = option("end", help="Where to begin.")
    deep: bool = option(False, help="Whether to look into subfolders.")
    threads: int = option(1, help="How many read.")
    share: float = option(1.0, help="Share of lines.")


class Tail(Source):
    """Reads nothing: these tests stop before that."""

    def __init__(self, config: TailConfig, context: Context) -> None:
        self.config = config

    async def run(self, out: Outlet) -> None:
        """Nothing to read."""


@configuration
class Rule:
    """One rule."""

    name: str = option(help="Its name.")
    pattern: str = option(help="What it finds.")
    fields: tuple[str, ...] = option(("message",), help="Where.")


@configuration
class ScrubConfig:
    """Takes secrets out."""

    detectors: tuple[str, ...] = option((), help="Sets or single detectors.")
    rules: tuple[Rule, ...] = option((), help="Rules of your own.")


@configuration
class EmptyConfig:
    """No options."""


def _pattern(_instance: Any, _attribute: Any, value: str) -> None:
    if value.count("(") != value.count(")"):
        raise ValueError(f"pattern must be a regular expression, got {value!r}")


@configuration
class RegexConfig:
    """Fields by a regular expression."""

    pattern: str = option(help="The expression.", validator=_pattern)
    flags: Mapping[str, bool] = option(factory=dict, help="Switches by name.")


class Same(Processor):
    """Changes nothing."""

    def __init__(self, config: Any, context: Context) -> None:
        self.config = config

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        return batch, ()


class Reads(Same):
    """A format."""

    is_format = True


@configuration
class StoreConfig:
    """A queue."""

    path: str = option("queue", help="Its folder.")


@configuration
class DatabaseConfig:
    """A database."""

    path: str = option("events.db", help="Its file.")
    retention: Duration | None = option("7d", help="How long rows are kept; `none`: for ever.")


@configuration
class CloudConfig:
    """A backend far away."""

    endpoint: str = option(help="Where it is.", example="https://ingest.example.com")
    api_key: str = option(help="Its key.", secret=True)
    headers: Mapping[str, str] = option(factory=dict, help="More headers.")
    low: int = option(0, help="Lower bound.")
    high: int = option(10, help="Upper bound.")

    def __attrs_post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low must not be above high, got {self.low} and {self.high}")


class Database(Sink):
    """A local sink."""

    remote = False

    def __init__(self, config: Any, context: Context) -> None:
        self.config = config

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        return Done()


class Cloud(Database):
    """A remote sink."""

    remote = True


class Toys:
    """The plugin."""

    secrets: Mapping[str, str] = {"api_key": "sk-canary-1234567890"}

    @hookimpl
    def register_components(self, register: Register) -> None:
        """Everything that the files of these tests name."""
        register.source("file", TailConfig, Tail)
        for name in ("auto", "json", "nginx"):
            register.processor(name, EmptyConfig, Reads)
        register.processor("regex", RegexConfig, Reads)
        register.processor("scrub", ScrubConfig, Same)
        register.queue("leveldb", StoreConfig, lambda config, context: MemoryQueue())
        register.sink("duckdb", DatabaseConfig, Database)
        register.sink("cloud", CloudConfig, Cloud)

    @hookimpl
    def resolve_secret(self, name: str) -> str | None:
        """A store with one secret."""
        return self.secrets.get(name)


BROKEN = PluginState(
    name="kafka",
    distribution="yaat-plugin-kafka",
    version="0.4.1",
    state="failed",
    reason="it did not import: No module named 'confluent_kafka'",
    components={"sinks": {"kafka": "Topics of Kafka."}},
)


def empty_plugins(*states: PluginState) -> Plugins:
    """No plugin at all."""
    manager = pluggy.PluginManager("yaat")
    manager.add_hookspecs(hookspecs)
    return Plugins(registry=Registry(), manager=manager, states=states)


@pytest.fixture
def plugins() -> Plugins:
    """The toys, and a plugin that failed."""
    made = empty_plugins(BROKEN)
    register(Toys(), "toys", made)
    return made


Load = Callable[..., Configuration]


@pytest.fixture
def load(plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Write a text as ``yaat.yaml`` in a folder of its own and load it."""
    monkeypatch.chdir(tmp_path)

    def write_and_load(text: str, **environ: str) -> Configuration:
        path = tmp_path / "yaat.yaml"
        path.write_text(text, encoding="utf-8")
        return config.load(path, plugins, environ=environ)

    return write_and_load


@pytest.fixture
def refusal(load: Load) -> Callable[..., ConfigError]:
    """The error that a text gives."""

    def write_and_fail(text: str, **environ: str) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            load(text, **environ)
        return caught.value

    return write_and_fail
