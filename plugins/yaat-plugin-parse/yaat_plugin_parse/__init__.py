"""Parsers of log lines.

config.py      options
processor.py   the processors: lines of a batch to a format, what it found into the batch
choosing.py    `auto`: which format a stream has
formats/       a module for each format, and their table
objects/       JSON objects to named strings, by columns or one by one
found.py       what formats give: fields by name, then columns of the event
naming.py      which field becomes which column
weave.py       what was found, put into the batch
leading.py     time and level of lines that fit nothing
timestamps.py, levels.py, tracing.py   values of single columns
zones.py, letters.py, matching.py, patterns.py, streams.py   what these are made with
"""
