"""Events that a real database refuses."""

from __future__ import annotations

from typing import Final

from support.scenario import Scenario

#: Gives lines with `bad` a tag twice: DuckDB refuses such a row. In the letter, which is JSON, it is there once.
_TWICE: Final = '''
"""Tags that no database takes."""
import pyarrow as pa
from yaat_core import Processor, Register, configuration, hookimpl

@configuration
class TwiceConfig:
    """Nothing to say."""

class Twice(Processor):
    def __init__(self, config, context):
        pass

    def process(self, batch):
        texts = batch.column("message").to_pylist()
        tags = [[("a", "1"), ("a", "2")] if "bad" in text else [("a", "1")] for text in texts]
        return batch.with_columns({"tags": pa.array(tags, pa.map_(pa.string(), pa.string()))}), []

@hookimpl
def register_components(register: Register) -> None:
    register.processor("twice", TwiceConfig, Twice)
'''


def refuse_bad(scenario: Scenario) -> None:
    """The agent's DuckDB will refuse lines with `bad`."""
    scenario.plugin("twice", _TWICE)
    text = scenario.config.read_text()
    scenario.config.write_text(text.replace("processors:\n", "processors:\n  - {type: twice}\n"))
