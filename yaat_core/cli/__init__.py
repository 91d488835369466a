"""The `yaat` command. `yaat_core.cli.door` is what a plugin's commands are written with."""
