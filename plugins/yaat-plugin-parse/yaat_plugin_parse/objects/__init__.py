"""JSON objects, one a line, to named strings.

shape.py    which fields the objects of a stream have, learnt as they come
columns.py  whole batches of objects of a known shape, by Arrow's JSON reader
rows.py     objects one by one, by msgspec: whatever the other way refuses
text.py     how values are written as text, the same both ways
reader.py   which rows go which way
"""
