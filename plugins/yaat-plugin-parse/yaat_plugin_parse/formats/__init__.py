"""The formats: each a module with one class, chosen in `step.py`.

A format has ``fits(lines)``, a quick look for `auto`, and ``parse(lines, stream)``, which gives what it
found in the lines that fit. Both take a string array without nulls.
"""
