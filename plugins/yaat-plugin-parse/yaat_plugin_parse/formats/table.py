"""Every format by name: the one place that a new one is added to (and to `manifest.toml`).

A format is a module with a class like `Format`, and a config class with its options.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import attrs

from yaat_plugin_parse.config import AutoConfig, JsonConfig, NginxConfig, PythonConfig, RawConfig, RegexConfig
from yaat_plugin_parse.formats.format import Format


@attrs.frozen
class Entry:
    """A format's name, its options, and where its class is; the module is loaded when it is made."""

    name: str
    config: type
    target: str
    guessed: bool
    """`auto` may choose it; its options are then `auto`'s of the same names."""

    def make(self, config: Any) -> Format:
        """The format."""
        module, _, name = self.target.partition(":")
        made: Format = getattr(importlib.import_module(module), name)(config)
        return made

    def make_for(self, auto: AutoConfig) -> Format:
        """The format with the options that `auto` shares with it."""
        names = [field.name for field in attrs.fields(self.config)]
        return self.make(self.config(**{name: getattr(auto, name) for name in names if hasattr(auto, name)}))


#: In the order in which `auto` prefers them when several fit as many lines.
FORMATS: Final = (
    Entry("json", JsonConfig, "yaat_plugin_parse.formats.json:JsonFormat", True),
    Entry("nginx", NginxConfig, "yaat_plugin_parse.formats.nginx:NginxFormat", True),
    Entry("python", PythonConfig, "yaat_plugin_parse.formats.python:PythonFormat", True),
    Entry("regex", RegexConfig, "yaat_plugin_parse.formats.regex:RegexFormat", False),
    Entry("raw", RawConfig, "yaat_plugin_parse.formats.raw:RawFormat", False),
)
