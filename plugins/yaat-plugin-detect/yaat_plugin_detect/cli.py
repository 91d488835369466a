"""`yaat detect`."""

from __future__ import annotations

import click

from yaat_core.cli.door import Door, command
from yaat_core.errors import UsageError


@command(example="yaat detect\nyaat detect --cloud\nyaat detect --json | jq -r .configuration")
@click.option("--cloud", "ask_cloud", is_flag=True, help="Ask the cloud's metadata service, 300 ms at most.")
@click.option(
    "--cloud-address",
    metavar="URL",
    default="http://169.254.169.254",
    show_default=True,
    help="Where that service is.",
)
@click.pass_obj
def detect(door: Door, *, ask_cloud: bool, cloud_address: str) -> None:
    """What runs on this machine and where its logs are.

    Explains each finding, says what can't be read and what that needs, and prints the configuration that it would
    add. Nothing is changed, and nothing that is found is run. YAAT_HOST_ROOT says where the machine's file system is mounted,
    when this runs in a container.
    """
    import trio

    from yaat_core.cli.setup import load
    from yaat_core.detection import detectors_of
    from yaat_plugin_detect import cloud
    from yaat_plugin_detect.config import PATIENCE, Place
    from yaat_plugin_detect.found import Found, look, within
    from yaat_plugin_detect.host import host
    from yaat_plugin_detect.machine import ThisMachine
    from yaat_plugin_detect.report import Report
    from yaat_plugin_detect.sources import plan

    if not cloud_address.startswith(("http://", "https://")):
        raise UsageError("--cloud-address is no address", fix=f"write it as {cloud.ADDRESS}")
    setup = load(door)
    place = Place.of()
    machine = ThisMachine(place)
    detectors, failed = detectors_of(setup.plugins)
    registry = setup.plugins.registry
    hung = Found(failures=[f"looking took more than {PATIENCE:g} s; a file system may hang"])
    found = within(PATIENCE + 1, lambda: look(machine, detectors)) or hung
    made = within(PATIENCE + 1, lambda: plan(found.detections, machine, registry))
    report = Report(
        host=host(place),
        cloud=trio.run(cloud.ask, cloud_address) if ask_cloud else None,
        asked_cloud=ask_cloud,
        detections=found.detections,
        plan=made or plan((), machine, registry),
        failures=[*found.failures, *(f"the detectors of {one.plugin} failed: {one.why}" for one in failed)],
        configuration=setup.configuration,
        registry=registry,
    )
    door.result(report.document(), lambda: report.human(door.line))
