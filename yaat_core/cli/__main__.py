"""``python -m yaat_core.cli``."""

from yaat_core.cli.entry import main

main()
