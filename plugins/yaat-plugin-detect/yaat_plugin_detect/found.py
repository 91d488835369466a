"""Runs detectors: each by itself, all within a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import attrs

from yaat_core.detection import Detection, Detector, Machine
from yaat_plugin_detect.config import PATIENCE

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Found:
    """What detectors found, and what went wrong: one sentence each."""

    detections: Sequence[Detection] = ()
    failures: Sequence[str] = ()


def look(machine: Machine, detectors: Iterable[Detector], *, seconds: float = PATIENCE) -> Found:
    """Ask every detector. One that raises is told; those whose turn comes too late are told as well."""
    detections: list[Detection] = []
    failures: list[str] = []
    end = time.monotonic() + seconds
    for detector in detectors:
        if time.monotonic() > end:
            failures.append(
                f"the detector {detector.name} was not asked: looking took more than {seconds:g} s"
            )
            continue
        try:
            detections += detector.detect(machine)
        except Exception as error:  # noqa: BLE001 - a detector is a guest; the others go on
            failures.append(
                f"the detector {detector.name} failed: {type(error).__name__}: {str(error)[:200]}"
            )
    return Found(detections=detections, failures=failures)


def within(seconds: float, work: Callable[[], T]) -> T | None:
    """What ``work`` gives; None when it hangs (a dead network mount): its thread is left behind.

    Raises:
        Exception: what ``work`` raised.
    """
    result: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            errors.append(error)

    thread = threading.Thread(target=run, name="yaat-detect", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    return result[0] if result else None
