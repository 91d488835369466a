"""``python -m yaat_core.cli``."""

from yaat_core.cli.main import main

main()
