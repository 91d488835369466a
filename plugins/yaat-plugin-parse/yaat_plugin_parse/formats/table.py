"""Every format by name: the one place that a new one is added to (and to `manifest.toml`).

A format is a module with a class like `Format`, and a config class with its options.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

import attrs

from yaat_plugin_parse import config as options
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

    def make_for(self, auto: options.AutoConfig) -> Format:
        """The format with the options that `auto` shares with it."""
        names = [field.name for field in attrs.fields(self.config)]
        return self.make(self.config(**{name: getattr(auto, name) for name in names if hasattr(auto, name)}))


def _entry(name: str, config: type, *, guessed: bool = True) -> Entry:
    return Entry(name, config, f"yaat_plugin_parse.formats.{name}:{name.capitalize()}Format", guessed)


#: In the order in which `auto` prefers them when several fit as many lines.
FORMATS: Final = (
    _entry("docker", options.DockerConfig),
    _entry("json", options.JsonConfig),
    _entry("cri", options.CriConfig),
    _entry("nginx", options.NginxConfig),
    _entry("apache", options.ApacheConfig),
    _entry("haproxy", options.HaproxyConfig),
    _entry("syslog", options.SyslogConfig),
    _entry("klog", options.KlogConfig),
    _entry("redis", options.RedisConfig),
    _entry("postgres", options.PostgresConfig),
    _entry("mysql", options.MysqlConfig),
    _entry("django", options.DjangoConfig),
    _entry("python", options.PythonConfig),
    _entry("log4j", options.Log4jConfig),
    _entry("logfmt", options.LogfmtConfig),
    _entry("w3c", options.W3cConfig),
    _entry("csv", options.CsvConfig, guessed=False),
    _entry("regex", options.RegexConfig, guessed=False),
    _entry("raw", options.RawConfig, guessed=False),
)
