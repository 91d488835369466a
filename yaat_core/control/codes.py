"""Error codes of talking to the agent, part of `yaat_core.codes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CONTROL: Final[Mapping[str, str]] = {
    "YAAT-E701": """\
No agent is running.

Nobody listens on the control socket in the state directory. Perhaps the agent runs with another
configuration.

To mend it: start it with `yaat run`; or name the configuration of the running one with -c FILE.
`yaat config show` prints the state directory that was looked at.""",
    "YAAT-E702": """\
The agent runs, and does not talk to this user.

The rights are those of the socket files: `read.sock` for looking, `control.sock` for changing.

To mend it: run the command as the agent's user (with sudo -u), or join its group.""",
    "YAAT-E703": """\
The path of the state directory is too long.

A Unix socket's path has at most 107 bytes, and the agent's sockets lie in the state directory.

To mend it: choose a shorter `state_dir`.""",
    "YAAT-E704": """\
The agent did not answer in time.

It runs, but is busy or stopped (Ctrl-Z, a debugger, a machine that swaps).

To mend it: try again; `yaat diagnose` and the agent's log tell what it does.""",
    "YAAT-E705": """\
The answer broke off.

The agent ended, or was restarted, while it answered. What was received is not complete.

To mend it: run the command again; the agent's log tells why it ended.""",
    "YAAT-E706": """\
Too many queries at one time.

The agent answers a few at once, so that questions can't slow the writing of events.

To mend it: wait for one to end, or stop one (Ctrl-C stops it in the agent too).""",
    "YAAT-E710": """\
The agent can't reload at this moment.

It has not begun to read yet, because it starts or a sink does not say where it stands; or it is
stopping. Nothing has changed.

To mend it: ask again when `yaat status` says running. An agent that waits for a sink for long is
helped by a restart with the changed file, or by `yaat queue accept-loss`.""",
    "YAAT-E791": """\
The TUI is locked against changes.

It was started with --read-only, or somebody pressed R: whatever changes something is refused.

To mend it: press R to unlock it, or start `yaat` without --read-only.""",
    "YAAT-E792": """\
An agent that was started from the TUI did not come up.

It ended, or did not answer within a minute. What it said is in agent.log in the state directory.

To mend it: read what it said; `yaat validate` checks the configuration, `yaat run` starts the
agent in the foreground with its messages on the terminal.""",
}
