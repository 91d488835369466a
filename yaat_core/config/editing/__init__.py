"""Editing of configuration files: comments, order, quotes and blank lines stay, and only the lines that a change is about differ.

    rendering.py   values as YAML text
    page.py        a text with its tree (read by ruamel.yaml), and where each part of it begins and ends
    splices.py     single changes of a text
    reaching.py    from a text to one that means something else, checked after each step
    paths.py       `sources.app.paths[0]`, as a person writes it
    files.py       the main file and the included ones, as bytes with their hashes
    keys.py, components.py   edits: keys by their path; components added, changed, taken out
    diffing.py, masking.py   what is shown of it, without secrets
    saving.py      written whole, or not at all
    history.py     versions, for undo and redo
    desk.py        all of it for one configuration
    types.py       component types with their options, for forms
    results.py     what comes of it, as typed values

ruamel.yaml's round trip is not used to write: it puts what it did not change into another form too (indentation of lists,
line breaks, space between brackets, comments of what was taken out). Its marks say where a value stands; the text there is
replaced, read again, and must mean what was wanted.
"""
