"""Codes of the service, for `yaat_core.codes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SERVICE: Final[Mapping[str, str]] = {
    "YAAT-E901": """\
There is no systemd here that could run the service.

`yaat service` gives the agent to systemd. A container, WSL without systemd, and machines with
another init have none; the cause says which it is.

To mend it: let what starts programs here start `yaat run -c /etc/yaat/yaat.yaml`: it stays in the
foreground, logs to stderr, and stops on SIGTERM.""",
    "YAAT-E902": """\
Only root may change the machine's services.

Nothing was done. `--dry-run` shows the plan to any user.

To mend it: run the command that the message shows, with sudo.""",
    "YAAT-E903": """\
A unit of this name is there that an install would overwrite.

Either `yaat service install` did not write it (a package, or a person did), or it was edited by
hand since. Nothing was done.

To mend it: changes of yours belong into `systemctl edit yaat`, which makes a file of its own that
every install keeps. --replace overwrites the unit.""",
    "YAAT-E904": """\
The service's user could not run the program, or not read the configuration.

The service runs as the user `yaat`, which is in no other group than those that may read logs. A
folder on the way, the file itself, or the Python that runs it is closed to it; the message
names the first one. Usual: YAAT was installed in a home folder (`uv tool install`, `pipx`).

To mend it: install it where every user gets at it.

    python3 -m venv /opt/yaat && /opt/yaat/bin/pip install yaat
    ln -s /opt/yaat/bin/yaat /usr/local/bin/yaat""",
    "YAAT-E905": """\
A step of an install or uninstall failed.

The message says which step and what its command answered. Steps before it are done, those after it
are not; every step may be done twice.

To mend it: do what the cause says and run the same command again. When the service did not start,
its last lines are part of the message, and `journalctl -u yaat` has them all.""",
}
