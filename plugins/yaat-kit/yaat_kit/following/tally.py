"""The numbers that following files yields, as instruments of the component that does it."""

from __future__ import annotations

import attrs

from yaat_core.stats import ComponentStats, Counter, Gauge


@attrs.frozen(kw_only=True)
class Tally:
    """Instruments, all named ``PREFIX_...``."""

    read_bytes: Counter
    truncated_lines: Counter
    truncated_bytes: Counter
    divided_events: Counter
    hole_bytes: Counter
    unread_bytes: Counter
    truncations: Counter
    damaged_archives: Counter
    files: Gauge
    open_files: Gauge
    unreadable_files: Gauge
    lag_bytes: Gauge

    @classmethod
    def of(cls, stats: ComponentStats, prefix: str) -> Tally:
        """Made, or found again, in the registry."""
        counter, gauge = stats.counter, stats.gauge
        return cls(
            read_bytes=counter(f"{prefix}_read_bytes_total", "Bytes read and handed over or passed over."),
            truncated_lines=counter(f"{prefix}_truncated_lines_total", "Lines cut at max_line_bytes."),
            truncated_bytes=counter(f"{prefix}_truncated_bytes_total", "Bytes cut off from long lines."),
            divided_events=counter(
                f"{prefix}_divided_events_total",
                "Events that go on in the next because they reached event_lines or event_bytes.",
            ),
            hole_bytes=counter(
                f"{prefix}_hole_bytes_total", "Zero bytes passed over at the beginning of files."
            ),
            unread_bytes=counter(
                f"{prefix}_unread_bytes_total",
                "Bytes that were gone (truncated, deleted) before they were read.",
            ),
            truncations=counter(f"{prefix}_truncations_total", "Files found truncated or written anew."),
            damaged_archives=counter(
                f"{prefix}_damaged_archives_total", "Compressed files that could not be read to their end."
            ),
            files=gauge(f"{prefix}_files", "Files that are followed."),
            open_files=gauge(f"{prefix}_open_files", "Files that are held open."),
            unreadable_files=gauge(f"{prefix}_unreadable_files", "Files that match but can't be read now."),
            lag_bytes=gauge(f"{prefix}_lag_bytes", "Bytes written and not yet read, over all files."),
        )
