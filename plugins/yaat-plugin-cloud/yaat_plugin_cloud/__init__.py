"""The sink `cloud`: events to ``POST /v1/ingest``, at least once, each request under a stable ``Batch-Id``.

config.py      the options
endpoint.py    where it sends to: one origin, one URL
sink.py        the component: one `CloudSink` for each life
delivery.py    one delivery: its parts sent, split, refused, acknowledged
plan.py        what became of each part of a delivery
memory.py      that, and how long to wait, in a small durable file
payload.py     rows to a request's body, within bounds
shrinking.py   one event that is too large, made smaller
client.py      one request and its answer, both bounded
trust.py       TLS: whom to believe
failures.py    what an exception of the network means, in words
answers.py     what an answer means
waiting.py     how long to wait: backoff, Retry-After, the circuit breaker
checking.py    `yaat validate`: names, connection, TLS, key, step by step
"""
