"""The durable queue of YAAT, on LevelDB.

config.py     options
keys.py       where each thing lies in the store, and the seal on small values
records.py    one record of events as bytes
index.py      what a record is, without reading it
figures.py    counters, cursors and ledger as one immutable value
writing.py    a queue write turned into one LevelDB batch
folder.py     the files around the store: marker, reserve, quarantine
store.py      opening and creating LevelDB, its errors as ours
opening.py    from a folder in any condition to an open store
salvage.py    what can be had of a store that LevelDB refuses
reading.py    records and checkpoints of an open store
view.py       the queue as it lies there, without changing it
mending.py    `repair` of an open store
inspection.py the quick look at every opening, and `verify`
handle.py     the open store, shared by readers, closed by one
queue.py      `LevelDBQueue`
"""
