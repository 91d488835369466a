"""Parsers of log lines.

config.py       options
processor.py    the processors: lines of a batch to a format, what it found into the batch; tally.py counts what did not fit
choosing.py     `auto`: which format a stream has
formats/        a module for each format, and their table; patterned.py for those that a few patterns describe
templates.py    what programs are told to write, as patterns: log_format.py (nginx), apache_format.py, line_prefix.py
                (PostgreSQL), pattern_layout.py (log4j), python_format.py, date_patterns.py; written.py reads lines by one
access.py       fields of access logs to spans
objects/        JSON objects to named strings, by columns or one by one
pairs.py        key=value pairs to named strings; structured_data.py those of syslog
wrapped.py      what container runtimes put around a line
found.py        what formats give: fields by name, then columns of the event
naming.py       which field becomes which column
weave.py        what was found, put into the batch
leading.py      time and level of lines that fit nothing; mentioned.py ids of traces inside of messages
timestamps.py   written times: at fixed places, then by forms.py; moments.py, calendar.py, offsets.py, zones.py make them
levels.py, tracing.py   values of single columns
letters.py, matching.py, patterns.py, streams.py   what these are made with
"""
