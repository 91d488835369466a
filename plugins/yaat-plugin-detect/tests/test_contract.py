"""Every detector keeps the public contract."""

from __future__ import annotations

import pytest
from support.machines import MACHINES

from yaat_core.testing import check_detector
from yaat_plugin_detect.detectors import DETECTORS


def test_every_detector_has_a_machine() -> None:
    assert [detector.name for detector in DETECTORS] == list(MACHINES)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: one.name)
def test_contract(detector) -> None:  # type: ignore[no-untyped-def]
    check_detector(detector, MACHINES[detector.name])
