"""Reading what was ingested, limited by the key.

options.py   what a query may take
store.py     the one place that knows where events are kept
seats.py     how many queries run at one time, of one key and of all
formats.py   which format a client takes
queries.py   GET and POST /v1/query
listing.py   GET /v1/organizations, GET /v1/services
"""
