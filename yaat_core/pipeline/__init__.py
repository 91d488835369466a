"""The five rooms, wired.

intake.py      the bounded room that sources send into; receipts
chain.py       processors on whole batches, with recount and isolation of rows that make one fail
making.py      events that processors make themselves
defaults.py    what labels, source and configuration say of every event
door.py        the queue behind one async door: one writer at a time, recovery after a failed write
writer.py      group commit: what waits becomes one queue write
pieces.py      what waits for a sink, cut into deliveries, one read ahead
delivery.py    a worker for each sink
retention.py   what may wait for whom, and when the queue forgets
deadletter.py  events that a sink refused for good, as files and in the accounting
replays.py     those of them that a sink is to get again
"""
