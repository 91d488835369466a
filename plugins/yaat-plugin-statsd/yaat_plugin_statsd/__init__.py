"""The source type `statsd`: StatsD and DogStatsD metrics, aggregated in windows; events and service checks.

listeners.py   sockets to datagrams and lines
reading.py     lines to updates; the fast way by raw bytes, the full grammar behind it
grammar.py     the fields of a line, as the protocol's versions define them
naming.py      names and tags in their three forms: what a series is called
cells.py       what one series gathers in a window
quantiles.py   values of histograms: exact while few, a KLL sketch beyond
distinct.py    members of sets: exact while few, HyperLogLog beyond
window.py      all series, and the rows that a window ends in
notes.py       events and service checks
rows.py        rows to an `EventBatch`
source.py      all of it as a `Source`
"""
