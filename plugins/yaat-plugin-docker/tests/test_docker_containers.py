"""What is known of a container, what its labels ask for, and which are meant."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from yaat_kit.choosing import Choice
from yaat_plugin_docker import address, adlogs
from yaat_plugin_docker.container import Container, Selection, from_inspection, split_image
from yaat_plugin_docker.labels import wishes
from yaat_plugin_docker.own import own_ids


def container(**labels: str) -> Container:
    document = {
        "Id": "ab" * 32,
        "Name": "/web",
        "Created": "2026-01-01T00:00:00.5Z",
        "Image": "sha256:00",
        "State": {"Running": True, "StartedAt": "2026-01-01T00:00:01Z", "FinishedAt": "0001-01-01T00:00:00Z"},
        "Config": {"Image": "shop/web:1.2", "Tty": False, "Env": ["A=1", "B"], "Labels": labels},
        "HostConfig": {"LogConfig": {"Type": "json-file"}},
        "RestartCount": 2,
    }
    found = from_inspection(document)
    assert found is not None
    return found


@pytest.mark.parametrize("document", [None, [], {}, {"Id": "../../etc"}, {"Id": 5}, {"Id": "a" * 65}])
def test_what_is_no_container(document: object) -> None:
    assert from_inspection(document) is None


def test_names_of_services_in_their_order() -> None:
    asked = {"com.docker.compose.service": "compose"}
    assert wishes(container()).service_name == "web"
    assert wishes(container(**asked)).service_name == "compose"
    asked["com.datadoghq.tags.service"] = "tags"
    assert wishes(container(**asked)).service_name == "tags"
    asked[adlogs.LABEL] = '[{"source": "nginx", "service": "ad"}]'
    assert (wishes(container(**asked)).service_name, wishes(container(**asked)).format) == ("ad", "nginx")
    asked["yaat.logs.service"] = "own"
    assert wishes(container(**asked)).service_name == "own"


@pytest.mark.parametrize("pattern", ["(", r"(?=x)", None, 5])
def test_a_mask_that_cannot_be_applied_keeps_the_container_from_being_read(pattern: object) -> None:
    rule = {"type": "mask_sequences", "name": "key", "pattern": pattern, "replace_placeholder": "x"}
    asked = wishes(container(**{adlogs.LABEL: json.dumps([{"log_processing_rules": [rule]}])}))
    assert "can't be applied" in asked.refused


def test_what_of_datadogs_label_is_not_honoured_is_told() -> None:
    rules = [
        {"type": "exclude_truncated", "name": "long"},
        {"type": "exclude_at_match", "name": "look", "pattern": "(?!x)"},
        {"type": "multi_line", "name": "date", "pattern": r"\d{4}-"},
    ]
    label = json.dumps([{"auto_multi_line_detection": True, "log_processing_rules": rules}, {}])
    asked = wishes(container(**{adlogs.LABEL: label}))
    told = " ".join(asked.complaints)
    for word in ("exclude_truncated", "lookahead", "auto_multi_line_detection", "2 entries"):
        assert word in told
    assert asked.multiline is not None
    assert not asked.refused


def test_rules_on_columns() -> None:
    rules = [adlogs.Rule("include_at_match", "a", "GET"), adlogs.Rule("exclude_at_match", "b", "health")]
    texts = pa.array(["GET /", "GET /health", "POST /"])
    assert adlogs.wanted(rules, texts).to_pylist() == [True, False, False]


@pytest.mark.parametrize(
    ("image", "name", "tag"),
    [
        ("nginx", "nginx", ""),
        ("nginx:1.2", "nginx", "1.2"),
        ("localhost:5000/a/b", "localhost:5000/a/b", ""),
        ("localhost:5000/a/b:c", "localhost:5000/a/b", "c"),
        ("a/b:c@sha256:00", "a/b", "c"),
        ("sha256:00", "sha256:00", ""),
    ],
)
def test_images(image: str, name: str, tag: str) -> None:
    assert split_image(image) == (name, tag)


def test_selection_by_id_and_label() -> None:
    labels = Choice(include=("team=*",))
    selection = Selection(Choice(), Choice(exclude=("*/pause:*",)), labels, Choice(exclude=("4f5a",)))
    assert selection.takes("4e", "web", "web:1", {"team": "shop"})
    assert not selection.takes("4e", "web", "web:1", {})
    assert not selection.takes("4e", "web", "k8s/pause:3", {"team": "shop"})
    assert not selection.takes("4f5a77", "web", "web:1", {"team": "shop"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/run/docker.sock", "unix:///run/docker.sock"),
        ("unix:///run/user/1000/podman/podman.sock", "unix:///run/user/1000/podman/podman.sock"),
        ("tcp://127.0.0.1:2375", "tcp://127.0.0.1:2375"),
        ("tcp://localhost", "tcp://localhost:2375"),
        ("tcp://[::1]:1", "tcp://[::1]:1"),
    ],
)
def test_addresses(text: str, shown: str) -> None:
    assert str(address.parse(text)) == shown


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("tcp://10.0.0.1:2375", "rights of root"),
        ("ssh://host", "ssh -L"),
        ("https://host", "not supported"),
        ("x", "must be"),
    ],
)
def test_addresses_that_are_refused(text: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        address.parse(text)


def test_docker_host_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")
    assert str(address.find(None)) == "unix:///run/other.sock"
    assert str(address.find("/mine")) == "unix:///mine"
    monkeypatch.setenv("DOCKER_HOST", "ssh://far")
    with pytest.raises(ValueError, match="DOCKER_HOST"):
        address.find(None)


def test_the_agents_own_container(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    one, two = "1a" * 32, "2b" * 32
    (tmp_path / "proc/self/cgroup").write_text(f"0::/system.slice/docker-{one}.scope\n")
    (tmp_path / "proc/self/mountinfo").write_text(
        f"1 2 0:1 /docker/containers/{two}/hostname /etc/hostname rw - ext4 /dev/sda rw\n"
        f"1 2 0:1 / /var/lib/docker/overlay2/{'3c' * 32}/merged rw - overlay overlay rw\n"
    )
    assert own_ids(tmp_path) == {one, two}
    assert not own_ids(tmp_path / "nowhere")
