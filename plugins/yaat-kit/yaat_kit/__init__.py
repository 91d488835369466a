"""Mechanisms that plugins share and the core need not know.

    lines      bytes to lines with their offsets, whole chunks at once
    multiline  lines to events: joins, and splits a trace from its message
    following  files through growth, rotation and truncation, with checkpoints

Plugins import from here and from `yaat_core`; nothing here imports a plugin.
"""
