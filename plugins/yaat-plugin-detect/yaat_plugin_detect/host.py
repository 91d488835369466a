"""Facts of this machine: its name, what it runs in, Kubernetes, the cloud as far as the firmware names it. No network."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Final, Literal

import attrs

from yaat_kit.containers import CONTAINER_ID
from yaat_plugin_detect.config import Place
from yaat_plugin_detect.files import read_regular
from yaat_plugin_detect.processes import container_of

Kind = Literal["container", "vm", "bare"]

_DMI: Final = "/sys/class/dmi/id"
#: A part of what the firmware says of its maker to the cloud's name.
_MAKERS: Final[Mapping[str, str]] = {
    "Amazon EC2": "aws",
    "Google": "gcp",
    "Microsoft Corporation": "azure",
    "DigitalOcean": "digitalocean",
    "Hetzner": "hetzner",
}
_MACHINES: Final = (
    "kvm",
    "qemu",
    "vmware",
    "virtualbox",
    "virtual machine",
    "xen",
    "bochs",
    "hvm",
    "standard pc",
)


@attrs.frozen(kw_only=True)
class Host:
    """What is known without asking anybody."""

    name: str
    environment: Kind
    container_id: str = ""
    kubernetes: bool = False
    pod: str = ""
    cloud: str = ""
    """The cloud that the firmware names."""


def host(place: Place, environ: Mapping[str, str] | None = None) -> Host:
    """Look at files and the environment of this process."""
    environ = os.environ if environ is None else environ
    own = place.local("/proc/self") if not place.root else "/proc/self"
    id = container_of(own) or _id_by_mounts(own)
    marked = any(os.path.exists(place.local(name)) for name in ("/.dockerenv", "/run/.containerenv"))
    kubernetes = "KUBERNETES_SERVICE_HOST" in environ
    maker = f"{_text(place, f'{_DMI}/sys_vendor')} {_text(place, f'{_DMI}/product_name')}"
    virtual = any(word in maker.lower() for word in _MACHINES) or " hypervisor" in _text(
        place, "/proc/cpuinfo"
    )
    cloud = next((name for part, name in _MAKERS.items() if part in maker), "")
    return Host(
        name=_text(place, "/proc/sys/kernel/hostname").strip() or socket.gethostname(),
        environment="container" if id or marked or kubernetes else "vm" if virtual or cloud else "bare",
        container_id=id,
        kubernetes=kubernetes,
        pod=environ.get("HOSTNAME", "") if kubernetes else "",
        cloud=cloud if cloud != "azure" or "Virtual Machine" in maker else "",
    )


def _id_by_mounts(own: str) -> str:
    """With control groups v2 the group is `/` inside; the files that an engine mounts name the container."""
    try:
        text = read_regular(f"{own}/mountinfo", 2**20).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""
    for line in text.splitlines():
        parts = line.split()
        if len(parts) > 4 and parts[4] in ("/etc/hostname", "/etc/resolv.conf", "/etc/hosts"):
            found = CONTAINER_ID.search(parts[3])
            if found:
                return found[0]
    return ""


def _text(place: Place, path: str) -> str:
    try:
        return read_regular(place.local(path), 2**20).decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        return ""
