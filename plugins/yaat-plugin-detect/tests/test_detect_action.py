"""What the action `detect.run` offers to screens."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.host_root import HostRoot

from yaat_core.actions.detect import DETECT_RUN, Detected, DetectGiven
from yaat_core.cli.editing import Place, locally
from yaat_core.plugins import load_plugins


def test_it_tells_what_could_be_read_and_what_is(
    root: HostRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in root.environ.items():
        monkeypatch.setenv(name, value)
    root.write(
        "/etc/nginx/nginx.conf",
        "error_log /var/log/nginx/error.log; http { access_log /var/log/nginx/access.log; }",
    )
    root.write("/var/log/nginx/access.log")
    config = tmp_path / "yaat.yaml"
    place = Place(config, tmp_path / "state", load_plugins([]))

    def found() -> Detected:
        return locally(place, DETECT_RUN, DetectGiven())

    config.write_text("version: 1\nstate_dir: state\nsources: {}\n")
    sources = [one for one in found().sources if one.name.startswith("nginx")]
    assert sources
    assert all(one.options["type"] == "file" and not one.read_by and one.evidence for one in sources)
    paths = [path for one in sources for path in one.options["paths"]]
    assert any(path.endswith("nginx/access.log") for path in paths)
    config.write_text(f"version: 1\nstate_dir: state\nsources: {{web: {{type: file, paths: {paths!r}}}}}\n")
    assert {one.read_by for one in found().sources if one.name.startswith("nginx")} == {"web"}
    config.write_text("version: 1\nsources: {web: {type: file, pathz: []}}\n")
    broken = found()
    assert any("can't be told" in one for one in broken.failures)
    assert {one.read_by for one in broken.sources} == {""}
