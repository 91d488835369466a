"""What each error code means, why it comes up, and how to mend it: `yaat explain CODE`, and ``docs/errors.md``.

Codes are stable. E0xx usage, E1xx configuration, E4xx plugins, E5xx stores, E6xx queries, E7xx talking to the agent,
E8xx the gateway, E9xx the service; W1xx are warnings. The first line of an explanation is its title.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yaat_core.cli.codes import TERMINAL
from yaat_core.control.codes import CONTROL
from yaat_core.service.codes import SERVICE

EXPLANATIONS: Final[Mapping[str, str]] = {
    "YAAT-E000": """\
A fault of yaat itself.

Something happened that nobody foresaw. It is not caused by what you typed.

To mend it: run the command again with YAAT_DEBUG=1, which prints the traceback, and report
that.""",
    "YAAT-E001": """\
An error without a code of its own.

Its message says what happened; where it can, it also says what to do.

To mend it: read the lines `cause` and `fix` of the message. If they are missing, please report
it.""",
    "YAAT-E010": """\
Wrong arguments to a command.

An option that the command does not have, a value that an option can't take, or a name that is
not configured.

To mend it: `yaat COMMAND --help` lists the options with examples.

    $ yaat query                                  # wrong: no SQL
    $ yaat query "SELECT count(*) FROM events"    # right""",
    "YAAT-E100": """\
The configuration is not YAML.

The text can't be read, so nothing behind that place was checked. The usual reasons: a tab as
indentation, lines that belong together with different indentation, a text with `: ` or a
special first character without quotes, a quote or bracket that is never closed, `${...}`
between brackets without quotes.

To mend it: look at the line under the caret, and at the one before it.

    pattern: a: b           # wrong: two `: ` in one line
    pattern: "a: b"         # right
    {key: ${env:KEY}}       # wrong: braces inside of braces
    {key: "${env:KEY}"}     # right""",
    "YAAT-E101": """\
A key that nothing knows.

Keys are checked at every level, those of plugins too, since a misspelt key that is ignored is a
setting that silently does not hold.

To mend it: rename it to the key that the message suggests, or take it out.
docs/configuration.md lists all keys; `yaat config schema` is a JSON Schema for your editor.

    sources:
      app: {type: file, pth: /var/log/app.log}      # wrong
      app: {type: file, paths: [/var/log/app.log]}  # right""",
    "YAAT-E102": """\
A value of the wrong type, or out of its range.

Types are strict: a number is no text, and a text is no number. Durations and sizes have a unit.
`yes`, `no`, `on` and `off` are texts (YAML 1.2); write `true` or `false`. A value that came
from ${env:...}, ${file:...} or ${secret:...} is never part of the message.

To mend it: write what the message asks for.

    poll: 10                # wrong: ten what?
    poll: 10s               # right: also 500ms, 5m, 1h30m, 7d
    max_bytes: 1000000      # wrong
    max_bytes: 1MB          # right: also 64KiB, 10MiB, 1GiB""",
    "YAAT-E103": """\
A component type that is not there.

The `type:` (or `format:`) is misspelt, its plugin is not installed or is disabled, or its
plugin could not be loaded; or a `format:` names a processor that reads no lines, such as
`scrub`; the message says which. The agent does not start without a component
that the configuration names: it would lose its events.

To mend it: correct the name, or install the plugin. `yaat plugins list` shows what is installed
and what each provides, `yaat plugins show NAME` why one did not load.

    sources:
      app: {type: fiel}     # wrong: there is no source type `fiel`
      app: {type: file}     # right""",
    "YAAT-E104": """\
Something is missing that has no default.

The caret is under the component that lacks it.

To mend it: add the key. docs/configuration.md has an example for each.

    sources:
      app: {type: file}                        # wrong: which files?
      app: {type: file, paths: [app.log]}      # right""",
    "YAAT-E105": """\
A reference that can't be resolved.

`${env:NAME}` is a variable of the agent's environment, `${env:NAME:-text}` the same with a
default, `${file:PATH}` the content of a file (relative to the configuration, at most 64 KiB,
the last newline taken off), `${secret:NAME}` a secret from a plugin's store or from systemd
(`LoadCredential=NAME:/path`). The service does not have your shell's environment.

To mend it: set the variable, create the file, store the secret; or write `$${` where a plain
`${` is meant.

    api_key: ${env:KEY}             # wrong while KEY is not set
    api_key: ${env:KEY:-none}       # has a default
    pattern: 'cost: $${amount}'     # the text `cost: ${amount}`""",
    "YAAT-E106": """\
The same key or name twice.

Most YAML readers keep the last of two equal keys and forget the first without a word. The same
goes for files that are included: sources, sinks, tags and processors of all files are joined, and
each has its own name; every other key may stand in one file.
Processors need names of their own, because everything that is counted goes by name; without
`name:` the type is the name.

To mend it: take one out, or give it another name.

    processors:
      - {type: scrub, detectors: [secrets]}
      - {type: scrub, name: scrub-mail, detectors: [email]}""",
    "YAAT-E107": """\
A feature of YAML that is not read here.

Anchors and aliases (`&x`, `*x`), merge keys (`<<`), tags (`!!str`), directives (`%YAML`),
several documents, more than 32 levels or 20,000 values. They make a file surprising to read, or
dangerous to load.

To mend it: write values out where they belong. Quotes make a text of a value.""",
    "YAAT-E108": """\
The configuration file can't be read.

It is not there, its permissions refuse, it is larger than 1 MiB, or it is not UTF-8 text. A
file that was named with -c or YAAT_CONFIG has to exist; the places that are searched otherwise
may be empty, but one that can't be looked at is not skipped.

To mend it: check the path and its permissions (`ls -l`), or save the file as UTF-8.""",
    "YAAT-E109": """\
A name that refers to nothing.

`sources:` of a processor holds names from the section `sources`.

To mend it: correct the name, or take `sources:` out, so that the processor applies to all.

    sources:
      app: {type: file, paths: [app.log]}
    processors:
      - {type: json, sources: [app]}""",
    "YAAT-E110": """\
The configuration has problems.

Each has a code of its own and is listed with its place; nothing was started. With --json all of
them are in `problems`.

To mend it: `yaat explain` the codes of the problems, mend them, and run `yaat validate`.""",
    "YAAT-W101": """\
Nothing scrubs.

No processor of type `scrub` is configured, so passwords, tokens and keys in events are stored
and sent as they are. What is once on the disk can be read from it long after it was deleted.

To mend it: add one; it always runs last, wherever it stands.

    processors:
      - {type: scrub, detectors: [secrets]}""",
    "YAAT-W102": """\
A plugin could not be loaded, and nothing needs it.

The agent works without it.

To mend it: `yaat plugins show NAME` has the reason and the traceback. Reinstall it, uninstall
it, or write `plugins: {disable: [NAME]}`.""",
    "YAAT-W103": """\
A default is left out, because its plugin is not installed.

A section that the file does not have gets its default: logs under /var/log, scrubbing of
secrets. A part of it is missing here.

To mend it: install the plugin that the message names, or write the section.""",
    "YAAT-W104": """\
`plugins.disable` names what is not installed.

Perhaps it is misspelt, and the plugin that was meant is loaded.

To mend it: compare with `yaat plugins list`; distributions and entry points both count as
names.""",
    "YAAT-W105": """\
`include` finds no file.

The pattern has a wildcard, so that it may find nothing; perhaps it is misspelt, or the files were
not installed. A path without a wildcard has to be there.

To mend it: paths are relative to the main file. `yaat validate` lists the files that were
included.

    include: [conf.d/*.yaml]""",
    "YAAT-W106": """\
What runs here could not be found out, or not all of it.

A configuration without `sources` reads what plugins detect on this machine, beside the logs
under /var/log. A plugin failed, what it found is no valid source, or this user may not read a
service's configuration, so that its logs are guessed. Files under /var/log are read all the same.

To mend it: `yaat detect` shows what was found and which right is missing. Write `sources` to say
yourself what is read, or disable the plugin.""",
    "YAAT-E120": """\
A configuration that can't be edited piece by piece.

The file is YAML, but it is written in a way in which the change that was asked for can't be put,
such as with tags or with keys that are no names. Nothing was written.

To mend it: make the change by hand: `yaat config edit`.""",
    "YAAT-E121": """\
A configuration file that was changed by somebody else.

Between looking at the file and writing it, it became another one: an editor, a tool or another
yaat wrote it. Nothing was written, so that change is not lost.

To mend it: look at the file as it is now, and make your change again. To bring back a version
from the history all the same:

    $ yaat config history
    $ yaat config undo --to 3""",
    "YAAT-E122": """\
A configuration file that can't be written.

A file is replaced as a whole, so that it is never half there: that takes write permission on its
folder, and its owner stays who it was, which only that user or root can do.

To mend it: run the command as the owner of the file, with sudo where that is root. An agent that
may not write its own configuration is the usual case for a service: the command writes the file
then, and the agent takes it up.""",
    "YAAT-E123": """\
A version of the configuration that is not in the history any more.

The history is bounded, and lies in the folder `config` of the state directory; what is older or
was removed there can't be brought back.

To mend it: `yaat config history` lists what is kept.""",
    "YAAT-E130": """\
A gateway that does not take a key, while `yaat setup` asks it.

The gateway does not know the key (it was mistyped, revoked, replaced or has expired), or the key is
not for sending events. Nothing was written.

To mend it: copy the whole key once more, or make a new one on the gateway's machine:

    $ yaat gateway keys create NAME""",
    "YAAT-E131": """\
No gateway at an address, while `yaat setup` asks it.

Nobody answers there, the certificate is not trusted, or something else than a gateway answers.
Nothing was written.

To mend it: check the address and the port, and that the gateway runs (`yaat status` there). With
`check: false` below `backend` of the answers it is not asked, and events wait in the queue until
it answers.""",
    "YAAT-E401": """\
A plugin that can't be loaded or used.

It did not import, wants another version of the API, has a hook that does not exist or with
wrong arguments, registers a name that another plugin has, or its component could not be made.
Other plugins go on without it.

To mend it: `yaat plugins show NAME` has the traceback. Reinstall or update the plugin, or
disable it:

    plugins: {disable: [yaat-plugin-NAME]}""",
    "YAAT-E402": """\
A source can't listen.

Another program has the port or the socket file, the address is not one of this machine, the
folder of a socket file is missing or not writable, or the file's path is longer than the system
allows. The source tries again by itself; the rest of the agent goes on.

To mend it: choose another address, or end what has it.

    $ ss -lunpt | grep 8125       # who has the port
    $ ss -lxp | grep dsd.socket   # who has the socket file""",
    "YAAT-E403": """\
The certificates of a sink's `tls.ca_file` can't be used.

The file is not there, may not be read, or holds no certificate in PEM form. Nothing is sent
without knowing whom to believe: events wait in the queue.

To mend it: name a file of the authorities' certificates. `yaat validate` looks at it.

    $ openssl x509 -in ca.pem -noout -subject -enddate""",
    "YAAT-E501": """\
Another agent uses this state directory.

Two agents on one queue would lose and repeat events, so the second one does not start. The lock
belongs to a live process: it is gone when that process is.

To mend it: `yaat status` shows the running agent. Stop it, or give this one another
`state_dir`.""",
    "YAAT-E502": """\
A store that a later version wrote.

It was not touched. An older version can't know what is in it.

To mend it: install the later version again. To go back for good, move the state directory away;
what waits in its queue stays there.""",
    "YAAT-E503": """\
A store that can't be opened as it is.

A file of the state directory is damaged in a way that can't be set aside: usually a disk error,
or a file that was edited or restored in part. Damage inside of the queue is different: it is
put into quarantine, counted, and the agent starts.

To mend it: restore the file that the message names from a backup, or move the state directory
away and begin anew.""",
    "YAAT-E504": """\
A database that belongs to another queue.

Rows and queue positions go together: events would be skipped or repeated if a database were
filled from another queue.

To mend it: point `path` of the sink to a new file, or use the state directory that the database
came from.""",
    "YAAT-E505": """\
The store can't be written now.

The disk is full, an I/O error happened, or permissions changed. The agent waits and tries
again; sources that can wait are paused with their positions kept, others count what they shed.

To mend it: make room on the disk of the state directory (`yaat diagnose` shows how much there
is). It goes on by itself.""",
    "YAAT-E506": """\
`yaat run --once` ended before anything was delivered.

What it waited for can't come by itself: a full disk, a database that can't be opened, a full
queue whose sink fails. It waited for `shutdown_grace`. Or a source failed each time that it was
tried, or a sink did not take what there was. Nothing that was accepted is lost.

To mend it: the message names what is in the way. Mend that and run it again; it goes on where it
was.""",
    "YAAT-E507": """\
`yaat run --once` ended when part was delivered.

As YAAT-E506, with a part delivered; the exit code is 5. The next run delivers the rest, and
nothing twice.

To mend it: the message names what is in the way. Mend that and run it again.""",
    "YAAT-E601": """\
SQL that is not run.

Queries only read: one SELECT, on the tables of the database, without access to files, network
or settings.

To mend it: ask one SELECT. To get data out: `yaat query --format parquet -o FILE`.""",
    "YAAT-E602": """\
SQL that the database could not answer.

A syntax error, a column or table that is not there, or a query that needs more memory than
`memory_limit` of the sink.

To mend it: the message is the database's own. `yaat query "DESCRIBE events"` lists the columns;
docs/schema.md explains them.""",
    "YAAT-E603": """\
SQL that took too long.

It was stopped at its time limit, so that it can't slow the writing of events.

To mend it: ask for less (a range of `timestamp`, a LIMIT), or give it longer: `yaat query
--timeout 300`.""",
    "YAAT-E801": """\
No such API key.

The gateway's state has no key with this id or name; or it belongs to another organization, which a
key with the right `admin` can't see.

To mend it: `yaat gateway keys list --all` shows all keys. Names are found only while exactly one
usable key has them; ids always.""",
    **CONTROL,
    **SERVICE,
    **TERMINAL,
}
