"""The core's screens, a module (or folder) for each; `yaat_core.tui.core_panels` lists them."""
